"""Queries that follow a message after it was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from common.events import StatusReceived
from common.ids import derived_id
from messenger import metrics
from messenger.consequences import Consequences, Refused, lock_people
from messenger.delivery import Tracked, apply_status, news
from messenger.errors_policy import rule_for_failure
from messenger.outcomes import settle_unknown
from messenger.policies import CRASHED_AFTER, LOOKED_UP, LOOKED_UP_WITHIN, STATUS_WITHIN

EARLY_KEPT = timedelta(days=1)
BATCH = 500

COLUMNS = tuple(field.name for field in fields(Tracked))
SELECT = f"SELECT {', '.join(COLUMNS)} FROM messenger.messages"  # noqa: S608

LOCK = text(f"{SELECT} WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
LOCK_NAMED = text(
    f"{SELECT} WHERE id = ANY(:ids) OR provider_id = ANY(:provider_ids) ORDER BY id FOR UPDATE"
)
PEOPLE_NAMED = text(
    "SELECT DISTINCT user_id FROM messenger.messages"
    " WHERE id = ANY(:ids) OR provider_id = ANY(:provider_ids)"
)
LOCK_OVERDUE = text(
    f"{SELECT} WHERE state = 'unknown' AND unknown_at <= :before"
    " AND (channel <> ALL(:looked_up) OR attachment IS NOT NULL OR unknown_at <= :long_before)"
    f" ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED"
)

CHANGING: dict[str, str] = {
    "state": "text",
    "not_before": "timestamptz",
    "tries": "integer",
    "resends": "integer",
    "provider_id": "text",
    "refused_provider_id": "text",
    "must_be_template": "boolean",
    "is_fallback_language": "boolean",
    "error_code": "integer",
    "reason": "text",
    "unknown_at": "timestamptz",
    "accepted_at": "timestamptz",
    "sent_at": "timestamptz",
    "delivered_at": "timestamptz",
    "read_at": "timestamptz",
    "failed_at": "timestamptz",
}

WRITE = text(
    "UPDATE messenger.messages AS m SET "  # noqa: S608
    + ", ".join(f"{name} = new.{name}" for name in CHANGING)
    + " FROM unnest(CAST(:id AS uuid[]), "
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in CHANGING.items())
    + f") AS new (id, {', '.join(CHANGING)}) WHERE m.id = new.id"
)

KEEP_EARLY = text(
    """
    INSERT INTO messenger.early_statuses
        (id, provider_id, tracker, status, status_at, error_code, received_at)
    SELECT id, provider_id, tracker, status, status_at, error_code, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:provider_ids AS text[]), CAST(:trackers AS uuid[]),
        CAST(:statuses AS text[]), CAST(:times AS timestamptz[]), CAST(:codes AS integer[]))
        AS early (id, provider_id, tracker, status, status_at, error_code)
    ON CONFLICT DO NOTHING
    """
)

TAKE_EARLY = text(
    """
    DELETE FROM messenger.early_statuses AS early
    WHERE EXISTS (SELECT 1 FROM messenger.messages AS m WHERE m.provider_id = early.provider_id)
    RETURNING early.id, early.provider_id, early.tracker, early.status, early.status_at,
        early.error_code
    """
)

PRUNE_EARLY = text("DELETE FROM messenger.early_statuses WHERE received_at < :before")

FIND_CRASHED = text(
    """
    WITH overdue AS (
        SELECT id FROM messenger.messages WHERE state = 'sending' AND sending_at <= :before
        ORDER BY id FOR UPDATE SKIP LOCKED),
    crashed AS (
        UPDATE messenger.messages AS m SET state = 'unknown', unknown_at = :now
        FROM overdue WHERE m.id = overdue.id RETURNING m.id)
    UPDATE messenger.attempts AS a SET outcome = 'unknown', ended_at = :now
    FROM crashed WHERE a.message_id = crashed.id AND a.ended_at IS NULL
    """
)

COUNT_UNKNOWN = text("SELECT count(*) FROM messenger.messages WHERE state = 'unknown'")
COUNT_QUEUED = text(
    "SELECT purpose, count(*) AS waiting FROM messenger.messages WHERE state = 'queued'"
    " GROUP BY purpose"
)


class Tracking:
    """Lock, change, write: the changes of one transaction, with the news of them."""

    def __init__(self, transaction: Transaction, now: datetime) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._now = now
        self._changed: list[Tracked] = []

    async def lock(self, ids: Sequence[UUID]) -> list[Tracked]:
        rows = await self._connection.execute(LOCK, {"ids": ids})
        return [Tracked(*row) for row in rows]

    def change(self, before: Tracked, after: Tracked) -> None:
        if after == before:
            return
        self._changed.append(after)
        if before.failed_at is None and after.failed_at is not None:
            metrics.FAILED.labels(_told(after.reason)).inc()
        for event in news(before, after, self._now):
            self._transaction.publish(event, traceparent=after.traceparent)

    async def write(self) -> None:
        if not self._changed:
            return
        columns = {name: [getattr(m, name) for m in self._changed] for name in ("id", *CHANGING)}
        await self._connection.execute(WRITE, columns)
        self._changed = []

    async def merge(self, statuses: Sequence[StatusReceived]) -> bool:
        """Statuses of messages that nobody knows are kept until somebody does. Returns whether
        something may be sent now: a message again, or what waited for its end."""
        if any(status.status == "failed" for status in statuses):
            await self._lock_people_of(statuses)
        found = await self._named_in(statuses)
        by_id = {message.id: message for message in found}
        by_provider_id = {m.provider_id: m.id for m in found if m.provider_id}
        latest = dict(by_id)
        early, refused = [], []
        for status in statuses:
            tracker = tracker_of(status)
            key = tracker if tracker in by_id else by_provider_id.get(status.provider_id)
            if key is None:
                early.append(status)
                continue
            before = latest[key]
            latest[key] = apply_status(before, status, self._now)
            if status.status == "failed" and latest[key] != before:
                refused.append(_refused(before, status, self._now))
        changes = [(message, latest[key]) for key, message in by_id.items()]
        for before, after in changes:
            self.change(before, after)
        await self.write()
        await self._keep_early(early)
        number_id = next((status.number_id for status in statuses if status.number_id), "")
        await Consequences(self._transaction, number_id, self._now).apply(refused)
        return any(_lets_something_go(before, after) for before, after in changes)

    async def merge_early(self) -> None:
        """Those whose message became known after they had come."""
        rows = await self._connection.execute(TAKE_EARLY)
        statuses = [
            StatusReceived(
                message_id=row.id,
                occurred_at=row.status_at,
                channel="cloud",
                number_id="",
                provider_id=row.provider_id,
                status=row.status,
                status_at=row.status_at,
                tracker=str(row.tracker) if row.tracker else None,
                error_code=row.error_code,
            )
            for row in rows
        ]
        if statuses:
            await self.merge(statuses)
        await self._connection.execute(PRUNE_EARLY, {"before": self._now - EARLY_KEPT})

    async def find_crashed(self) -> None:
        """Attempts that lost their process. The message counts as unknown from now on. One that
        somebody holds is not lost: its outcome is being recorded."""
        before = self._now - CRASHED_AFTER
        await self._connection.execute(FIND_CRASHED, {"now": self._now, "before": before})

    async def settle_overdue(self) -> int:
        rows = await self._connection.execute(
            LOCK_OVERDUE,
            {
                "before": self._now - STATUS_WITHIN,
                "long_before": self._now - LOOKED_UP_WITHIN,
                "looked_up": sorted(LOOKED_UP),
            },
        )
        overdue = [Tracked(*row) for row in rows]
        for message in overdue:
            self.change(message, settle_unknown(message, self._now))
        await self.write()
        return len(overdue)

    async def count_unknown(self) -> int:
        return int((await self._connection.execute(COUNT_UNKNOWN)).scalar_one())

    async def count_queued(self) -> dict[str, int]:
        rows = await self._connection.execute(COUNT_QUEUED)
        return {row.purpose: row.waiting for row in rows}

    async def _lock_people_of(self, statuses: Sequence[StatusReceived]) -> None:
        rows = await self._connection.execute(PEOPLE_NAMED, _names_in(statuses))
        await lock_people(self._transaction, [row.user_id for row in rows])

    async def _named_in(self, statuses: Sequence[StatusReceived]) -> list[Tracked]:
        rows = await self._connection.execute(LOCK_NAMED, _names_in(statuses))
        return [Tracked(*row) for row in rows]

    async def _keep_early(self, statuses: Iterable[StatusReceived]) -> None:
        kept = sorted(statuses, key=lambda status: status.message_id)
        if not kept:
            return
        await self._connection.execute(
            KEEP_EARLY,
            {
                "ids": [derived_id("early", status.message_id) for status in kept],
                "provider_ids": [status.provider_id for status in kept],
                "trackers": [tracker_of(status) for status in kept],
                "statuses": [status.status for status in kept],
                "times": [status.status_at for status in kept],
                "codes": [status.error_code for status in kept],
                "now": self._now,
            },
        )


def _lets_something_go(before: Tracked, after: Tracked) -> bool:
    """It is queued again, or does not keep the person's next message waiting any more."""
    has_ended = before.state == "sending" and after.state != "sending"
    return has_ended or after.state == "queued"


def _names_in(statuses: Sequence[StatusReceived]) -> dict[str, object]:
    ids = {tracker for status in statuses if (tracker := tracker_of(status))}
    return {"ids": list(ids), "provider_ids": list({status.provider_id for status in statuses})}


def _refused(message: Tracked, status: StatusReceived, now: datetime) -> Refused:
    return Refused(
        message.user_id,
        message.purpose,
        rule_for_failure(status.error_code),
        status.error_code,
        message.template,
        message.sending_at or now,
        is_last_language=message.is_fallback_language,
    )


def _told(reason: str | None) -> str:
    """A metric label: Meta's many codes are one."""
    told = reason or "failed"
    return "whatsapp" if told.startswith("whatsapp_") else told


def tracker_of(status: StatusReceived) -> UUID | None:
    """What WhatsApp echoes is ours only when it is a message id."""
    try:
        return UUID(status.tracker) if status.tracker else None
    except ValueError:
        return None
