"""What is known of the account's templates; one that nobody may get holds its messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from common.database import Transaction
from messenger.errors_policy import QUALITY
from messenger.limits.pauses import Pause, Pauses, resume, scope_of_template
from messenger.templates.states import SENDABLE, TemplateStates

# A quality or category update says nothing of the rest. News that is older than what is known,
# by when it reached us, changes nothing.
RECORD = text(
    """
    INSERT INTO messenger.templates AS known
        (name, language, status, category, quality, reason, updated_at)
    SELECT name, language, coalesce(status, ''), category, quality, reason, :at
    FROM unnest(CAST(:names AS text[]), CAST(:languages AS text[]), CAST(:statuses AS text[]),
        CAST(:categories AS text[]), CAST(:qualities AS text[]), CAST(:reasons AS text[]))
        AS news (name, language, status, category, quality, reason)
    ORDER BY name, language
    ON CONFLICT (name, language) DO UPDATE SET
        status = CASE WHEN excluded.status = '' THEN known.status ELSE excluded.status END,
        category = coalesce(excluded.category, known.category),
        quality = coalesce(excluded.quality, known.quality),
        reason = CASE WHEN excluded.status = '' THEN known.reason ELSE excluded.reason END,
        updated_at = excluded.updated_at
    WHERE known.updated_at <= excluded.updated_at
    """
)

STATUSES = text("SELECT name, language, status FROM messenger.templates")


@dataclass(frozen=True)
class TemplateNews:
    """`None` where nothing is told."""

    name: str
    language: str
    status: str | None = None
    category: str | None = None
    quality: str | None = None
    reason: str | None = None

    @property
    def is_return(self) -> bool:
        return self.status in SENDABLE


class TemplateRecords:
    def __init__(self, transaction: Transaction, number_id: str, now: datetime) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._number_id = number_id
        self._now = now

    async def adopt(self, news: Sequence[TemplateNews], at: datetime) -> None:
        """Records what was told `at`, and holds or lets go what needs these templates."""
        before = await self.states()
        latest = {(one.name, one.language): one for one in news}.values()
        await self._connection.execute(RECORD, {"at": at, **_columns(latest)})
        after = await self.states()
        for name in sorted({one.name for one in news}):
            if after.is_held(name):
                await self._hold(name)
            elif after.is_sendable(name) and after.of(name) != before.of(name):
                await self.let_go(name)

    async def let_go(self, name: str) -> None:
        """Also what a refusal had paused: Meta says that it may be sent."""
        await resume(self._transaction, None, scope_of_template(name))

    async def _hold(self, name: str) -> None:
        """With a probe in case that we miss the news of its return."""
        pauses = Pauses(self._transaction, self._number_id, self._now)
        await pauses.start([Pause(scope_of_template(name), None, QUALITY)])

    async def states(self) -> TemplateStates:
        rows = await self._connection.execute(STATUSES)
        return TemplateStates({(row.name, row.language): row.status for row in rows})


def _columns(news: Iterable[TemplateNews]) -> dict[str, list[str | None]]:
    told = list(news)
    return {
        "names": [one.name for one in told],
        "languages": [one.language for one in told],
        "statuses": [one.status for one in told],
        "categories": [one.category for one in told],
        "qualities": [one.quality for one in told],
        "reasons": [one.reason for one in told],
    }
