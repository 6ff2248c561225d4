import time


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
