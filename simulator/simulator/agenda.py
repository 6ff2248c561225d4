import asyncio
from collections.abc import Callable
from datetime import datetime

from simulator.clock import Clock


class Agenda:
    """Does things at an instant of the simulated clock, also when the clock jumps over it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[datetime, Callable[[], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        clock.on_change(self._wake)

    def at(self, instant: datetime, act: Callable[[], None]) -> None:
        self._due.append((instant, act))
        self._due.sort(key=lambda due: due[0])
        self._wake()

    def forget_all(self) -> None:
        self._due.clear()

    def _wake(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._due and self._due[0][0] <= self._clock.now():
            _, act = self._due.pop(0)
            act()
        if self._due:
            wait = (self._due[0][0] - self._clock.now()).total_seconds()
            self._timer = asyncio.get_running_loop().call_later(max(wait, 0), self._wake)
