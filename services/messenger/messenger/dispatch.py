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
from messenger import lengths, metrics
from messenger.attachments import check_attachment
from messenger.channels import (
    Channel,
    NotSent,
    OutboundMessage,
    OutcomeUnknown,
    SendRefused,
)
from messenger.errors_policy import Scope, label_for
from messenger.limits.budgets import Allowance
from messenger.limits.gate import shown_kind
from messenger.limits.pacing import Pacer
from messenger.limits.pauses import BUDGET, Paused
from messenger.numbered import NumberedRenderer
from messenger.outcomes import Claimed, Finished, Result
from messenger.queue import Claim, Queue
from messenger.rendering import NotRenderable, Renderer
from messenger.sending import Fail, Suppress
from messenger.waha.outreach import ANY
from messenger.waha.pace import Pace

log = structlog.get_logger()

URGENT = 1  # priority: what somebody waits for, a sign-up as well as a reply
FOR_REPLIES = 0.1  # of the calls at once: kept free of daily messages, however slow those are
QUIET_SHARE = 0.25  # of the rate, while WhatsApp takes us for a spammer
RELEASE_EVERY = 1.0  # seconds
RELEASE_IDLE = 0.1  # seconds, while there is nothing else to do
IDLE_POLL = 0.5  # seconds; a commit in this process wakes the dispatcher at once
BATCH = 100
UNRECORDED = 400  # outcomes waiting to be recorded; PostgreSQL may be slower than WhatsApp
BUSY = 16  # of these
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
    pace: Pace | None = None
    """Where WhatsApp watches for machines."""
    allowance: Allowance | None = None
    """How many people may be reached in a day; None: nobody counts."""


