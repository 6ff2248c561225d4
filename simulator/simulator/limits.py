import time
from datetime import datetime, timedelta

TIER_PERIOD = timedelta(hours=24)


class TokenBucket:
    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        grown = self._tokens + (now - self._filled_at) * self._per_second
        self._tokens, self._filled_at = min(self._burst, grown), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class PairLimit:
    """One message every 6 s to one person, of which 45 may be borrowed ahead."""

    def __init__(self) -> None:
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, number: str) -> bool:
        if number not in self._buckets:
            self._buckets[number] = TokenBucket(per_second=1 / 6, burst=45)
        return self._buckets[number].take()


class MessagingTier:
    """How many different people were written to outside a window in the last 24 hours."""

    def __init__(self) -> None:
        self._reached_at: dict[str, datetime] = {}

    def forget_all(self) -> None:
        self._reached_at.clear()

    def take(self, number: str, now: datetime, tier: int) -> bool:
        for known, reached_at in list(self._reached_at.items()):
            if now - reached_at >= TIER_PERIOD:
                del self._reached_at[known]
        if number not in self._reached_at and len(self._reached_at) >= tier:
            return False
        self._reached_at.setdefault(number, now)
        return True
