"""What is held back, and until when. A row in `pauses` holds a scope of one number's messages.

`all` stops the claiming itself. The messages of any smaller scope are marked with it when they are
claimed, so that they are looked at once and not at every turn; the mark is taken away when the
pause has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from common.events import Channel as ChannelName
from common.events import Purpose
from messenger.errors_policy import Probing, Scope

BUDGET = "budget"
"""Not a pause: the people of the day are used up."""
RELEASED_AT_ONCE = 1_000

FIND = text("SELECT scope, probe_at, error_code FROM messenger.pauses WHERE number_id = :number")

START = text(
    """
    INSERT INTO messenger.pauses
        (number_id, scope, paused_at, error_code, probe_at, first_pause, longest_pause)
    VALUES (:number, :scope, :now, :code, :probe_at, :first, :longest)
    ON CONFLICT (number_id, scope) DO UPDATE SET error_code = excluded.error_code
    """
)

# Of two replicas that would probe at once, the second finds the time moved.
TAKE_PROBE = text(
    """
    UPDATE messenger.pauses SET probes = probes + 1,
        probe_at = :now + least(first_pause * power(2, least(probes + 1, 10)), longest_pause)
    WHERE number_id = :number AND scope = :scope AND probe_at <= :now
    RETURNING scope
    """
)

END = text(
    "DELETE FROM messenger.pauses WHERE scope = :scope"
    " AND number_id = coalesce(CAST(:number AS text), number_id)"
)

HOLD = text(
    """
    UPDATE messenger.messages AS m SET held_for = held.scope
    FROM unnest(CAST(:ids AS uuid[]), CAST(:scopes AS text[])) AS held (id, scope)
    WHERE m.id = held.id
    """
)

# Expired ones go back to be ended; the others when their pause is over, or when their kind has got
# another template. Those that somebody else has in hand are left for the next time.
RELEASE = text(
    """
    UPDATE messenger.messages SET held_for = NULL WHERE id IN (
        SELECT m.id FROM messenger.messages AS m
        WHERE m.state = 'queued' AND m.held_for IS NOT NULL AND m.channel = :channel
            AND (m.expires_at <= :now
                OR m.held_for LIKE 'template:%' AND m.held_for <> ALL(:templates)
                OR m.held_for <> 'budget' AND NOT EXISTS (
                SELECT 1 FROM messenger.pauses AS p
                WHERE p.number_id = :number AND p.scope = m.held_for))
        LIMIT :limit FOR UPDATE SKIP LOCKED)
    """
)

# Somebody of the scope has to be there to try whether the pause is over.
RELEASE_PROBES = text(
    """
    UPDATE messenger.messages SET held_for = NULL WHERE id IN (
        SELECT found.id FROM messenger.pauses AS p CROSS JOIN LATERAL (
            SELECT m.id FROM messenger.messages AS m
            WHERE m.state = 'queued' AND m.held_for = p.scope AND m.channel = :channel
            ORDER BY m.priority, m.not_before LIMIT 1 FOR UPDATE SKIP LOCKED) AS found
        WHERE p.number_id = :number AND p.probe_at <= :now)
    """
)

RELEASE_BUDGET = text(
    """
    UPDATE messenger.messages SET held_for = NULL WHERE id IN (
        SELECT m.id FROM messenger.messages AS m
        WHERE m.state = 'queued' AND m.held_for = 'budget' AND m.channel = :channel
        ORDER BY m.priority, m.not_before LIMIT :limit FOR UPDATE SKIP LOCKED)
    """
)

COUNT_HELD = text(
    "SELECT split_part(held_for, ':', 1) AS scope, count(*) AS held FROM messenger.messages"
    " WHERE state = 'queued' AND held_for IS NOT NULL AND channel = :channel GROUP BY 1"
)


@dataclass(frozen=True)
class Pause:
    """To be begun. `probing` None: only news ends it."""

    scope: str
    code: int | None
    probing: Probing | None
    at_least: timedelta = timedelta()

    def first_probe_at(self, now: datetime) -> datetime | None:
        return now + max(self.probing.first, self.at_least) if self.probing else None


@dataclass(frozen=True)
class Paused:
    """What is paused at the moment, with the time of the next probe of each."""

    probe_times: Mapping[str, datetime | None] = field(default_factory=dict)

    @property
    def is_all(self) -> bool:
        return Scope.ALL in self.probe_times

    @property
    def is_daily(self) -> bool:
        return Scope.DAILY in self.probe_times

    def is_probe_due(self, scope: str, now: datetime) -> bool:
        probe_at = self.probe_times[scope]
        return probe_at is not None and probe_at <= now

    def holding(self, purpose: Purpose, template: str | None) -> str | None:
        """The scope that holds such a message back."""
        return next((s for s in scopes_of(purpose, template) if s in self.probe_times), None)


def scopes_of(purpose: Purpose, template: str | None) -> tuple[str, ...]:
    """The pauses, besides that of everything, that a message can be held by."""
    daily = (str(Scope.DAILY),) if purpose == "daily" else ()
    if template is None:
        return daily
    return (*daily, str(Scope.TEMPLATES), scope_of_template(template))


def scope_of_template(name: str) -> str:
    return f"{Scope.TEMPLATE}:{name}"


class Pauses:
    def __init__(self, transaction: Transaction, number_id: str, now: datetime) -> None:
        self._connection = transaction.connection
        self._number_id = number_id
        self._now = now

    async def find(self) -> Paused:
        rows = await self._connection.execute(FIND, {"number": self._number_id})
        return Paused({row.scope: row.probe_at for row in rows})

    async def start(self, pauses: Sequence[Pause]) -> None:
        """A scope that is paused already keeps its probes."""
        for pause in {pause.scope: pause for pause in pauses}.values():
            probing = pause.probing or Probing(timedelta(), timedelta())
            await self._connection.execute(
                START,
                {
                    "number": self._number_id,
                    "scope": pause.scope,
                    "now": self._now,
                    "code": pause.code,
                    "probe_at": pause.first_probe_at(self._now),
                    "first": probing.first,
                    "longest": max(probing.longest, pause.at_least),
                },
            )

    async def take_probe(self, scope: str) -> bool:
        """One message of the scope may go now; the next one after a longer pause."""
        taken = await self._connection.execute(
            TAKE_PROBE, {"number": self._number_id, "scope": scope, "now": self._now}
        )
        return taken.one_or_none() is not None

    async def end(self, scope: str) -> None:
        await self._connection.execute(END, {"number": self._number_id, "scope": scope})

    async def hold(self, held: Mapping[UUID, str]) -> None:
        await self._connection.execute(HOLD, {"ids": list(held), "scopes": list(held.values())})

    async def release(self, channel: ChannelName, templates: Sequence[str]) -> int:
        """What need not be held any more, and one of each scope whose probe is due.

        `templates` are the names that are sent at present."""
        here = {"number": self._number_id, "channel": channel, "now": self._now}
        sent = [scope_of_template(name) for name in templates]
        over = await self._connection.execute(
            RELEASE, {**here, "templates": sent, "limit": RELEASED_AT_ONCE}
        )
        probes = await self._connection.execute(RELEASE_PROBES, here)
        return over.rowcount + probes.rowcount

    async def release_budget(self, channel: ChannelName, room: int | None) -> int:
        limit = RELEASED_AT_ONCE if room is None else min(room, RELEASED_AT_ONCE)
        released = await self._connection.execute(
            RELEASE_BUDGET, {"channel": channel, "limit": limit}
        )
        return released.rowcount

    async def count_held(self, channel: ChannelName) -> dict[str, int]:
        """By scope; all templates count as one."""
        rows = await self._connection.execute(COUNT_HELD, {"channel": channel})
        return {row.scope: row.held for row in rows}


async def resume(transaction: Transaction, number_id: str | None, scope: str) -> None:
    """The pause is over. Without a number: of every number, as for a template that is back."""
    await transaction.connection.execute(END, {"number": number_id, "scope": scope})