class Dispatcher:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        renderer: Renderer | NumberedRenderer,
        outlet: Outlet,
    ) -> None:
        self._database = database
        self._clock = clock
        self._renderer = renderer
        self._outlet = outlet
        self._wake = asyncio.Event()
        self._finished: asyncio.Queue[Finished] = asyncio.Queue()
        self._calls: set[asyncio.Task[None]] = set()
        self._claiming: asyncio.Task[Claim] | None = None
        self._in_flight = 0
        self._bulk_in_flight = 0
        self._bulk_limit = max(int(outlet.in_flight * (1 - FOR_REPLIES)), 1)
        self._paused = Paused()
        self._released_at = 0.0
        self._templates = renderer.templates if isinstance(renderer, Renderer) else {}
        self._unrecorded = 0
        self._pause = 0.0

    @property
    def outlet(self) -> Outlet:
        return self._outlet

    def is_busy(self) -> bool:
        """So much is on its way that nothing should be done that can be left undone."""
        return self._unrecorded > BUSY

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
        bulk_room = self._bulk_limit - self._bulk_in_flight
        room = min(room, bulk_room) if bulk_room > 0 else room
        share = QUIET_SHARE if self._paused.is_daily else 1.0
        grant = await self._outlet.pacer.reserve(1 if self._pause else room, share)
        if grant.slots == 0:
            return grant.wait
        lowest = ANY if bulk_room > 0 else URGENT
        self._claiming = asyncio.create_task(self._claim_and_start(grant.slots, lowest))
        claim = await asyncio.shield(self._claiming)
        if spare := grant.slots - len(claim.sent):
            await self._outlet.pacer.give_back(spare)
        await self._release(is_idle=not claim.sent)
        if self._pause and claim.sent:
            return self._pause
        if len(claim.sent) + len(claim.settled) >= grant.slots:
            return 0.0
        return self._until(claim)

    async def _claim_and_start(self, slots: int, lowest_priority: int) -> Claim:
        """Never cancelled: what is claimed but not started would stay in doubt."""
        claim = await self._claim(slots, lowest_priority=lowest_priority)
        for claimed in claim.sent:
            self._start(claimed)
        return claim

    async def _claim(self, slots: int, *, lowest_priority: int) -> Claim:
        async with self._database.transaction() as transaction:
            queue = self._queue(transaction)
            claim = await queue.claim(slots, lowest_priority=lowest_priority)
        self._paused = claim.paused
        for _, how in claim.settled:
            if isinstance(how, Suppress):
                metrics.SUPPRESSED.labels(how.reason).inc()
            elif isinstance(how, Fail):
                metrics.FAILED.labels(how.reason).inc()
        return claim

    async def _release(self, *, is_idle: bool) -> None:
        """What is held goes on when its pause has ended, or when the budget has room."""
        now = asyncio.get_running_loop().time()
        if now - self._released_at < (RELEASE_IDLE if is_idle else RELEASE_EVERY):
            return
        self._released_at = now
        async with self._database.transaction() as transaction:
            queue = self._queue(transaction)
            held = await queue.count_held()
            released = await queue.release() if held else 0
        if released:
            self._wake.set()
        name = self._outlet.name
        for scope in (*Scope, BUDGET):
            paused = any(known.split(":")[0] == scope for known in self._paused.probe_times)
            metrics.PAUSED.labels(name, scope).set(paused)
            metrics.HELD.labels(name, scope).set(held.get(scope, 0))

    def _until(self, claim: Claim) -> float:
        if claim.next_due_at is None:
            return IDLE_POLL
        due_in = (claim.next_due_at - self._clock.now()) / timedelta(seconds=1)
        return min(max(due_in, 0.005), IDLE_POLL)

    def _start(self, claimed: Claimed) -> None:
        self._unrecorded += 1
        self._in_flight += 1
        self._bulk_in_flight += claimed.message.purpose == "daily"
        call = asyncio.create_task(self._call(claimed))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, claimed: Claimed) -> None:
        waited = self._clock.now() - claimed.message.received_at
        metrics.SEND_WAIT.labels(claimed.message.purpose).observe(waited.total_seconds())
        finished = Finished(claimed, await self._result(claimed))
        self._in_flight -= 1
        self._bulk_in_flight -= claimed.message.purpose == "daily"
        if self._in_flight == self._outlet.in_flight // 2:
            self._wake.set()  # half at a time: claims for one slot each would cost more
        metrics.SENDS.labels(finished.outcome, label_for(finished.error_code)).inc()
        self._finished.put_nowait(finished)
        await self._react(finished)

    async def _result(self, claimed: Claimed) -> Result:
        message, person = claimed.message, claimed.person
        kind = shown_kind(message.kind, is_template=claimed.is_template)
        try:
            content = self._renderer.render(
                kind,
                person.language,
                message.values,
                name=person.name,
                is_fallback_language=message.is_fallback_language,
                room=lengths.CAPTION if message.attachment else lengths.TEXT,
            )
            check_attachment(message.attachment, content)
            to = (person.address or "").removeprefix("+")
            outbound = OutboundMessage(
                message.id,
                to,
                content,
                message.purpose,
                message.traceparent,
                message.attachment,
                message.user_id,
                person.chat_id,
                message.answers,
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
        return Queue(
            transaction,
            outlet.name,
            outlet.number_id,
            self._clock.now(),
            pace=outlet.pace,
            templates=self._templates,
            allowance=outlet.allowance,
        )

    async def _sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            # Not wait_for: on Python 3.11 it swallows a cancellation that meets the wake-up.
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _finish(self, recorder: asyncio.Task[None]) -> None:
        if self._claiming is not None:
            with suppress(Exception, asyncio.CancelledError):  # what it failed of is told already
                async with asyncio.timeout(FINISH_WITHIN):
                    await asyncio.shield(self._claiming)
        if self._calls:
            await asyncio.wait(self._calls, timeout=FINISH_WITHIN)
        deadline = asyncio.get_running_loop().time() + FINISH_WITHIN
        while self._unrecorded and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        recorder.cancel()
        await asyncio.wait([recorder], timeout=1)
