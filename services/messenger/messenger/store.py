"""Queries of the handlers: people, and messages that enter the queue."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, text

from common.database import Transaction
from common.events import Contact, InboundRef, NoticeReceived, SendMessage
from common.ids import new_id
from messenger import metrics, models
from messenger.delivery import failure

FORGOTTEN = 2**62  # a revision that no later news exceeds
NOT_KNOWN_YET = -1
NEVER = datetime.min.replace(tzinfo=UTC)
PRIORITIES = {"reply": 0, "stop_confirmation": 0, "signup": 1, "daily": 2}

# WhatsApp's times are whole seconds: of two numbers in one second, the one heard of last counts.
ADOPT = text(
    """
    INSERT INTO messenger.contacts AS known
        (user_id, revision, state, language, channel, address, name, last_inbound_at,
            last_inbound_number)
    SELECT * FROM unnest(CAST(:users AS uuid[]), CAST(:revisions AS bigint[]),
        CAST(:states AS text[]), CAST(:languages AS text[]), CAST(:channels AS text[]),
        CAST(:addresses AS text[]), CAST(:names AS text[]), CAST(:inbounds AS timestamptz[]),
        CAST(:numbers AS text[]))
    ON CONFLICT (user_id) DO UPDATE SET
        (revision, state, language, channel, address, name) = (
            SELECT newer.revision, newer.state, newer.language, newer.channel, newer.address,
                newer.name
            FROM (VALUES (known.revision, known.state, known.language, known.channel,
                    known.address, known.name),
                (excluded.revision, excluded.state, excluded.language, excluded.channel,
                    excluded.address, excluded.name))
                AS newer (revision, state, language, channel, address, name)
            ORDER BY newer.revision DESC LIMIT 1),
        last_inbound_at = greatest(known.last_inbound_at, excluded.last_inbound_at),
        last_inbound_number = CASE
            WHEN excluded.last_inbound_at > coalesce(known.last_inbound_at, '-infinity')
                OR excluded.last_inbound_at = known.last_inbound_at
                AND excluded.last_inbound_number IS NOT NULL
            THEN excluded.last_inbound_number ELSE known.last_inbound_number END,
        undelivered_days = CASE
            WHEN excluded.last_inbound_at > coalesce(known.last_inbound_at, '-infinity')
            THEN 0 ELSE known.undelivered_days END
    WHERE known.state <> 'deleted' AND (excluded.revision > known.revision
        OR excluded.last_inbound_at > coalesce(known.last_inbound_at, '-infinity')
        OR excluded.last_inbound_at = known.last_inbound_at
            AND excluded.last_inbound_number <> known.last_inbound_number)
    RETURNING user_id
    """
)

# What waits for news of a person goes on; what is queued goes where the person is reached now.
# What was held is looked at again: their window may be open now.
WAKE = text(
    """
    UPDATE messenger.messages AS m SET channel = c.channel, held_for = NULL,
        not_before = CASE WHEN m.waits > 0 THEN least(m.not_before, :now) ELSE m.not_before END
    FROM messenger.contacts AS c
    WHERE c.user_id = m.user_id AND m.user_id = ANY(:users) AND m.state = 'queued'
        AND (m.channel <> c.channel OR m.held_for IS NOT NULL
            OR (m.waits > 0 AND m.not_before > :now))
    """
)

SUPPRESS = text(
    """
    UPDATE messenger.messages AS m SET state = 'suppressed', reason = c.state, failed_at = :now
    FROM messenger.contacts AS c
    WHERE c.user_id = m.user_id AND m.user_id = ANY(:users) AND m.state = 'queued'
        AND m.purpose IN ('daily', 'signup') AND c.revision >= 0
        AND c.state NOT IN ('active', 'pending')
    RETURNING m.id, m.user_id, m.kind, m.reason, m.traceparent
    """
)

BURY = text(
    """
    INSERT INTO messenger.contacts (user_id, revision, state, language, channel)
    SELECT unnest(CAST(:users AS uuid[])), :revision, 'deleted', 'en', 'cloud'
    ON CONFLICT (user_id) DO UPDATE SET revision = excluded.revision, state = 'deleted',
        address = NULL, name = NULL, last_inbound_at = NULL, hold_until = NULL, chat_id = NULL,
        chat_for = NULL, learned_names = NULL
    """
)

SUPPRESS_FORGOTTEN = text(
    "UPDATE messenger.messages SET state = 'suppressed', reason = 'deleted', failed_at = :now"
    " WHERE user_id = ANY(:users) AND state = 'queued'"
    " RETURNING id, user_id, kind, reason, traceparent"
)

FORGET_STATUSES = text(
    "DELETE FROM messenger.early_statuses WHERE provider_id IN"
    " (SELECT provider_id FROM messenger.messages WHERE user_id = ANY(:users))"
)

FORGET = text(
    """
    UPDATE messenger.messages SET "values" = '{}', attachment = NULL, inbound_provider_id = NULL,
        provider_id = NULL, refused_provider_id = NULL, is_forgotten = true
    WHERE user_id = ANY(:users)
    """
)

ENQUEUE = text(
    """
    INSERT INTO messenger.messages (id, user_id, channel, kind, purpose, priority, "values",
        attachment, inbound_provider_id, inbound_at, expires_at, traceparent, created_at,
        not_before, state, received_at)
    SELECT id, user_id, coalesce(new.channel, c.channel), kind, purpose, priority,
        CAST(words AS jsonb), CAST(attachment AS jsonb), inbound_provider_id, inbound_at,
        expires_at, traceparent, created_at, least(created_at, :now), 'queued', :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:kinds AS text[]),
        CAST(:purposes AS text[]), CAST(:priorities AS smallint[]), CAST(:words AS text[]),
        CAST(:inbound_ids AS text[]), CAST(:inbounds AS timestamptz[]),
        CAST(:expiries AS timestamptz[]), CAST(:traces AS text[]), CAST(:created AS timestamptz[]),
        CAST(:attachments AS text[]), CAST(:channels AS text[]))
        AS new (id, user_id, kind, purpose, priority, words, inbound_provider_id, inbound_at,
            expires_at, traceparent, created_at, attachment, channel)
    JOIN messenger.contacts AS c USING (user_id)
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class Person:
    """News of somebody: who they are, when they last wrote, or both."""

    user_id: UUID
    contact: Contact | None = None
    inbound_at: datetime | None = None
    number_id: str | None = None


