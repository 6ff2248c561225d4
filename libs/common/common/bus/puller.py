"""Takes messages from one JetStream consumer, never more than there are free slots.

The pull protocol is spoken directly (subject `$JS.API.CONSUMER.MSG.NEXT`): the client library's
`fetch` waits out its whole timeout when the server dies, and fetches in rounds, so that the
slowest message of a round holds up the next one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

log = structlog.get_logger()

REQUEST_LIFETIME = 20.0  # seconds a request for messages waits at the server
PROVISION_PAUSE = 1.0  # seconds before asking again for a consumer that does not exist yet

Work = Callable[[list[Msg]], Awaitable[None]]


class Puller:
    """Runs `work` on what it pulls, up to `slots` messages at once, up to `batch` in one call.

    `work` must settle every message it is given (ack, nak or term) and must not raise.
    """

    def __init__(
        self,
        client: Client,
        stream: str,
        durable: str,
        work: Work,
        *,
        slots: int,
        batch: int,
        ack_wait: timedelta,
        linger: timedelta = timedelta(),
    ) -> None:
        self.durable = durable
        self._client = client
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._work = work
        self._slots = slots
        self._batch = batch
        self._linger = linger.total_seconds()
        self._max_workers = max(1, slots // batch)
        self._extend_after = ack_wait.total_seconds() / 3
        self._waiting: list[Msg] = []
        self._in_flight: dict[int, tuple[Msg, float]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._requested = 0
        self._requested_at = 0.0
        self._is_draining = False
        self._subscription: Subscription | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    async def start(self) -> None:
        self._subscription = await self._client.subscribe(self._inbox, cb=self._receive)
        await self._request()

    async def tick(self) -> None:
        """Called about every second: extends long work, replaces a request that was lost."""
        now = self._loop.time()
        for key, (message, since) in list(self._in_flight.items()):
            if now - since >= self._extend_after:
                await message.in_progress()
                self._in_flight[key] = (message, now)
        if now - self._requested_at > REQUEST_LIFETIME + 1:
            self._requested = 0
        await self._request()

    def forget_request(self) -> None:
        """After a reconnect: the server that knew the request may be gone."""
        self._requested = 0

    async def drain(self, grace: float) -> None:
        """Take nothing more, hand back what has not begun, wait up to `grace` seconds for the
        rest. What is still running then is handed back by the server after the ack wait."""
        self._is_draining = True
        if self._subscription is not None and self._client.is_connected:
            # What is on the wire still comes, and is handed back.
            await self._subscription.drain()  # type: ignore[no-untyped-call]
        await self._hand_back(self._waiting)
        self._waiting = []
        if self._workers:
            await asyncio.wait(self._workers, timeout=grace)
        for worker in self._workers:
            worker.cancel()

    async def _request(self) -> None:
        free = self._slots - len(self._in_flight) - len(self._waiting)
        if self._requested > 0 or free <= 0 or self._is_draining or not self._client.is_connected:
            return
        self._requested = free
        self._requested_at = self._loop.time()
        body = {"batch": free, "expires": int(REQUEST_LIFETIME * 1e9)}
        await self._client.publish(self._next_subject, json.dumps(body).encode(), self._inbox)

    async def _receive(self, message: Msg) -> None:
        if not message.reply:
            await self._request_ended(message)
            return
        self._requested -= 1
        if self._is_draining:
            await self._hand_back([message])
            return
        self._waiting.append(message)
        is_enough = bool(self._linger and self._workers and len(self._waiting) < self._batch)
        if len(self._workers) < self._max_workers and not is_enough:
            worker = asyncio.create_task(self._run_worker())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _request_ended(self, status: Msg) -> None:
        """404 and 408: no messages for now. 409: the consumer changed. 503: there is none."""
        self._requested = 0
        code = (status.headers or {}).get("Status", "")
        if code in {"409", "503"} and not self._is_draining:
            self._requested_at = self._loop.time()
            self._requested = 1  # holds back other requests for the pause
            await asyncio.sleep(PROVISION_PAUSE)
            self._requested = 0
        await self._request()

    async def _run_worker(self) -> None:
        while self._waiting:
            if self._linger and len(self._waiting) < self._batch and not self._is_draining:
                await asyncio.sleep(self._linger)
            messages = self._waiting[: self._batch]
            del self._waiting[: self._batch]
            now = self._loop.time()
            for message in messages:
                self._in_flight[id(message)] = (message, now)
            try:
                await self._work(messages)
            finally:
                for message in messages:
                    del self._in_flight[id(message)]
            if self._requested <= 0:
                await self._try_request()

    async def _try_request(self) -> None:
        try:
            await self._request()
        except NatsError as error:
            log.warning("pull_request_failed", error=type(error).__name__)
            self._requested = 0

    async def _hand_back(self, messages: list[Msg]) -> None:
        for message in messages:
            await message.nak()
