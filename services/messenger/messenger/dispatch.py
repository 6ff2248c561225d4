"""Takes what may be sent from the queue, sends it, records what became of it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from common.clock import Clock
from common.database import Database, Transaction
from common.errors import DependencyUnavailable
from common.events import Channel as ChannelName
from messenger import metrics
from messenger.channels import (
    Channel,
    NotSent,
    OutboundMessage,
    OutcomeUnknown,
    SendRefused,
)
from messenger.errors_policy import Action, label_for
from messenger.outcomes import Claimed, Finished, Result
from messenger.pacing import Pacer
from messenger.queue import Claim, Queue
from messenger.rendering import NotRenderable, Renderer
from messenger.sending import Suppress

log = structlog.get_logger()

IDLE_POLL = 0.5  # seconds; a commit in this process wakes the dispatcher at once
BATCH = 100
UNRECORDED = 400  # outcomes waiting to be recorded; PostgreSQL may be slower than WhatsApp
DATABASE_PAUSE = 0.3  # seconds between tries to record while PostgreSQL is away
UNREACHABLE_PAUSE = 0.5  # seconds; doubles while WhatsApp cannot be connected to
UNREACHABLE_LIMIT = 10.0
FINISH_WITHIN = 12.0  # seconds for calls in flight when the service stops: the channel's timeout


@dataclass(frozen=True)
class Outlet:
    """One number of ours and the way to it."""

    name: ChannelName
    number_id: str
    channel: Channel
    pacer: Pacer
    in_flight: int = 64


class Dispatcher:
    def __init__(
        self, database: Database, clock: Clock, renderer: Renderer, outlet: Outlet
    ) -> None:
        self._database = database
        self._clock = clock
        self._renderer = renderer
        self._outlet = outlet
        self._wake = asyncio.Event()
        self._finished: asyncio.Queue[Finished] = asyncio.Queue()
        self._calls: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._unrecorded = 0
        self._pause = 0.0

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; then what is in flight is finished and recorded first."""
        this = asyncio.current_task()
        assert this is not None
        recorder = asyncio.create_task(self._keep_recording())
        try:
            # Asked each time: the Redis client may swallow a cancellation while it connects.
            while not this.cancelling():
                self._wake.clear()
                await self._sleep(await self._turn())
        finally:
            await self._finish(recorder)

    async def _turn(self) -> float:
        """Returns the seconds to sleep unless somebody wakes us."""
        room = min(self._outlet.in_flight - self._in_flight, BATCH)
        if room <= 0 or self._unrecorded >= UNRECORDED:
            return IDLE_POLL
        grant = await self._outlet.pacer.reserve(1 if self._pause else room)
        if grant.slots == 0:
            return grant.wait
        claim = await self._claim(grant.slots)
        if spare := grant.slots - len(claim.sent):
            await self._outlet.pacer.give_back(spare)
        for claimed in claim.sent:
            self._start(claimed)
        if self._pause and claim.sent:
            return self._pause
        if len(claim.sent) + len(claim.settled) >= grant.slots:
            return 0.0
        return self._until(claim)

    async def _claim(self, slots: int) -> Claim:
        async with self._database.transaction() as transaction:
            queue = self._queue(transaction)
            claim = await queue.claim(slots)
        metrics.PAUSED.set(claim.is_paused)
        for _, how in claim.settled:
            if isinstance(how, Suppress):
                metrics.SUPPRESSED.labels(how.reason).inc()
        return claim

    def _until(self, claim: Claim) -> float:
        if claim.next_due_at is None:
            return IDLE_POLL
        due_in = (claim.next_due_at - self._clock.now()) / timedelta(seconds=1)
        return min(max(due_in, 0.005), IDLE_POLL)

    def _start(self, claimed: Claimed) -> None:
        self._unrecorded += 1
        self._in_flight += 1
        call = asyncio.create_task(self._call(claimed))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, claimed: Claimed) -> None:
        waited = self._clock.now() - claimed.message.received_at
        metrics.SEND_WAIT.labels(claimed.message.purpose).observe(waited.total_seconds())
        finished = Finished(claimed, await self._result(claimed))
        self._in_flight -= 1
        if self._in_flight == self._outlet.in_flight // 2:
            self._wake.set()  # half at a time: claims for one slot each would cost more
        metrics.SENDS.labels(finished.outcome, label_for(finished.error_code)).inc()
        self._finished.put_nowait(finished)
        await self._react(finished)

    async def _result(self, claimed: Claimed) -> Result:
        message, person = claimed.message, claimed.person
        kind = "daily_ready" if claimed.is_template and message.kind == "question" else message.kind
        try:
            content = self._renderer.render(kind, person.language, message.values, name=person.name)
            to = (person.address or "").removeprefix("+")
            outbound = OutboundMessage(
                message.id, to, content, message.purpose, message.traceparent, message.attachment
            )
            return await self._outlet.channel.send(outbound)
        except NotRenderable as error:
            log.error("message_not_renderable", kind=kind, reason=error.reason)
            return error
        except (SendRefused, NotSent, OutcomeUnknown) as error:
            return error
        except Exception as error:  # a defect: this message is in doubt, the others go on
            log.error("send_failed", kind=kind, exc_info=error)
            return OutcomeUnknown()

    async def _react(self, finished: Finished) -> None:
        """What one outcome means for all the others."""
        if isinstance(finished.result, NotSent):
            self._pause = min(max(self._pause * 2, UNREACHABLE_PAUSE), UNREACHABLE_LIMIT)
        else:
            self._pause = 0.0
        rule = finished.rule
        if rule is not None and rule.action in (Action.FIX, Action.PAUSE):
            metrics.NEEDS_FIX.labels(label_for(finished.error_code)).inc()
            log.error("whatsapp_refuses", code=finished.error_code, action=rule.action.value)
        if finished.slows_down:
            await self._outlet.pacer.slow_down()

    async def _keep_recording(self) -> None:
        while True:
            batch = [await self._finished.get()]
            while len(batch) < BATCH and not self._finished.empty():
                batch.append(self._finished.get_nowait())
            is_more_waiting = await self._record_safely(batch)
            was_full = self._unrecorded >= UNRECORDED
            self._unrecorded -= len(batch)
            if is_more_waiting or was_full:
                self._wake.set()

    async def _record_safely(self, batch: Sequence[Finished]) -> bool:
        """True when somebody whose message has ended has another one waiting."""
        while True:
            try:
                return await self._record(batch)
            except DependencyUnavailable:
                await asyncio.sleep(DATABASE_PAUSE)
            except Exception as error:  # one of them is bad: alone, only that one stays in doubt
                log.error("outcome_not_recorded", size=len(batch), exc_info=error)
                if len(batch) == 1:
                    return True
                return any([await self._record_safely([one]) for one in batch])

    async def _record(self, batch: Sequence[Finished]) -> bool:
        async with self._database.transaction() as transaction:
            return await self._queue(transaction).record(batch)

    def _queue(self, transaction: Transaction) -> Queue:
        outlet = self._outlet
        return Queue(transaction, outlet.name, outlet.number_id, self._clock.now())

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            # Not wait_for: on Python 3.11 it swallows a cancellation that meets the wake-up.
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _finish(self, recorder: asyncio.Task[None]) -> None:
        if self._calls:
            await asyncio.wait(self._calls, timeout=FINISH_WITHIN)
        deadline = asyncio.get_running_loop().time() + FINISH_WITHIN
        while self._unrecorded and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        recorder.cancel()
        await asyncio.wait([recorder], timeout=1)
