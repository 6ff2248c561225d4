import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from simulator.phones import Phone
from simulator.quirks import Quirks
from simulator.standing import StandingView
from simulator.template_records import TemplateRecord
from simulator.waha.server import WahaState

DEBOUNCE_SECONDS = 0.5


class State(BaseModel):
    """Everything but files and journals."""

    model_config = ConfigDict(extra="forbid")

    offset_seconds: float = 0
    phones: list[Phone] = []
    templates: list[TemplateRecord] = []
    standing: StandingView | None = None
    quirks: Quirks | None = None
    waha: WahaState = WahaState()

    def to_bytes(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class StateFile:
    """Keeps phones, transcripts, windows, templates and the clock over a restart."""

    def __init__(self, path: Path, export: Callable[[], State]) -> None:
        self._path = path
        self._export = export
        self._timer: asyncio.TimerHandle | None = None

    def read(self) -> State | None:
        if not self._path.exists():
            return None
        return State.model_validate_json(self._path.read_bytes())

    def touch(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.save)

    def save(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(self._path.name + ".new")
        with unfinished.open("wb") as file:
            file.write(self._export().to_bytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
