"""Stops asking a vendor that is down, so that every answer need not wait for its timeout."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic


class Circuit:
    """Opens after `limit` failures in a row; then lets one request through every `pause`."""

    def __init__(
        self,
        limit: int = 5,
        pause: timedelta = timedelta(seconds=30),
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._limit = limit
        self._pause = pause.total_seconds()
        self._now = now
        self._failures = 0
        self._closed_from = 0.0

    def lets_through(self) -> bool:
        if self._failures < self._limit:
            return True
        if self._now() < self._closed_from:
            return False
        self._closed_from = self._now() + self._pause
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures == self._limit:
            self._closed_from = self._now() + self._pause
