"""The sessions: a linked device each, with the states that WAHA reports."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from simulator.clock import Clock
from simulator.waha.errors import NotFound, SessionNotWorking, Unprocessable

_KEPT_STATUSES = 20


class SessionStatus(StrEnum):
    STOPPED = "STOPPED"
    STARTING = "STARTING"
    SCAN_QR_CODE = "SCAN_QR_CODE"
    PASSKEY_REQUIRED = "PASSKEY_REQUIRED"
    PASSKEY_CONFIRMATION_REQUIRED = "PASSKEY_CONFIRMATION_REQUIRED"
    WORKING = "WORKING"
    FAILED = "FAILED"


class Part(BaseModel):
    """Of a configuration: what the simulator does not act on is kept and shown again."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Hmac(Part):
    key: str | None = None


class Retries(Part):
    policy: Literal["constant", "linear", "exponential"] = "constant"
    delaySeconds: float = 2  # noqa: N815
    attempts: int = 15


class CustomHeader(Part):
    name: str
    value: str


class Hook(Part):
    url: str
    events: tuple[str, ...]
    hmac: Hmac | None = None
    retries: Retries | None = None
    customHeaders: tuple[CustomHeader, ...] = ()  # noqa: N815


class Ignore(Part):
    status: bool | None = None
    groups: bool | None = None
    channels: bool | None = None
    broadcast: bool | None = None


class SessionConfig(Part):
    metadata: dict[str, str] = {}
    ignore: Ignore | None = None
    webhooks: tuple[Hook, ...] = ()


class StatusPoint(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: SessionStatus
    timestamp: int


class Session(BaseModel):
    """`is_silent`: it says WORKING, but nothing comes in or goes out until it is restarted."""

    name: str
    status: SessionStatus = SessionStatus.STOPPED
    statuses: list[StatusPoint] = []
    config: SessionConfig = SessionConfig()
    is_paired: bool = False
    is_silent: bool = False
    qr: int = 0
    active_at: datetime | None = None

    @property
    def is_working(self) -> bool:
        return self.status is SessionStatus.WORKING

    @property
    def is_connected(self) -> bool:
        return self.is_working and not self.is_silent


class Sessions:
    def __init__(self, clock: Clock, starting_seconds: float) -> None:
        self._clock = clock
        self._starting_seconds = starting_seconds
        self._by_name: dict[str, Session] = {}
        self._starts: dict[str, asyncio.TimerHandle] = {}
        self._listeners: list[Callable[[Session], None]] = []

    def on_change(self, listener: Callable[[Session], None]) -> None:
        """Called after every change of a status."""
        self._listeners.append(listener)

    def all(self) -> list[Session]:
        return list(self._by_name.values())

    def find(self, name: str) -> Session | None:
        return self._by_name.get(name)

    def get(self, name: str) -> Session:
        session = self.find(name)
        if session is None:
            raise NotFound(f"We didn't find a session with name '{name}'.")
        return session

    def working(self, name: str) -> Session:
        session = self.get(name)
        if not session.is_working:
            raise SessionNotWorking(name, session.status)
        session.active_at = self._clock.now()
        return session

    def restore(self, sessions: list[Session]) -> None:
        """A server that comes back starts what was running, and needs no time for it."""
        for session in sessions:
            self._by_name[session.name] = session
            if session.status is SessionStatus.STARTING:
                session.status = SessionStatus.STOPPED

    def forget_all(self) -> None:
        self.cancel_starts()
        self._by_name.clear()

    def cancel_starts(self) -> None:
        for timer in self._starts.values():
            timer.cancel()
        self._starts.clear()

    def open(self, name: str, *, is_paired: bool) -> Session:
        """A session that has been running since before anybody looked."""
        status = SessionStatus.WORKING if is_paired else SessionStatus.SCAN_QR_CODE
        point = StatusPoint(status=status, timestamp=self._now_ms())
        session = Session(name=name, status=status, statuses=[point], is_paired=is_paired)
        self._by_name[name] = session
        return session

    def create(self, name: str, config: SessionConfig, *, starts: bool) -> Session:
        if name in self._by_name:
            raise Unprocessable(f"Session '{name}' already exists. Use PUT to update it.")
        session = Session(name=name, config=config)
        self._by_name[name] = session
        if starts:
            self.start(session)
        return session

    def update(self, session: Session, config: SessionConfig) -> None:
        session.config = config
        if session.status is not SessionStatus.STOPPED:
            self.restart(session)

    def delete(self, name: str) -> None:
        session = self.find(name)
        if session is not None:
            self.stop(session)
            del self._by_name[name]

    def start(self, session: Session) -> None:
        if session.status in (SessionStatus.STOPPED, SessionStatus.FAILED):
            self._begin(session)

    def stop(self, session: Session) -> None:
        self._cancel_start(session)
        if session.status is not SessionStatus.STOPPED:
            self.become(session, SessionStatus.STOPPED)

    def restart(self, session: Session) -> None:
        self.stop(session)
        self._begin(session)

    def logout(self, session: Session) -> None:
        was_running = session.status is not SessionStatus.STOPPED
        session.is_paired = False
        self.stop(session)
        if was_running:
            self._begin(session)

    def pair(self, session: Session) -> None:
        """Somebody scanned the code with the phone."""
        session.is_paired = True
        self._cancel_start(session)
        self.become(session, SessionStatus.WORKING)

    def become(self, session: Session, status: SessionStatus) -> None:
        session.status = status
        point = StatusPoint(status=status, timestamp=self._now_ms())
        session.statuses = [*session.statuses, point][-_KEPT_STATUSES:]
        if status is SessionStatus.SCAN_QR_CODE:
            session.qr += 1
        for listener in self._listeners:
            listener(session)

    def _begin(self, session: Session) -> None:
        session.is_silent = False
        self.become(session, SessionStatus.STARTING)
        self._cancel_start(session)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._starting_seconds, self._started, session)
        self._starts[session.name] = timer

    def _started(self, session: Session) -> None:
        self._starts.pop(session.name, None)
        ready = SessionStatus.WORKING if session.is_paired else SessionStatus.SCAN_QR_CODE
        self.become(session, ready)

    def _cancel_start(self, session: Session) -> None:
        timer = self._starts.pop(session.name, None)
        if timer:
            timer.cancel()

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
