from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


class TimeGoesBackwards(ValueError):
    def __init__(self) -> None:
        super().__init__("the clock only goes forward")


class Clock:
    """Real time plus an offset that only grows."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def advance(self, by: timedelta) -> None:
        if by < timedelta():
            raise TimeGoesBackwards
        self.offset += by
        for listener in self._listeners:
            listener()

    def move_to(self, instant: datetime) -> None:
        self.advance(instant.astimezone(UTC) - self.now())

    def adopt(self, offset: timedelta) -> None:
        """Takes over an offset from an earlier run, unless ours is already further ahead."""
        if offset > self.offset:
            self.advance(offset - self.offset)


def next_time_of_day(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    candidate = datetime.combine(local.date(), at, zone)
    if candidate <= local:
        candidate = datetime.combine(local.date() + timedelta(days=1), at, zone)
    return candidate
