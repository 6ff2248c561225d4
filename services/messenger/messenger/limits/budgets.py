"""How many people may be reached outside their window in any 24 hours: counted once, by all
replicas together, when a message is claimed.

Each channel says its own limit (`Allowance`): WhatsApp's tier for the Cloud API, a daily cap with
a warm-up for WAHA.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction

Tier = Literal["250", "2000", "10000", "100000", "unlimited"]

DAY = timedelta(hours=24)
FIRST_SHARE = 80  # percent of a tier, until it is proven
STEP = 5  # percent more for each day without trouble
CLOUD = "cloud"
"""The tier belongs to the account; all its numbers share it."""

# The lock is taken by a statement of its own: the next one's snapshot sees every earlier holder's
# starts. It is held until the claim commits.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('sabatina budget ' || :number, 0))")

COUNT = text(
    """
    SELECT
        (SELECT count(*) FROM messenger.conversation_starts
            WHERE number_id = :number AND reached_at > :since) AS used,
        ARRAY(SELECT user_id FROM messenger.conversation_starts
            WHERE number_id = :number AND user_id = ANY(:users) AND reached_at > :since) AS counted
    """
)

# The latest time counts: who was reached 23 hours after the first time is in the next day's
# 24 hours too.
RECORD = text(
    """
    INSERT INTO messenger.conversation_starts AS known (number_id, user_id, reached_at)
    SELECT :number, unnest(CAST(:users AS uuid[])), :now
    ON CONFLICT (number_id, user_id)
        DO UPDATE SET reached_at = greatest(known.reached_at, excluded.reached_at)
    """
)

USED = text(
    "SELECT count(*) FROM messenger.conversation_starts"
    " WHERE number_id = :number AND reached_at > :since"
)

FORGET_OLD = text("DELETE FROM messenger.conversation_starts WHERE reached_at < :before")

TIER = text("SELECT tier, steady_since FROM messenger.limits WHERE channel = :channel")

BEGIN = text(
    "INSERT INTO messenger.limits (channel, steady_since) VALUES (:channel, :now)"
    " ON CONFLICT DO NOTHING"
)

ADOPT = text(
    """
    INSERT INTO messenger.limits AS known (channel, tier, told_at, steady_since)
    VALUES (:channel, :tier, :now, :now)
    ON CONFLICT (channel) DO UPDATE SET tier = excluded.tier, told_at = excluded.told_at,
        steady_since = CASE WHEN known.tier IS DISTINCT FROM excluded.tier
            THEN excluded.steady_since ELSE known.steady_since END
    """
)

TROUBLE = text(
    """
    INSERT INTO messenger.limits AS known (channel, steady_since) VALUES (:channel, :now)
    ON CONFLICT (channel) DO UPDATE SET steady_since = excluded.steady_since
    """
)


class Allowance(Protocol):
    """How many people one number of ours may reach, unasked, in any 24 hours."""

    async def people_per_day(self, transaction: Transaction, now: datetime) -> int | None:
        """None: any number."""
        ...


@dataclass(frozen=True)
class TierAllowance:
    """WhatsApp's messaging limit: what it told last, or else what the settings assume."""

    assumed: Tier

    async def people_per_day(self, transaction: Transaction, now: datetime) -> int | None:
        found = await transaction.connection.execute(TIER, {"channel": CLOUD})
        row = found.one_or_none()
        if row is None:
            await transaction.connection.execute(BEGIN, {"channel": CLOUD, "now": now})
            return usable(self.assumed, now, now)
        return usable(row.tier or self.assumed, row.steady_since, now)


class Budget:
    """The people that one number has reached, in the caller's transaction."""

    def __init__(self, transaction: Transaction, number_id: str, now: datetime) -> None:
        self._connection = transaction.connection
        self._number_id = number_id
        self._now = now
        self._since = {"number": number_id, "since": now - DAY}

    async def admit(self, users: Sequence[UUID], limit: int | None) -> frozenset[UUID]:
        """Those who may be reached now, counted from here on; the first ones go first.

        Whoever was reached in the last 24 hours is free. A claim that is never sent still counts:
        rather one too few than one too many.
        """
        admitted = list(users)
        if limit is not None:
            await self._connection.execute(LOCK, {"number": self._number_id})
            found = await self._connection.execute(COUNT, {"users": admitted, **self._since})
            row = found.one()
            counted = frozenset(row.counted)
            new = [user for user in users if user not in counted]
            allowed = frozenset(new[: max(limit - row.used, 0)])
            admitted = [user for user in users if user in counted or user in allowed]
        if admitted:
            await self._connection.execute(
                RECORD, {"number": self._number_id, "users": sorted(admitted), "now": self._now}
            )
        return frozenset(admitted)

    async def room(self, limit: int | None) -> int | None:
        """How many more would be admitted now; a claim decides for itself."""
        return None if limit is None else max(limit - await self.used(), 0)

    async def used(self) -> int:
        return int((await self._connection.execute(USED, self._since)).scalar_one())


async def forget_old(transaction: Transaction, now: datetime) -> None:
    await transaction.connection.execute(FORGET_OLD, {"before": now - 2 * DAY})


async def adopt_limit(transaction: Transaction, tier: Tier, now: datetime) -> None:
    """WhatsApp told the tier. Another one than before has to be proven anew."""
    await transaction.connection.execute(ADOPT, {"channel": CLOUD, "tier": tier, "now": now})


async def record_trouble(transaction: Transaction, now: datetime) -> None:
    """A spam limit or a drop in quality: the ramp begins again."""
    await transaction.connection.execute(TROUBLE, {"channel": CLOUD, "now": now})


def usable(tier: str, steady_since: datetime, now: datetime) -> int | None:
    """A part of the tier, growing with every day without trouble."""
    if tier == "unlimited":
        return None
    days = max((now - steady_since) // timedelta(days=1), 0)
    return int(tier) * min(FIRST_SHARE + STEP * days, 100) // 100
