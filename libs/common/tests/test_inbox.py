from datetime import UTC, datetime, timedelta
from uuid import uuid4

from common import inbox
from common.database import Database

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def test_a_message_is_new_once_for_each_consumer(common_database: Database) -> None:
    known, other = uuid4(), uuid4()
    async with common_database.transaction() as tx:
        assert await inbox.record(tx.connection, "common", "a", [known], NOW) == {known}
        assert await inbox.record(tx.connection, "common", "a", [known, other], NOW) == {other}
        assert await inbox.record(tx.connection, "common", "b", [known], NOW) == {known}


async def test_a_webhook_repeated_on_the_eighth_day_is_still_known(
    common_database: Database,
) -> None:
    message = uuid4()
    async with common_database.transaction() as tx:
        await inbox.record(tx.connection, "common", "a", [message], NOW)
    for days, is_known in ((8, True), (10, False)):
        later = NOW + timedelta(days=days)
        async with common_database.transaction() as tx:
            pruned = await inbox.prune(tx.connection, "common", later)
            assert pruned == (0 if is_known else 1)
            again = await inbox.record(tx.connection, "common", "a", [message], later)
            assert (not again) == is_known


async def test_what_is_rolled_back_is_new_again(common_database: Database) -> None:
    message = uuid4()
    try:
        async with common_database.transaction() as tx:
            await inbox.record(tx.connection, "common", "a", [message], NOW)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    async with common_database.transaction() as tx:
        assert await inbox.record(tx.connection, "common", "a", [message], NOW) == {message}
