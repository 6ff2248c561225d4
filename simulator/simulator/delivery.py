import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as own

import aiohttp

from simulator.clock import Clock
from simulator.faults import FaultOrder, Faults, Kind, Target
from simulator.journal import Journal
from simulator.settings import Settings
from simulator.webhooks import Account, Change, Value
from simulator.wire import Wire

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0
LONGEST_CONNECT_SECONDS = 1.0
WEBHOOK_PATH = "/webhook/whatsapp"
_ON_ENQUEUE = {Kind.DROP, Kind.DUPLICATE, Kind.REORDER, Kind.DELAY}
_ON_POST = {Kind.BAD_SIGNATURE}


@dataclass(slots=True)
class Update:
    """One message, status or notice on its way to the gateway."""

    value: Wire
    phone: str
    on_delivered: Callable[[], None] | None = None
    field: str = "messages"
    not_before: float = 0
    first_tried: float | None = None

    @property
    def is_status(self) -> bool:
        return isinstance(self.value, Value) and self.value.statuses is not None

    @property
    def change(self) -> Change:
        return Change(value=self.value, field=self.field)


@dataclass(slots=True)
class Lane:
    """One phone's updates, in order. A lane that waits for a retry holds up no other."""

    updates: deque[Update] = own(default_factory=deque)
    held: Update | None = None
    is_scheduled: bool = False
    failures: int = 0


class WebhookDelivery:
    """Posts signed updates until the gateway answers 200."""

    def __init__(
        self, settings: Settings, account: Account, clock: Clock, faults: Faults, journal: Journal
    ) -> None:
        self._settings = settings
        self._account = account
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._lanes: dict[str, Lane] = {}
        self._ready: asyncio.Queue[Lane] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._connect_failures = 0
        self._connect_again_at = 0.0

    async def start(self) -> None:
        connections = self._settings.simulator_webhook_connections
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=self._settings.simulator_webhook_timeout_seconds),
        )
        self._workers = [asyncio.create_task(self._work()) for _ in range(connections)]

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._session.close()

    def count_queued(self) -> int:
        return sum(len(lane.updates) + (lane.held is not None) for lane in self._lanes.values())

    def forget_all(self) -> None:
        for lane in self._lanes.values():
            lane.updates.clear()
            lane.held = None
        self._lanes.clear()

    def enqueue(self, update: Update) -> None:
        lane = self._lanes.setdefault(update.phone, Lane())
        fault = self._strike(update, _ON_ENQUEUE)
        if fault is None:
            self._append(lane, update)
        else:
            self._append_with(fault, lane, update)
        self._schedule(lane)

    def _strike(self, update: Update, kinds: set[Kind]) -> FaultOrder | None:
        target: Target = "status" if update.is_status else "webhook"
        return self._faults.strike(target, kinds, update.phone)

    def _append(self, lane: Lane, update: Update) -> None:
        lane.updates.append(update)
        if lane.held is not None:
            lane.updates.append(lane.held)
            lane.held = None

    def _append_with(self, fault: FaultOrder, lane: Lane, update: Update) -> None:
        seconds = fault.delay.total_seconds()
        if fault.kind is Kind.REORDER and lane.held is None:
            lane.held = update
            self._loop.call_later(seconds, self._release, lane, update)
        elif fault.kind is not Kind.DROP:
            if fault.kind is Kind.DELAY:
                update.not_before = self._loop.time() + seconds
            if fault.kind is Kind.DUPLICATE:
                lane.updates.append(update)
            self._append(lane, update)

    def _release(self, lane: Lane, update: Update) -> None:
        """Nothing came after the held update that it could be swapped with."""
        if lane.held is update:
            lane.held = None
            lane.updates.append(update)
            self._schedule(lane)

    def _schedule(self, lane: Lane, wait: float = 0) -> None:
        if lane.is_scheduled or not lane.updates:
            return
        lane.is_scheduled = True
        wait = max(wait, lane.updates[0].not_before - self._loop.time())
        if wait > 0:
            self._loop.call_later(wait, self._ready.put_nowait, lane)
        else:
            self._ready.put_nowait(lane)

    async def _work(self) -> None:
        while True:
            lanes = [await self._ready.get()]
            while len(lanes) < self._settings.simulator_webhook_batch and not self._ready.empty():
                lanes.append(self._ready.get_nowait())
            await self._until_worth_connecting()
            heads = [(lane, lane.updates[0]) for lane in lanes if lane.updates]
            answer = await self._post([update for _, update in heads]) if heads else None
            for lane in lanes:
                lane.is_scheduled = False
            for lane, update in heads:
                self._settle(lane, update, is_delivered=answer == 200)

    async def _until_worth_connecting(self) -> None:
        """While nobody listens, thousands of lanes must not each try for themselves."""
        pause = self._connect_again_at - self._loop.time()
        if pause > 0:
            await asyncio.sleep(pause)

    def _count_connect_failure(self) -> None:
        self._connect_failures += 1
        pause = min(_pause_after(self._connect_failures), LONGEST_CONNECT_SECONDS)
        self._connect_again_at = self._loop.time() + pause

    def _settle(self, lane: Lane, update: Update, *, is_delivered: bool) -> None:
        if not lane.updates or lane.updates[0] is not update:
            return  # everything was forgotten meanwhile
        if is_delivered:
            lane.failures = 0
            lane.updates.popleft()
            if update.on_delivered:
                update.on_delivered()
        elif self._is_too_old(update):
            lane.failures = 0
            lane.updates.popleft()
        else:
            lane.failures += 1
        if lane.updates:
            self._schedule(lane, _pause_after(lane.failures))
        elif lane.held is None:
            self._lanes.pop(update.phone, None)

    def _is_too_old(self, update: Update) -> bool:
        age = self._loop.time() - (update.first_tried or self._loop.time())
        return age > self._settings.simulator_webhook_retry_seconds

    async def _post(self, updates: list[Update]) -> int | None:
        """The gateway's HTTP status, or None when no answer came."""
        changes = [update.change for update in updates]
        body = self._account.envelope(changes, self._clock.now()).to_bytes()
        for update in updates:
            update.first_tried = update.first_tried or self._loop.time()
        return await self._post_recorded(body, self._signature(body, updates))

    async def repost(self, body: bytes) -> int | None:
        """A body from the journal once more, signed anew."""
        return await self._post_recorded(body, self._signature(body, []))

    async def _post_recorded(self, body: bytes, signature: str) -> int | None:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        answer = await self._post_bytes(body, headers)
        self._journal.record(
            method="POST",
            path=WEBHOOK_PATH,
            body=body,
            at=self._clock.now(),
            status=answer,
        )
        return answer

    async def _post_bytes(self, body: bytes, headers: dict[str, str]) -> int | None:
        url = self._settings.webhook_url
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                await response.read()
        except aiohttp.ClientConnectorError:
            self._count_connect_failure()
            return None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        self._connect_failures = 0
        return response.status

    def _signature(self, body: bytes, updates: list[Update]) -> str:
        secret = self._settings.signing_secret
        if [fault for update in updates if (fault := self._strike(update, _ON_POST))]:
            secret = b"not " + secret
        return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def _pause_after(failures: int) -> float:
    if failures == 0:
        return 0
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_RETRY_SECONDS)
