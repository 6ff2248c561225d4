"""What the model may cost: a day's money and tokens, and how often one person may have it.

The amounts are reserved before a request and settled after it, in PostgreSQL, so that all replicas
together keep them. What a crash leaves reserved counts as spent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

import structlog
from sqlalchemy import text

from common.clock import Clock
from common.database import Database
from grader.examiners import Examination, Examiner, ExaminerFailed, FailureReason, Usage
from grader.settings import Price, Settings

log = structlog.get_logger()

RESERVED_IN, RESERVED_OUT = 3_000, 1_500
"""Tokens; a long answer with all anchors, its repair not included, takes about so many."""

FREE: frozenset[FailureReason] = frozenset(
    {"unreachable", "rate_limited", "server_error", "rejected"}
)
"""Requests that end so are not charged: an outage does not eat the budget up."""

TAKE_PERSON = text(
    """
    INSERT INTO grader.llm_person_days AS known (day, user_id, examinations)
    VALUES (:day, :user_id, 1)
    ON CONFLICT (day, user_id) DO UPDATE SET examinations = known.examinations + 1
        WHERE known.examinations < :limit
    RETURNING 1
    """
)
OPEN_DAY = text("INSERT INTO grader.llm_days (day) VALUES (:day) ON CONFLICT DO NOTHING")
TAKE_DAY = text(
    """
    UPDATE grader.llm_days
    SET examinations = examinations + 1, tokens = tokens + :tokens, cost_usd = cost_usd + :cost
    WHERE day = :day
        AND (CAST(:most_tokens AS bigint) IS NULL OR tokens + :tokens <= :most_tokens)
        AND (CAST(:most_usd AS numeric) IS NULL OR cost_usd + :cost <= :most_usd)
    RETURNING 1
    """
)
SETTLE_DAY = text(
    """
    UPDATE grader.llm_days
    SET examinations = examinations - :unused, tokens = tokens + :tokens,
        cost_usd = cost_usd + :cost
    WHERE day = :day
    """
)
GIVE_BACK_PERSON = text(
    """
    UPDATE grader.llm_person_days SET examinations = examinations - 1
    WHERE day = :day AND user_id = :user_id
    """
)


@dataclass(frozen=True)
class Reservation:
    day: date
    user_id: UUID
    tokens: int
    cost: Decimal
    price: Price | None


@dataclass(frozen=True)
class Limits:
    usd: Decimal | None = None
    tokens: int | None = None
    per_person: int = 1_000_000

    @classmethod
    def from_settings(cls, settings: Settings) -> "Limits":
        return cls(
            settings.grader_daily_budget_usd,
            settings.grader_daily_tokens,
            settings.grader_daily_per_person,
        )


@dataclass
class Purse:
    database: Database
    clock: Clock
    limits: Limits = Limits()
    prices: Mapping[str, Price] = field(default_factory=dict)
    _told_on: date | None = None

    async def reserve(self, examiner: Examiner, user_id: UUID) -> Reservation:
        """Raises ExaminerFailed when the day's budget or the person's share is used up."""
        day = self.clock.now().date()
        price = self.prices.get(examiner.model)
        cost = price.of(RESERVED_IN, RESERVED_OUT) if price else Decimal(0)
        reservation = Reservation(day, user_id, RESERVED_IN + RESERVED_OUT, cost, price)
        if (lacking := await self._take(reservation)) is None:
            return reservation
        if lacking == "budget_spent" and self._told_on != day:
            self._told_on = day
            log.warning("llm_budget_spent", day=day.isoformat())
        raise ExaminerFailed(lacking)

    async def settle(self, reservation: Reservation, used: Usage) -> None:
        """What is not known to have been used less stays as it was reserved."""
        if used.is_unknown:
            return
        price = reservation.price
        tokens = used.tokens_in + used.tokens_out
        cost = price.of(used.tokens_in, used.tokens_out) if price else Decimal(0)
        changes = {
            "day": reservation.day,
            "unused": 0 if used.requests else 1,
            "tokens": tokens - reservation.tokens,
            "cost": cost - reservation.cost,
        }
        person = {"day": reservation.day, "user_id": reservation.user_id}
        async with self.database.transaction() as transaction:
            if not used.requests:
                await transaction.connection.execute(GIVE_BACK_PERSON, person)
            await transaction.connection.execute(SETTLE_DAY, changes)

    async def _take(self, wanted: Reservation) -> FailureReason | None:
        person = {"day": wanted.day, "user_id": wanted.user_id, "limit": self.limits.per_person}
        amounts = {
            "day": wanted.day,
            "tokens": wanted.tokens,
            "cost": wanted.cost,
            "most_tokens": self.limits.tokens,
            "most_usd": self.limits.usd,
        }
        async with self.database.transaction() as transaction:
            connection = transaction.connection
            if (await connection.execute(TAKE_PERSON, person)).first() is None:
                return "person_limit"
            await connection.execute(OPEN_DAY, {"day": wanted.day})
            if (await connection.execute(TAKE_DAY, amounts)).first() is None:
                await connection.execute(GIVE_BACK_PERSON, person)
                return "budget_spent"
        return None


def used_by(ended: Examination | ExaminerFailed) -> Usage:
    if isinstance(ended, ExaminerFailed):
        is_free = ended.reason in FREE and ended.used.is_unknown
        return Usage() if is_free else ended.used
    return Usage(ended.requests, ended.tokens_in, ended.tokens_out)
