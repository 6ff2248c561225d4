"""Watches a WAHA session: pauses, resumes and restarts it, and calls for a person."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

import structlog

from common.clock import Clock
from common.database import Database
from messenger import metrics
from messenger.channels import NotSent, OutcomeUnknown
from messenger.channels.waha_api import WahaApi, WahaSilent
from messenger.channels.waha_codes import SESSION_CODES
from messenger.errors_policy import SOON, Scope, label_for
from messenger.limits.pauses import Pause, Pauses
from messenger.waha.session_store import SessionStore, Watched
from messenger.waha.supervision import (
    MENDING,
    OTHER,
    SILENT_AFTER,
    STATUSES,
    UNREACHABLE,
    Session,
    Step,
    code_of,
    mended,
    seen,
    steps_for,
)

log = structlog.get_logger()

EVERY = 10.0  # seconds
OLDEST_VERSION = (2026, 7)
ENGINES = ("GOWS", "NOWEB")

HELP_REPEATED_AFTER = timedelta(hours=1)


class CatchUp(Protocol):
    async def __call__(self, watched: Watched, *, at_once: bool) -> None:
        """Fetches what was missed; called at every look while the session works."""
        ...


class Supervisor:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        api: WahaApi,
        *,
        catch_up: CatchUp,
        resumed: Callable[[], None],
        silent_after: timedelta = SILENT_AFTER,
    ) -> None:
        self._database = database
        self._clock = clock
        self._api = api
        self._catch_up = catch_up
        self._resumed = resumed
        self._silent_after = silent_after
        self._me = uuid4()
        self._wake = asyncio.Event()
        self._is_version_known = False
        self._called_at: datetime | None = None

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()

    async def look(self) -> None:
        """One look at the session, and what follows from it."""
        now = self._clock.now()
        watched = await self._claim(now)
        if watched is None:
            _measure(None)
            return
        await self._check_version()
        before = watched.session
        after = seen(before, await self._status(), now)
        steps = steps_for(before, after, now, self._silent_after)
        if before.status != after.status:
            log.warning("waha_session", status=_told(after.status))
        done = await self._mend(steps, after, now)
        await self._record(steps, done, now)
        _measure(done.status)
        if Step.RESUME in steps and MENDING.isdisjoint(steps):
            await self._catch_up(watched, at_once=Step.CATCH_UP in steps)

    async def _claim(self, now: datetime) -> Watched | None:
        async with self._database.transaction() as transaction:
            return await SessionStore(transaction, now).claim(self._api.session, self._me)

    async def _status(self) -> str:
        try:
            return await self._api.status()
        except WahaSilent:
            return UNREACHABLE

    async def _mend(self, steps: list[Step], session: Session, now: datetime) -> Session:
        step = next((step for step in steps if step in MENDING), None)
        if step is None:
            return session
        log.warning("waha_session_mended", step=step.value, status=_told(session.status))
        metrics.WAHA_MENDED.labels(step.value).inc()
        with suppress(NotSent, OutcomeUnknown):
            await (self._api.start() if step is Step.START else self._api.restart())
        return mended(session, now)

    async def _record(self, steps: list[Step], session: Session, now: datetime) -> None:
        name = self._api.session
        is_resumed = False
        async with self._database.transaction() as transaction:
            store, pauses = SessionStore(transaction, now), Pauses(transaction, name, now)
            await store.keep(name, session, is_mended=not MENDING.isdisjoint(steps))
            if Step.PAUSE in steps:
                await pauses.start([Pause(Scope.ALL, int(code_of(session.status)), SOON)])
            if Step.RESUME in steps and await store.paused_because(name) in SESSION_CODES:
                await pauses.end(Scope.ALL)
                is_resumed = True
        if is_resumed:
            log.info("waha_resumed")
            self._resumed()
        if Step.CALL_FOR_HELP in steps:
            self._call_for_help(session, now)

    def _call_for_help(self, session: Session, now: datetime) -> None:
        if self._called_at is None or now - self._called_at >= HELP_REPEATED_AFTER:
            self._called_at = now
            metrics.NEEDS_FIX.labels(label_for(code_of(session.status))).inc()
            log.error("waha_needs_a_person", status=_told(session.status))

    async def _check_version(self) -> None:
        if self._is_version_known:
            return
        with suppress(WahaSilent):
            version = await self._api.version()
            self._is_version_known = True
            if _numbers(version.version) < OLDEST_VERSION or version.engine not in ENGINES:
                log.warning("waha_unsuitable", version=version.version, engine=version.engine)


def _measure(status: str | None) -> None:
    """None: another replica watches, and tells."""
    told = _told(status) if status else None
    for known in (*STATUSES, OTHER):
        metrics.WAHA_SESSION.labels(known).set(known == told)


def _told(status: str) -> str:
    """Words of ours only: in labels and logs."""
    return status if status in STATUSES else OTHER


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
