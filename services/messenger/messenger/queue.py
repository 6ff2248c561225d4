"""Queries of the dispatcher: claim, record, sweep. The handlers' are in `store`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text

from common.database import Transaction
from common.events import Attachment
from common.events import Channel as ChannelName
from common.ids import new_id
from messenger.aliases import learn_aliases
from messenger.channels.waha_payloads import client_id, takes_client_id
from messenger.consequences import Consequences, lock_people
from messenger.delivery import failure
from messenger.errors_policy import Scope
from messenger.limits.budgets import Allowance
from messenger.limits.gate import Decided, Gate
from messenger.limits.pauses import Paused
from messenger.outcomes import Claimed, Finished, apply_outcome
from messenger.sending import (
    PAIR_MEMORY,
    Addressee,
    Decision,
    Fail,
    Hold,
    Queued,
    Send,
    Suppress,
    Wait,
    decide,
)
from messenger.tracking import Tracking
from messenger.waha.outreach import ANY, Opening, Outreach
from messenger.waha.pace import Pace
from messenger.waha.session_store import SessionStore

WINDOW = 4  # messages looked at for each that may be claimed: some belong to one person

# Whoever moves a message to `sending` holds its person's row. The messages are read by a second
# statement, whose snapshot is taken under those locks: it sees every earlier holder's work.
LOCK_PEOPLE = text(
    """
    WITH due AS (
        SELECT m.user_id, m.priority, m.not_before FROM messenger.messages AS m
        WHERE m.state = 'queued' AND m.held_for IS NULL AND m.channel = :channel
        AND m.not_before <= :now AND m.priority <= :lowest
        AND NOT EXISTS (
            SELECT 1 FROM messenger.messages AS other
            WHERE other.user_id = m.user_id AND other.state = 'sending')
        ORDER BY m.priority, m.not_before LIMIT :window)
    SELECT c.user_id, c.revision, c.state, c.language, c.address, c.name,
        CASE WHEN coalesce(c.last_inbound_number, :number) = :number THEN c.last_inbound_at END
            AS last_inbound_at,
        c.hold_until, c.strikes, c.channel, c.no_daily_until, c.undelivered_days,
        c.learned_names,
        CASE WHEN c.chat_for = c.address THEN c.chat_id END AS chat_id
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
        m.traceparent, m.attachment, m.channel, m.inbound_provider_id, m.is_fallback_language,
        lately.sent_lately, lately.last_sent_at
    FROM messenger.messages AS m CROSS JOIN LATERAL (
        SELECT count(*) AS sent_lately, max(sent.sending_at) AS last_sent_at
        FROM messenger.messages AS sent
        WHERE sent.user_id = m.user_id AND sent.sending_at > :lately_since) AS lately
    WHERE m.user_id = ANY(:users) AND m.state = 'queued' AND m.held_for IS NULL
        AND m.channel = :channel
        AND m.not_before <= :now AND m.priority <= :lowest
        AND NOT EXISTS (SELECT 1 FROM messenger.messages AS other
            WHERE other.user_id = m.user_id AND other.state = 'sending')
    ORDER BY m.user_id, m.priority, m.created_at, m.id
    """
)

START = text(
    """
    WITH starting AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS uuid[]),
            CAST(:templates AS text[]), CAST(:names AS text[]))
            AS s (id, attempt_id, template, provider_id)),
    recorded AS (
        INSERT INTO messenger.attempts (id, message_id, started_at)
        SELECT attempt_id, id, :now FROM starting)
    UPDATE messenger.messages AS m SET state = 'sending', sending_at = :now, tries = m.tries + 1,
        template = starting.template, is_template = starting.template IS NOT NULL,
        provider_id = CASE WHEN m.is_forgotten THEN NULL
            ELSE coalesce(starting.provider_id, m.provider_id) END
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
    " WHERE state = 'queued' AND held_for IS NULL AND channel = :channel AND not_before > :now"
)

