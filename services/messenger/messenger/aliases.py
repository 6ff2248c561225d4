"""The names that WhatsApp returns when it takes a message. Whoever knows people is told of them,
once, when they are others than the one that was written to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from common.events import LearnAliases, Sender
from common.ids import UserId, derived_id
from messenger.channels import Accepted
from messenger.outcomes import Claimed, Finished

KEEP = text(
    """
    UPDATE messenger.contacts AS c SET learned_names = new.names
    FROM unnest(CAST(:users AS uuid[]), CAST(:names AS text[])) AS new (user_id, names)
    WHERE c.user_id = new.user_id AND c.state <> 'deleted'
        AND c.learned_names IS DISTINCT FROM new.names
    RETURNING c.user_id
    """
)


async def learn_aliases(
    transaction: Transaction, finished: Sequence[Finished], now: datetime
) -> None:
    """In the transaction that records the acceptance. People are locked by it already."""
    news = dict(sorted(_news(finished), key=lambda one: one[0]))
    if not news:
        return
    rows = await transaction.connection.execute(
        KEEP,
        {
            "users": [claimed.person.user_id for claimed, _ in news.values()],
            "names": [names_of(accepted) for _, accepted in news.values()],
        },
    )
    for row in rows:
        _, accepted = news[row.user_id]
        transaction.publish(
            LearnAliases(
                message_id=derived_id("learned", row.user_id, names_of(accepted)),
                occurred_at=now,
                user_id=UserId(row.user_id),
                sender=Sender(wa_id=accepted.wa_id, business_scoped_id=accepted.business_scoped_id),
            )
        )


def names_of(accepted: Accepted) -> str:
    return f"{accepted.wa_id or ''}|{accepted.business_scoped_id or ''}"


def is_news(claimed: Claimed, accepted: Accepted) -> bool:
    used = (claimed.person.address or "").removeprefix("+")
    returned = {accepted.wa_id, accepted.business_scoped_id} - {None, "", used}
    return bool(returned) and claimed.person.learned_names != names_of(accepted)


def _news(
    finished: Sequence[Finished],
) -> Iterator[tuple[UUID, tuple[Claimed, Accepted]]]:
    for one in finished:
        if isinstance(one.result, Accepted) and is_news(one.claimed, one.result):
            yield one.claimed.person.user_id, (one.claimed, one.result)
