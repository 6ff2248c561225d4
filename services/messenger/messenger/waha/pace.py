"""The pace of a person, which an unofficial client has to keep: WhatsApp bans what sends like a
machine. Rules only; `outreach` applies them to the queue, `channels.waha` to a call."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

SECONDS_A_CHARACTER = (0.04, 0.06)
LONGEST_TYPING = 8.0  # seconds
REPLY_GAP = (1.0, 3.0)  # seconds between two sends


@dataclass(frozen=True)
class Pace:
    """`factor` 0 takes all waiting away, for tests and the simulator."""

    factor: float = 1.0
    gap: timedelta = timedelta(seconds=30)
    """Between two people who have not asked: at least this, at most twice as much."""
    jitter: timedelta = timedelta(minutes=20)
    daily_limit: int = 250
    first_day_limit: int = 20
    """A new number begins with so many conversations a day, and may have as many more each day."""
    chance: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    def typing_seconds(self, text: str) -> float:
        seconds = len(text) * self.chance.uniform(*SECONDS_A_CHARACTER)
        return min(seconds, LONGEST_TYPING) * self.factor

    def reply_gap(self) -> timedelta:
        return timedelta(seconds=self.chance.uniform(*REPLY_GAP)) * self.factor

    def proactive_gap(self) -> timedelta:
        return self.gap * self.chance.uniform(1, 2) * self.factor

    def limit_on(self, now: datetime, first_working_at: datetime | None) -> int:
        """How many people may be written to in 24 hours, unasked."""
        age = now - first_working_at if first_working_at else timedelta()
        days = max(age // timedelta(days=1), 0)
        return min(self.daily_limit, self.first_day_limit * (days + 1))

    def due_at(self, user_id: UUID, received_at: datetime, expires_at: datetime | None) -> datetime:
        """When a daily message leaves: never at the same second for all, and for one person at
        another minute each day."""
        shift = self.jitter * _fraction(user_id, received_at.date().isoformat())
        due_at = received_at + shift
        if expires_at is None or due_at < expires_at:
            return due_at
        return received_at + (expires_at - received_at) / 2


def _fraction(*parts: object) -> float:
    """Between 0 and 1, always the same for the same parts."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
