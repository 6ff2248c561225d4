import asyncio
import os
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from simulator.clock import Clock
from simulator.phones import Phone, Phones

DEBOUNCE_SECONDS = 0.5


class State(BaseModel):
    offset_seconds: float
    phones: list[Phone]


class StateFile:
    """Keeps phones, transcripts, windows and the clock over a restart."""

    def __init__(self, path: Path, clock: Clock, phones: Phones) -> None:
        self._path = path
        self._clock = clock
        self._phones = phones
        self._timer: asyncio.TimerHandle | None = None

    def load(self) -> None:
        if not self._path.exists():
            return
        state = State.model_validate_json(self._path.read_bytes())
        self._clock.adopt(timedelta(seconds=state.offset_seconds))
        for phone in state.phones:
            self._phones.restore(phone)

    def touch(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.save)

    def save(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        state = State(offset_seconds=self._clock.offset.total_seconds(), phones=self._phones.all())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(self._path.name + ".new")
        with unfinished.open("wb") as file:
            file.write(state.model_dump_json(by_alias=True, exclude_none=True).encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
