"""What a refusal means beyond its own message: for the person, the number, the template."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text

from common.database import Transaction
from messenger import metrics
from messenger.errors_policy import Action, Person, Rule, Scope, label_for
from messenger.limits.budgets import record_trouble
from messenger.limits.pauses import Pause, Pauses, scope_of_template

log = structlog.get_logger()

QUIET_FOR = timedelta(hours=24)
HOLD_POWERS = 6  # 4^6 s is over an hour
PROACTIVE = frozenset({"daily", "signup"})

# Whoever changes people and messages takes the people first, as a claim does.
LOCK_PEOPLE = text(
    "SELECT 1 FROM messenger.contacts WHERE user_id = ANY(:users) ORDER BY user_id FOR UPDATE"
)

HOLD = text(
    """
    UPDATE messenger.contacts SET strikes = strikes + 1,
        hold_until = :now + interval '1 second' * power(4, least(strikes, :powers))
    WHERE user_id = ANY(:users)
    """
)

FORGIVE = text(
    "UPDATE messenger.contacts SET strikes = 0 WHERE user_id = ANY(:users) AND strikes > 0"
)

QUIET = text("UPDATE messenger.contacts SET no_daily_until = :until WHERE user_id = ANY(:users)")

# One failure a day counts, and none before the last proof that something arrives.
UNDELIVERED = text(
    """
    UPDATE messenger.contacts AS c SET undelivered_on = CAST(:now AS date),
        undelivered_days = CASE
            WHEN c.undelivered_on = CAST(:now AS date) THEN c.undelivered_days
            WHEN EXISTS (SELECT 1 FROM messenger.messages AS m WHERE m.user_id = c.user_id
                AND m.delivered_at > coalesce(c.undelivered_on, '-infinity')) THEN 1
            ELSE c.undelivered_days + 1 END
    WHERE c.user_id = ANY(:users)
    """
)

# Unless they have written since the message was claimed.
CLOSE_WINDOWS = text(
    """
    UPDATE messenger.contacts AS c SET last_inbound_at = NULL
    FROM unnest(CAST(:users AS uuid[]), CAST(:times AS timestamptz[])) AS sent (user_id, at)
    WHERE c.user_id = sent.user_id AND c.last_inbound_at <= sent.at
    """
)


@dataclass(frozen=True)
class Refused:
    """A message that WhatsApp did not take, or took and gave up."""

    user_id: UUID
    purpose: str
    rule: Rule
    code: int | None
    template: str | None
    claimed_at: datetime
    strikes: int = 0
    wait: timedelta = timedelta()
    """What WhatsApp asked for."""
    is_last_language: bool = False

    @property
    def pause(self) -> Pause | None:
        scope = self._scope
        if scope is None:
            return None
        return Pause(scope, self.code, self.rule.probing, self.wait)

    @property
    def _scope(self) -> str | None:
        if self.rule.action is Action.LANGUAGE and not self.is_last_language:
            return None
        if self.rule.scope is Scope.TEMPLATE:
            return scope_of_template(self.template) if self.template else None
        return self.rule.scope

    @property
    def concerns_person(self) -> bool:
        return self.rule.person is not None or self.rule.action is Action.PERSON

    def hold_until(self, now: datetime) -> datetime | None:
        """Meta's own formula: 4^n seconds, for this person only."""
        if self.rule.action is not Action.PERSON:
            return None
        return now + timedelta(seconds=4 ** min(self.strikes, HOLD_POWERS))


class Consequences:
    def __init__(self, transaction: Transaction, number_id: str, now: datetime) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._number_id = number_id
        self._now = now

    async def apply(self, refused: Sequence[Refused]) -> None:
        if not refused:
            return
        await self._tell_people_apart(refused)
        pauses = [pause for one in refused if (pause := one.pause)]
        if pauses and self._number_id:
            await Pauses(self._transaction, self._number_id, self._now).start(pauses)
        if any(pause.scope == Scope.DAILY for pause in pauses):
            await record_trouble(self._transaction, self._now)
        _tell_somebody(refused)

    async def forgive(self, users: Sequence[UUID]) -> None:
        """Something was accepted: the next wait of this person is a short one again."""
        if users:
            await self._connection.execute(FORGIVE, {"users": sorted(users)})

    async def end_pauses(self, scopes: Iterable[str], refused: Iterable[Refused]) -> None:
        """The probes came through; unless others that left at the same time did not."""
        begun = {pause.scope for one in refused if (pause := one.pause)}
        for scope in sorted(set(scopes) - begun):
            await Pauses(self._transaction, self._number_id, self._now).end(scope)

    async def _tell_people_apart(self, refused: Sequence[Refused]) -> None:
        held = sorted({one.user_id for one in refused if one.rule.action is Action.PERSON})
        if held:
            await self._connection.execute(
                HOLD, {"users": held, "powers": HOLD_POWERS, "now": self._now}
            )
        if quiet := _people(refused, Person.QUIET):
            until = self._now + QUIET_FOR
            await self._connection.execute(QUIET, {"users": quiet, "until": until})
        proactive = [one for one in refused if one.purpose in PROACTIVE]
        if undelivered := _people(proactive, Person.UNREACHABLE):
            await self._connection.execute(UNDELIVERED, {"users": undelivered, "now": self._now})
        closed = [one for one in refused if one.rule.person is Person.WINDOW_CLOSED]
        if closed:
            times = [one.claimed_at for one in closed]
            users = [one.user_id for one in closed]
            await self._connection.execute(CLOSE_WINDOWS, {"users": users, "times": times})


async def lock_people(transaction: Transaction, users: Iterable[UUID]) -> None:
    if ordered := sorted(set(users)):
        await transaction.connection.execute(LOCK_PEOPLE, {"users": ordered})


def _people(refused: Iterable[Refused], person: Person) -> list[UUID]:
    return sorted({one.user_id for one in refused if one.rule.person is person})


def _tell_somebody(refused: Iterable[Refused]) -> None:
    for one in refused:
        if one.rule.needs_fix:
            metrics.NEEDS_FIX.labels(label_for(one.code)).inc()
            log.error("whatsapp_refuses", code=one.code, action=one.rule.action.value)