@dataclass(frozen=True)
class Entering:
    command: SendMessage
    traceparent: str | None


class Store:
    def __init__(self, transaction: Transaction, now: datetime) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._now = now

    async def adopt(self, news: Iterable[Person]) -> bool:
        """Everybody named has a row afterwards, locked. Older news changes nothing.

        In the order of the ids, all in one statement: two batches cannot deadlock. Returns whether
        messages that waited for such news may go now.
        """
        people = _newest(news)
        contacts = [person.contact for person in people]
        changed = await self._connection.execute(
            ADOPT,
            {
                "users": [person.user_id for person in people],
                "revisions": [c.revision if c else NOT_KNOWN_YET for c in contacts],
                "states": [c.state if c else "unknown" for c in contacts],
                "languages": [c.language if c else "en" for c in contacts],
                "channels": [c.channel if c else "cloud" for c in contacts],
                "addresses": [c.address if c else None for c in contacts],
                "names": [_storable(c.name) if c and c.name else None for c in contacts],
                "inbounds": [person.inbound_at for person in people],
                "numbers": [person.number_id for person in people],
            },
        )
        users = [row.user_id for row in changed]
        if not users:
            return False
        woken = await self._connection.execute(WAKE, {"users": users, "now": self._now})
        await self._tell_suppressed(SUPPRESS, users)
        return woken.rowcount > 0

    async def enqueue(self, entering: Sequence[Entering]) -> None:
        ordered = sorted(entering, key=lambda one: one.command.message_id)
        commands = [one.command for one in ordered]
        await self._connection.execute(
            ENQUEUE,
            {
                "ids": [command.message_id for command in commands],
                "users": [command.user_id for command in commands],
                "kinds": [command.kind for command in commands],
                "purposes": [command.purpose for command in commands],
                "priorities": [PRIORITIES[command.purpose] for command in commands],
                "words": [_words(command.values) for command in commands],
                "inbound_ids": [c.inbound.provider_id if c.inbound else None for c in commands],
                "inbounds": [inbound_at(command, self._now) for command in commands],
                "expiries": [command.expires_at for command in commands],
                "traces": [one.traceparent for one in ordered],
                "created": [command.occurred_at for command in commands],
                "attachments": [_attachment(command) for command in commands],
                # A reply belongs where the person wrote, whatever we know of them by now.
                "channels": [c.inbound.channel if c.inbound else None for c in commands],
                "now": self._now,
            },
        )

    async def forget(self, users: Iterable[UUID]) -> None:
        """The rows stay, so that nothing is sent twice; nothing personal stays in them."""
        ids = sorted(set(users))
        await self._connection.execute(BURY, {"users": ids, "revision": FORGOTTEN})
        await self._tell_suppressed(SUPPRESS_FORGOTTEN, ids)
        await self._connection.execute(FORGET_STATUSES, {"users": ids})
        await self._connection.execute(FORGET, {"users": ids})

    async def keep_notice(self, notice: NoticeReceived) -> None:
        await self._connection.execute(
            insert(models.Notice).values(
                id=new_id(),
                channel=notice.channel,
                field=_storable(notice.field),
                original=_storable(notice.original),
                received_at=self._now,
            )
        )

    async def _tell_suppressed(self, statement: object, users: Sequence[UUID]) -> None:
        rows = await self._connection.execute(
            statement,  # type: ignore[call-overload]
            {"users": users, "now": self._now},
        )
        for row in rows:
            metrics.SUPPRESSED.labels(row.reason).inc()
            self._transaction.publish(
                failure(row.id, row.user_id, row.kind, row.reason, self._now),
                traceparent=row.traceparent,
            )


def inbound_at(command: SendMessage, now: datetime) -> datetime | None:
    return aware(command.inbound.at, now) if command.inbound else None


def number_of(inbound: InboundRef | None) -> str | None:
    return (inbound.number_id or None) if inbound else None


def aware(at: datetime, now: datetime) -> datetime:
    """Never later than now: a clock that is ahead must not keep the window open."""
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)


def _newest(news: Iterable[Person]) -> list[Person]:
    merged: dict[UUID, Person] = {}
    for person in news:
        known = merged.get(person.user_id)
        merged[person.user_id] = _merged(known, person) if known else person
    return [merged[user_id] for user_id in sorted(merged)]


def _merged(known: Person, other: Person) -> Person:
    contacts = [c for c in (known.contact, other.contact) if c]
    written = [p for p in (other, known) if p.inbound_at]
    latest = max(written, key=lambda p: p.inbound_at or NEVER, default=None)
    return Person(
        known.user_id,
        max(contacts, key=lambda c: c.revision, default=None),
        latest.inbound_at if latest else None,
        latest.number_id if latest else None,
    )


def _attachment(command: SendMessage) -> str | None:
    return command.attachment.model_dump_json() if command.attachment else None


def _words(values: Mapping[str, str]) -> str:
    return json.dumps({_storable(key): _storable(value) for key, value in values.items()})


def _storable(words: str) -> str:
    """PostgreSQL stores no NUL, and no half of a surrogate pair."""
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")
