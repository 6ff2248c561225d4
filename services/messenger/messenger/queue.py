"""Queries of the dispatcher: claim, record, sweep. The handlers' are in `store`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, text

from common.database import Transaction
from common.events import Attachment
from common.events import Channel as ChannelName
from common.ids import new_id
from messenger.delivery import failure
from messenger.outcomes import Claimed, Finished, apply_outcome
from messenger.sending import Addressee, Decision, Fail, Queued, Send, Suppress, Wait, decide
from messenger.tracking import Tracking

PROBE_AFTER = timedelta(seconds=30)
PROBE_LIMIT = timedelta(minutes=10)
WINDOW = 4  # messages looked at for each that may be claimed: some belong to one person

PAUSE = text("SELECT probe_at FROM messenger.channels WHERE number_id = :number")

# Whoever moves a message to `sending` holds its person's row. The messages are read by a second
# statement, whose snapshot is taken under those locks: it sees every earlier holder's work.
LOCK_PEOPLE = text(
    """
    WITH due AS (
        SELECT m.user_id, m.priority, m.not_before FROM messenger.messages AS m
        WHERE m.state = 'queued' AND m.channel = :channel AND m.not_before <= :now
        AND NOT EXISTS (
            SELECT 1 FROM messenger.messages AS other
            WHERE other.user_id = m.user_id AND other.state = 'sending')
        ORDER BY m.priority, m.not_before LIMIT :window)
    SELECT c.user_id, c.revision, c.state, c.language, c.address, c.name,
        CASE WHEN coalesce(c.last_inbound_number, :number) = :number THEN c.last_inbound_at END,
        c.hold_until, c.strikes, c.channel
    FROM messenger.contacts AS c JOIN (
        SELECT user_id, min(priority) AS priority, min(not_before) AS not_before
        FROM due GROUP BY user_id) AS waiting USING (user_id)
    ORDER BY waiting.priority, waiting.not_before LIMIT :slots
    FOR UPDATE OF c SKIP LOCKED
    """
)

NEXT_OF_EACH = text(
    """
    SELECT DISTINCT ON (m.user_id) m.id, m.user_id, m.kind, m.purpose, m."values" AS words,
        m.received_at, m.expires_at, m.tries, m.waits, m.resends, m.must_be_template,
        m.traceparent, m.attachment
    FROM messenger.messages AS m
    WHERE m.user_id = ANY(:users) AND m.state = 'queued' AND m.channel = :channel
        AND m.not_before <= :now AND NOT EXISTS (SELECT 1 FROM messenger.messages AS other
            WHERE other.user_id = m.user_id AND other.state = 'sending')
    ORDER BY m.user_id, m.priority, m.created_at, m.id
    """
)

START = text(
    """
    WITH starting AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS uuid[]),
            CAST(:templates AS boolean[])) AS s (id, attempt_id, is_template)),
    recorded AS (
        INSERT INTO messenger.attempts (id, message_id, started_at)
        SELECT attempt_id, id, :now FROM starting)
    UPDATE messenger.messages AS m SET state = 'sending', sending_at = :now, tries = m.tries + 1,
        is_template = starting.is_template
    FROM starting WHERE m.id = starting.id
    """
)

POSTPONE = text(
    """
    UPDATE messenger.messages AS m SET not_before = later.at, waits = m.waits + 1
    FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS later (id, at)
    WHERE m.id = later.id
    """
)

GIVE_UP = text(
    """
    UPDATE messenger.messages AS m SET state = ended.state, reason = ended.reason,
        failed_at = :now,
        "values" = CASE WHEN ended.reason = 'deleted' THEN '{}' ELSE m."values" END,
        is_forgotten = m.is_forgotten OR ended.reason = 'deleted'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:reasons AS text[]))
        AS ended (id, state, reason)
    WHERE m.id = ended.id
    """
)

NEXT_DUE = text(
    "SELECT min(not_before) FROM messenger.messages"
    " WHERE state = 'queued' AND channel = :channel AND not_before > :now"
)

HAVE_MORE = text(
    "SELECT EXISTS (SELECT 1 FROM messenger.messages"
    " WHERE user_id = ANY(:users) AND state = 'queued' AND channel = :channel"
    " AND not_before <= :now)"
)

END_ATTEMPTS = text(
    """
    UPDATE messenger.attempts AS a SET ended_at = :now, outcome = ended.outcome,
        error_code = ended.error_code, http_status = ended.http_status
    FROM unnest(CAST(:ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:codes AS integer[]),
        CAST(:statuses AS integer[])) AS ended (id, outcome, error_code, http_status)
    WHERE a.id = ended.id
    """
)

HOLD = text(
    """
    UPDATE messenger.contacts AS c SET hold_until = held.until, strikes = c.strikes + 1
    FROM unnest(CAST(:users AS uuid[]), CAST(:times AS timestamptz[])) AS held (user_id, until)
    WHERE c.user_id = held.user_id
    """
)

FORGIVE = text(
    "UPDATE messenger.contacts SET strikes = 0 WHERE user_id = ANY(:users) AND strikes > 0"
)

PAUSE_NUMBER = text(
    """
    INSERT INTO messenger.channels (number_id, paused_at, error_code, probe_at)
    VALUES (:number, :now, :code, :probe_at)
    ON CONFLICT (number_id) DO UPDATE SET error_code = excluded.error_code
    """
)

START_PROBE = text(
    """
    UPDATE messenger.channels SET probes = probes + 1,
        probe_at = :now + least(:first * power(2, least(probes + 1, 10)), :limit)
    WHERE number_id = :number
    """
)

RESUME = text("DELETE FROM messenger.channels WHERE number_id = :number")


@dataclass(frozen=True)
class Claim:
    """`sent` are to be sent now; `settled` were dealt with in other ways."""

    sent: tuple[Claimed, ...] = ()
    settled: tuple[tuple[Queued, Decision], ...] = ()
    next_due_at: datetime | None = None
    is_paused: bool = False


class Queue:
    def __init__(
        self, transaction: Transaction, channel: ChannelName, number_id: str, now: datetime
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._channel = channel
        self._number_id = number_id
        self._now = now
        self._here = {"channel": channel, "now": now}

    async def claim(self, slots: int) -> Claim:
        """At most `slots` messages, one a person, that may leave now; the attempt of each is
        recorded. Those that may not are ended or postponed."""
        probe_at = await self._paused_until()
        if probe_at is not None and probe_at > self._now:
            return Claim(next_due_at=probe_at, is_paused=True)
        people = await self._lock_people(slots if probe_at is None else 1)
        if not people:
            return Claim(next_due_at=await self._next_due_at(), is_paused=probe_at is not None)
        decided = [
            (message, decide(message, people[message.user_id], self._now))
            for message in await self._next_of_each(list(people))
        ]
        sent = tuple(
            Claimed(new_id(), message, people[message.user_id], how.is_template, bool(probe_at))
            for message, how in decided
            if isinstance(how, Send)
        )
        await self._start(sent)
        settled = tuple(one for one in decided if not isinstance(one[1], Send))
        await self._settle(settled)
        return Claim(sent, settled, is_paused=probe_at is not None)

    async def record(self, finished: Sequence[Finished]) -> bool:
        """What became of the calls: state, attempt and events in one transaction.

        Returns whether any of these people has another message that may go.
        """
        tracking = Tracking(self._transaction, self._now)
        by_id = {one.claimed.message.id: one for one in finished}
        for message in await tracking.lock(list(by_id)):
            tracking.change(message, apply_outcome(message, by_id[message.id], self._now))
        await tracking.write()
        await self._end_attempts(finished)
        await self._hold_people(finished)
        await self._pause_or_resume(finished)
        users = [one.claimed.person.user_id for one in finished]
        waiting = await self._connection.execute(
            HAVE_MORE, {"users": users, **self._here}
        )
        return bool(waiting.scalar_one())

    async def _paused_until(self) -> datetime | None:
        found = await self._connection.execute(PAUSE, {"number": self._number_id})
        probe_at: datetime | None = found.scalar_one_or_none()
        return probe_at

    async def _lock_people(self, slots: int) -> dict[UUID, Addressee]:
        rows = await self._connection.execute(
            LOCK_PEOPLE,
            {
                "now": self._now,
                "slots": slots,
                "window": slots * WINDOW,
                "channel": self._channel,
                "number": self._number_id,
            },
        )
        return {row.user_id: Addressee(*row) for row in rows}

    async def _next_of_each(self, users: list[UUID]) -> list[Queued]:
        rows = await self._connection.execute(
            NEXT_OF_EACH, {"users": users, **self._here}
        )
        return [_queued(row) for row in rows]

    async def _next_due_at(self) -> datetime | None:
        found = await self._connection.execute(
            NEXT_DUE, self._here
        )
        at: datetime | None = found.scalar_one_or_none()
        return at

    async def _start(self, claimed: Sequence[Claimed]) -> None:
        if not claimed:
            return
        await self._connection.execute(
            START,
            {
                "ids": [one.message.id for one in claimed],
                "attempts": [one.attempt_id for one in claimed],
                "templates": [one.is_template for one in claimed],
                "now": self._now,
            },
        )
        if claimed[0].is_probe:
            await self._connection.execute(
                START_PROBE,
                {
                    "number": self._number_id,
                    "now": self._now,
                    "first": PROBE_AFTER,
                    "limit": PROBE_LIMIT,
                },
            )

    async def _settle(self, settled: Sequence[tuple[Queued, Decision]]) -> None:
        waiting = [(message, how) for message, how in settled if isinstance(how, Wait)]
        ended = [(message, how) for message, how in settled if isinstance(how, Suppress | Fail)]
        if waiting:
            await self._connection.execute(
                POSTPONE,
                {
                    "ids": [message.id for message, _ in waiting],
                    "times": [how.until for _, how in waiting],
                },
            )
        if not ended:
            return
        states = ["suppressed" if isinstance(how, Suppress) else "failed" for _, how in ended]
        reasons = [how.reason for _, how in ended]
        ids = [message.id for message, _ in ended]
        await self._connection.execute(
            GIVE_UP, {"ids": ids, "states": states, "reasons": reasons, "now": self._now}
        )
        for message, how in ended:
            self._transaction.publish(
                failure(message.id, message.user_id, message.kind, how.reason, self._now),
                traceparent=message.traceparent,
            )

    async def _end_attempts(self, finished: Sequence[Finished]) -> None:
        await self._connection.execute(
            END_ATTEMPTS,
            {
                "ids": [one.claimed.attempt_id for one in finished],
                "outcomes": [one.outcome for one in finished],
                "codes": [one.error_code for one in finished],
                "statuses": [one.http_status for one in finished],
                "now": self._now,
            },
        )

    async def _hold_people(self, finished: Sequence[Finished]) -> None:
        held = {
            one.claimed.person.user_id: until
            for one in finished
            if (until := one.hold_until(self._now)) is not None
        }
        if held:
            await self._connection.execute(
                HOLD, {"users": list(held), "times": list(held.values())}
            )
        forgiven = [
            one.claimed.person.user_id
            for one in finished
            if one.outcome == "accepted" and one.claimed.person.strikes
        ]
        if forgiven:
            await self._connection.execute(FORGIVE, {"users": forgiven})

    async def _pause_or_resume(self, finished: Sequence[Finished]) -> None:
        pausing = next((one for one in finished if one.pauses_number), None)
        if pausing is not None:
            await self._connection.execute(
                PAUSE_NUMBER,
                {
                    "number": self._number_id,
                    "now": self._now,
                    "code": pausing.error_code,
                    "probe_at": self._now + PROBE_AFTER,
                },
            )
        elif any(one.claimed.is_probe and one.outcome == "accepted" for one in finished):
            await self._connection.execute(RESUME, {"number": self._number_id})


def _queued(row: Row[tuple[object, ...]]) -> Queued:
    return Queued(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        purpose=row.purpose,
        values=row.words,
        received_at=row.received_at,
        expires_at=row.expires_at,
        tries=row.tries,
        waits=row.waits,
        resends=row.resends,
        must_be_template=row.must_be_template,
        traceparent=row.traceparent,
        attachment=Attachment.model_validate(row.attachment) if row.attachment else None,
    )
