"""Posts events. What a gateway does not take in time is gone: WAHA keeps its retries in memory."""

import asyncio
import hashlib
import hmac
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import aiohttp

from simulator.clock import Clock
from simulator.faults import FaultOrder, Faults, Kind, Target
from simulator.journal import Journal
from simulator.settings import Settings
from simulator.waha.ids import Ids
from simulator.waha.sessions import Hook, Retries, Session
from simulator.waha.wire import VERSION, Json, milliseconds

_ON_ENQUEUE = {Kind.DROP, Kind.DUPLICATE, Kind.REORDER, Kind.DELAY}
_STATUS_EVENTS = {"message.ack", "session.status"}


@dataclass(frozen=True, slots=True)
class Event:
    """One envelope on its way to one hook. `lane` is whose events are first tried in order."""

    body: Json
    hook: Hook
    lane: str
    at: datetime

    @property
    def target(self) -> Target:
        return "status" if self.body["event"] in _STATUS_EVENTS else "webhook"


@dataclass(slots=True)
class Losses:
    """What was given up, and what is still being tried."""

    dropped: int = 0
    waiting: int = 0


class WahaWebhooks:
    def __init__(
        self, settings: Settings, clock: Clock, faults: Faults, *, journal: Journal, ids: Ids
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._ids = ids
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, Event] = {}
        self._http: aiohttp.ClientSession | None = None
        self.losses = Losses()

    async def stop(self) -> None:
        self.forget_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()
            self._http = None

    def forget_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._held.clear()
        self.losses = Losses()

    def hooks_of(self, session: Session) -> tuple[Hook, ...]:
        """The server's own hook and the session's: with both, everything is told twice."""
        return (*self._own_hook(), *session.config.webhooks)

    def _own_hook(self) -> tuple[Hook, ...]:
        events = self._settings.waha_events
        return (Hook(url=self._settings.waha_webhook_url, events=events),) if events else ()

    def post(self, event: Event) -> None:
        fault = self._faults.strike(event.target, _ON_ENQUEUE, event.lane, "waha")
        if fault:
            self._post_with(fault, event)
        else:
            self._launch(event)
            self._release(event.lane)

    def _post_with(self, fault: FaultOrder, event: Event) -> None:
        seconds = fault.delay.total_seconds()
        if fault.kind is Kind.DUPLICATE:
            self._launch(event)
            self._launch(replace(event, body=event.body | {"id": self._ids.event(event.at)}))
        elif fault.kind is Kind.DELAY:
            self._launch(event, seconds)
        elif fault.kind is Kind.REORDER and event.lane not in self._held:
            self._held[event.lane] = event
            asyncio.get_running_loop().call_later(seconds, self._release, event.lane)
        elif fault.kind is Kind.REORDER:
            self._launch(event)
            self._release(event.lane)

    def _release(self, lane: str) -> None:
        held = self._held.pop(lane, None)
        if held:
            self._launch(held)

    def _launch(self, event: Event, wait_seconds: float = 0) -> None:
        task = asyncio.create_task(self._deliver(event, wait_seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event: Event, wait_seconds: float) -> None:
        self.losses.waiting += 1
        try:
            await asyncio.sleep(wait_seconds)
            if not await self._is_delivered(event):
                self.losses.dropped += 1
        finally:
            self.losses.waiting -= 1

    async def _is_delivered(self, event: Event) -> bool:
        body = json.dumps(event.body, ensure_ascii=False, separators=(",", ":")).encode()
        request_id = self._ids.request()
        async with self._lanes[event.lane]:
            offset = self._clock.offset
            if await self._is_taken(event, body, request_id, 1):
                return True
        pauses = _pauses(self._retries(event.hook))
        spare = sum(pauses, timedelta())
        for attempt, pause in enumerate(pauses, start=2):
            await asyncio.sleep(pause.total_seconds())
            spare -= pause
            if self._clock.offset - offset > spare:
                return False  # the clock was moved over all attempts that were left
            if await self._is_taken(event, body, request_id, attempt):
                return True
        return False

    def _retries(self, hook: Hook) -> Retries:
        return hook.retries or Retries(
            policy=self._settings.simulator_waha_retry_policy,
            delaySeconds=self._settings.simulator_waha_retry_delay_seconds,
            attempts=self._settings.simulator_waha_retry_attempts,
        )

    async def _is_taken(self, event: Event, body: bytes, request_id: str, attempt: int) -> bool:
        key = event.hook.hmac.key if event.hook.hmac else None
        secret = (key or self._settings.waha_hmac_key.get_secret_value()).encode()
        if self._faults.strike(event.target, {Kind.BAD_SIGNATURE}, event.lane, "waha"):
            await self._attempt(event, body, self._headers(event, body, request_id, b"not it"))
        headers = self._headers(event, body, request_id, secret)
        status = await self._attempt(event, body, headers, attempt)
        return status is not None and 200 <= status < 300

    def _headers(self, event: Event, body: bytes, request_id: str, secret: bytes) -> dict[str, str]:
        own = {header.name: header.value for header in event.hook.customHeaders}
        return own | {
            "Content-Type": "application/json",
            "User-Agent": f"WAHA/{VERSION}",
            "X-Webhook-Request-Id": request_id,
            "X-Webhook-Timestamp": str(milliseconds(self._clock.now())),
            "X-Webhook-Hmac": hmac.new(secret, body, hashlib.sha512).hexdigest(),
            "X-Webhook-Hmac-Algorithm": "sha512",
        }

    async def _attempt(
        self, event: Event, body: bytes, headers: dict[str, str], attempt: int = 1
    ) -> int | None:
        status = await self._post_bytes(event.hook.url, body, headers)
        self._journal.record(
            method="POST",
            path="/webhook/waha",
            body=body,
            at=self._clock.now(),
            status=status,
            attempt=attempt,
        )
        return status

    async def _post_bytes(self, url: str, body: bytes, headers: dict[str, str]) -> int | None:
        try:
            async with self._session().post(url, data=body, headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            seconds = self._settings.simulator_webhook_timeout_seconds
            limit = self._settings.simulator_webhook_connections
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=limit),
                timeout=aiohttp.ClientTimeout(total=seconds),
            )
        return self._http


def _pauses(retries: Retries) -> list[timedelta]:
    steps = range(1, retries.attempts + 1)
    factors = {
        "constant": [1.0 for _ in steps],
        "linear": [float(step) for step in steps],
        "exponential": [2.0 ** (step - 1) for step in steps],
    }
    return [timedelta(seconds=retries.delaySeconds * f) for f in factors[retries.policy]]
