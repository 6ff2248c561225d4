"""Transactions: both kinds of statement in one, what a failure leaves, a server that is lost."""

import asyncio
from collections.abc import Mapping

import psycopg
import pytest
from sqlalchemy import column, insert, select, table, text

from common.database import Database
from common.errors import DependencyUnavailable
from devstack.pytest_plugin import Servers

THINGS = table("things", column("id"), column("name"), schema="common")
KEEP = text("INSERT INTO common.things (id, name) VALUES (:id, :name) RETURNING id, name")
FIND = text("SELECT id, name FROM common.things ORDER BY id")
SHARE = text("SELECT '50 %' AS share WHERE '50 %' LIKE '%0 %'")
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s"


@pytest.fixture
async def database(common_database: Database) -> Database:
    async with common_database.transaction() as transaction:
        await transaction.connection.execute(
            text("CREATE TABLE common.things (id integer PRIMARY KEY, name text)")
        )
    return common_database


async def names(database: Database) -> list[str]:
    async with database.transaction() as transaction:
        return [row.name for row in await transaction.connection.execute(FIND)]


async def test_text_and_constructs_see_each_other_and_commit_together(database: Database) -> None:
    async with database.transaction() as transaction:
        connection = transaction.connection
        kept = (await connection.execute(KEEP, {"id": 1, "name": "text"})).one()
        assert (kept.id, kept.name) == (1, "text")
        await connection.execute(insert(THINGS).values(id=2, name="construct"))
        found = await connection.execute(select(THINGS.c.name).order_by(THINGS.c.id))
        assert [row.name for row in found] == ["text", "construct"]
    assert await names(database) == ["text", "construct"]


async def test_a_statement_without_rows_tells_how_many_it_touched(database: Database) -> None:
    async with database.transaction() as transaction:
        connection = transaction.connection
        for number in (1, 2, 3):
            await connection.execute(KEEP, {"id": number, "name": "a"})
        changed = await connection.execute(text("UPDATE common.things SET name = 'b' WHERE id > 1"))
        assert changed.rowcount == 2
        gone = await connection.execute(text("DELETE FROM common.things RETURNING id"))
        assert (gone.rowcount, gone.scalars().all()) == (3, [1, 2, 3])


async def test_a_percent_sign_is_one_with_and_without_parameters(database: Database) -> None:
    neither: tuple[Mapping[str, object] | None, ...] = (None, {})
    async with database.transaction() as transaction:
        for parameters in neither:
            found = await transaction.connection.execute(SHARE, parameters)
            assert found.scalar_one() == "50 %"


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncio.CancelledError()])
async def test_nothing_of_a_transaction_that_failed_is_kept(
    database: Database, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        async with database.transaction() as transaction:
            await transaction.connection.execute(KEEP, {"id": 1, "name": "lost"})
            raise error
    assert await names(database) == []


async def test_a_statement_that_fails_spoils_its_transaction_only(database: Database) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with database.transaction() as transaction:
            for name in ("first", "second"):
                await transaction.connection.execute(KEEP, {"id": 1, "name": name})
    assert await names(database) == []


async def test_a_transaction_cancelled_in_a_statement_gives_its_connection_back(
    database: Database,
) -> None:
    async def wait_long() -> None:
        async with database.transaction() as transaction:
            await transaction.connection.execute(KEEP, {"id": 1, "name": "lost"})
            await transaction.connection.execute(text("SELECT pg_sleep(60)"))

    for _ in range(12):  # more often than the pool has connections
        waiting = asyncio.create_task(wait_long())
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
    assert await names(database) == []


async def test_a_lost_connection_is_named_and_the_next_transaction_works(
    database: Database, servers: Servers
) -> None:
    with pytest.raises(DependencyUnavailable):
        async with database.transaction() as transaction:
            await transaction.connection.execute(KEEP, {"id": 1, "name": "lost"})
            found = await transaction.connection.execute(text("SELECT pg_backend_pid()"))
            with psycopg.connect(servers.postgres.url, autocommit=True) as other:
                other.execute(TERMINATE, [found.scalar_one()])
            await transaction.connection.execute(FIND)
    assert await names(database) == []


async def test_connections_that_died_in_the_pool_cost_one_failure(
    database: Database, servers: Servers
) -> None:
    gate = asyncio.Event()

    async def hold() -> int:
        async with database.transaction() as transaction:
            found = await transaction.connection.execute(text("SELECT pg_backend_pid()"))
            await gate.wait()
            return int(found.scalar_one())

    holding = [asyncio.create_task(hold()) for _ in range(5)]
    await asyncio.sleep(0.3)
    gate.set()
    with psycopg.connect(servers.postgres.url, autocommit=True) as other:
        for process in await asyncio.gather(*holding):
            other.execute(TERMINATE, [process])
    await asyncio.sleep(0.1)
    failures = 0
    for _ in range(6):
        try:
            await names(database)
        except DependencyUnavailable:
            failures += 1
    assert failures == 1