HAVE_MORE = text(
    "SELECT EXISTS (SELECT 1 FROM messenger.messages"
    " WHERE user_id = ANY(:users) AND state = 'queued' AND channel = :channel"
    " AND held_for IS NULL AND not_before <= :now)"
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


@dataclass(frozen=True)
class Claim:
    """`sent` are to be sent now; `settled` were dealt with in other ways."""

    sent: tuple[Claimed, ...] = ()
    settled: tuple[tuple[Queued, Decision], ...] = ()
    next_due_at: datetime | None = None
    paused: Paused = field(default_factory=Paused)


class Queue:
    def __init__(
        self,
        transaction: Transaction,
        channel: ChannelName,
        number_id: str,
        now: datetime,
        *,
        pace: Pace | None = None,
        templates: Mapping[str, str] | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self._transaction = transaction
        self._gate = Gate(
            transaction, number_id, now, templates=templates or {}, allowance=allowance
        )
        self._outreach = Outreach(transaction, number_id, pace, now) if pace else None
        self._connection = transaction.connection
        self._channel = channel
        self._number_id = number_id
        self._now = now
        self._here: dict[str, object] = {"channel": channel, "now": now, "lowest": ANY}

    async def claim(self, slots: int, *, lowest_priority: int = ANY) -> Claim:
        """At most `slots` messages, one a person, that may leave now; the attempt of each is
        recorded. Those that may not are ended, postponed or held."""
        paused = await self._gate.look()
        if paused.is_all and not paused.is_probe_due(Scope.ALL, self._now):
            return Claim(next_due_at=paused.probe_times[Scope.ALL], paused=paused)
        opening = await self._outreach.open(slots) if self._outreach else Opening(slots)
        if opening.slots == 0:
            return Claim(next_due_at=opening.next_at, paused=paused)
        self._here["lowest"] = min(opening.lowest_priority, lowest_priority)
        people = await self._lock_people(1 if paused.is_all else opening.slots)
        if not people:
            return Claim(next_due_at=await self._next_due_at(), paused=paused)
        decided = await self._decide(people)
        sent = tuple(
            self._claimed(message, people[message.user_id], how)
            for message, how in decided
            if isinstance(how, Send)
        )
        await self._start(sent)
        settled = tuple(one for one in decided if not isinstance(one[1], Send))
        await self._settle(settled)
        return Claim(sent, settled, paused=paused)

    async def count_held(self) -> dict[str, int]:
        return await self._gate.count_held(self._channel)

    async def release(self) -> int:
        """Returns how many held messages go back to be claimed."""
        return await self._gate.release(self._channel)

    async def record(self, finished: Sequence[Finished]) -> bool:
        """What became of the calls: state, attempt and events in one transaction.

        Returns whether any of these people has another message that may go.
        """
        tracking = Tracking(self._transaction, self._now)
        refused = [told for one in finished if (told := one.refused)]
        accepted = [one.claimed for one in finished if one.outcome == "accepted"]
        forgiven = [claimed.person.user_id for claimed in accepted if claimed.person.strikes]
        concerned = [one.user_id for one in refused if one.concerns_person]
        await lock_people(self._transaction, concerned + forgiven)
        by_id = {one.claimed.message.id: one for one in finished}
        for message in await tracking.lock(list(by_id)):
            tracking.change(message, apply_outcome(message, by_id[message.id], self._now))
        await tracking.write()
        await self._end_attempts(finished)
        consequences = Consequences(self._transaction, self._number_id, self._now)
        await consequences.apply(refused)
        await consequences.forgive(forgiven)
        await consequences.end_pauses((one.probes for one in accepted if one.probes), refused)
        await learn_aliases(self._transaction, finished, self._now)
        if self._channel == "waha" and accepted:
            await SessionStore(self._transaction, self._now).wait_for_sign(self._number_id)
        users = [one.claimed.person.user_id for one in finished]
        waiting = await self._connection.execute(HAVE_MORE, {"users": users, **self._here})
        return bool(waiting.scalar_one())

    async def _decide(self, people: dict[UUID, Addressee]) -> list[Decided]:
        decided: list[Decided] = [
            (message, decide(message, people[message.user_id], self._now))
            for message in await self._next_of_each(list(people))
        ]
        if self._outreach is None:
            return await self._gate.admit(decided, people)
        admitted = await self._gate.admit(self._outreach.timed(decided), people)
        await self._outreach.leave_gap(admitted)
        return admitted

    def _claimed(self, message: Queued, person: Addressee, how: Send) -> Claimed:
        return Claimed(
            new_id(),
            message,
            person,
            how.is_template,
            template=self._gate.template_of(message, how),
            probes=self._gate.probes.get(message.id),
            at=self._now,
        )

    async def _lock_people(self, slots: int) -> dict[UUID, Addressee]:
        rows = await self._connection.execute(
            LOCK_PEOPLE,
            {
                **self._here,
                "slots": slots,
                "window": slots * WINDOW,
                "number": self._number_id,
            },
        )
        return {row.user_id: Addressee(**row._mapping) for row in rows}

    async def _next_of_each(self, users: list[UUID]) -> list[Queued]:
        rows = await self._connection.execute(
            NEXT_OF_EACH,
            {"users": users, "lately_since": self._now - PAIR_MEMORY, **self._here},
        )
        return [_queued(row) for row in rows]

    async def _next_due_at(self) -> datetime | None:
        found = await self._connection.execute(NEXT_DUE, self._here)
        at: datetime | None = found.scalar_one_or_none()
        return at

    def _name_of(self, message: Queued) -> str | None:
        """The id that WhatsApp will know it by, where we choose that: news of it may be faster
        than the answer to the call, and a crash in between finds out what became of it."""
        has_attachment = message.attachment is not None
        is_ours = self._channel == "waha" and takes_client_id(has_attachment=has_attachment)
        return client_id(message.id) if is_ours else None

    async def _start(self, claimed: Sequence[Claimed]) -> None:
        if not claimed:
            return
        await self._connection.execute(
            START,
            {
                "ids": [one.message.id for one in claimed],
                "attempts": [one.attempt_id for one in claimed],
                "templates": [one.template for one in claimed],
                "names": [self._name_of(one.message) for one in claimed],
                "now": self._now,
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
        held = {message.id: how.scope for message, how in settled if isinstance(how, Hold)}
        await self._gate.hold(held)
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
        channel=row.channel,
        answers=row.inbound_provider_id,
        is_fallback_language=row.is_fallback_language,
        sent_lately=row.sent_lately,
        last_sent_at=row.last_sent_at,
    )
