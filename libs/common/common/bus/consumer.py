"""What happens to a delivered message. The policy of every failure is applied here only."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from opentelemetry import context, trace
from opentelemetry.trace import Span
from pydantic import BaseModel, ValidationError

from common import inbox, metrics, telemetry
from common.bus import dead_letters
from common.bus.publisher import REPLY_TO, Publisher, answer_with, refuse
from common.clock import Clock
from common.database import Database, Transaction
from common.errors import CommandRefused, DependencyUnavailable, SabatinaError
from common.events import Message, message_class
from common.topology import Consumer

log = structlog.get_logger()

CRASH_LIMIT = 20  # deliveries without an end: the message kills whoever takes it
BACKOFF_LIMIT = 30.0  # seconds
REMEMBERED_FAILURES = 10_000


@dataclass(frozen=True, eq=False)
class Delivery:
    """One message in hand, with the trace it belongs to."""

    message: Message
    original: Msg
    span: Span

    @property
    def traceparent(self) -> str | None:
        return telemetry.traceparent_of(self.span)


Handler = Callable[[Any, Transaction], Awaitable[BaseModel | None]]
"""Runs inside the transaction that also holds the inbox row; the answer goes to whoever asked."""

BatchHandler = Callable[[Sequence[Delivery], Transaction], Awaitable[None]]
"""Several messages in one transaction. When it raises, each is tried again in one of its own."""

FreeHandler = Callable[[Any], Awaitable[None]]
"""Without a transaction around it, for work that calls other systems. Must be idempotent itself."""


class Processor:
    """Settles deliveries of one consumer, in order: decode, handle, acknowledge, or give up."""

    def __init__(
        self, consumer: Consumer, publisher: Publisher, database: Database, clock: Clock
    ) -> None:
        self.consumer = consumer
        self._publisher = publisher
        self._database = database
        self._clock = clock
        self._handlers: dict[type[Message], Handler] = {}
        self._free_handlers: dict[type[Message], FreeHandler] = {}
        self._batch_handler: BatchHandler | None = None
        self._failures: OrderedDict[str, int] = OrderedDict()
        self.is_draining = asyncio.Event()

    def handle(self, message: type[Message], handler: Handler) -> None:
        assert message in self.consumer.messages
        self._handlers[message] = handler

    def handle_free(self, message: type[Message], handler: FreeHandler) -> None:
        assert message in self.consumer.messages
        self._free_handlers[message] = handler

    def handle_batches(self, handler: BatchHandler) -> None:
        self._batch_handler = handler

    async def work(self, originals: list[Msg]) -> None:
        """Settles every message. Never raises but when cancelled."""
        name = self.consumer.name
        deliveries = [d for original in originals if (d := await self._open(original))]
        if not deliveries:
            return
        metrics.BUS_IN_FLIGHT.labels(name).inc(len(deliveries))
        started = asyncio.get_running_loop().time()
        try:
            if self._can_share(deliveries):
                await self._settle_batch(deliveries)
            else:
                for delivery in deliveries:
                    await self._settle([delivery])
        finally:
            metrics.BUS_IN_FLIGHT.labels(name).dec(len(deliveries))
            metrics.BUS_SECONDS.labels(name).observe(asyncio.get_running_loop().time() - started)
            for delivery in deliveries:
                delivery.span.end()

    def _can_share(self, deliveries: Sequence[Delivery]) -> bool:
        """One transaction for all: but not for handlers that work outside of transactions."""
        if len(deliveries) == 1:
            return False
        return not any(type(delivery.message) in self._free_handlers for delivery in deliveries)

    async def _open(self, original: Msg) -> Delivery | None:
        metadata = original.metadata
        age = self._age(original)
        metrics.BUS_AGE.labels(self.consumer.name).observe(max(age, 0))
        if metadata.num_delivered > 1:
            metrics.BUS_REDELIVERIES.labels(self.consumer.name).inc()
        if metadata.num_delivered > CRASH_LIMIT:
            await self._bury(original, "CrashLoop")
            return None
        try:
            message = message_class(original.subject).model_validate_json(original.data)
        except (KeyError, ValidationError) as error:
            await self._bury(original, type(error).__name__)
            return None
        parent = telemetry.context_from(original.headers)
        span = telemetry.process_span(
            message.subject, self.consumer.name, parent, metadata.num_delivered
        )
        return Delivery(message, original, span)

    def _age(self, original: Msg) -> float:
        return time.time() - original.metadata.timestamp.timestamp()

    async def _settle_batch(self, deliveries: list[Delivery]) -> None:
        try:
            await self._handle_many(deliveries)
        except DependencyUnavailable:
            pass  # each is tried alone below, and waits there
        except Exception as error:  # one of them is bad: alone, only that one fails
            log.warning("batch_split", consumer=self.consumer.name, error=type(error).__name__)
        else:
            await self._acknowledge(deliveries)
            return
        for delivery in deliveries:
            await self._settle([delivery])

    async def _settle(self, deliveries: list[Delivery]) -> None:
        """One delivery (a list of one), until it has an end."""
        [delivery] = deliveries
        pause = 0.05
        while True:
            try:
                with _current(delivery.span):
                    await self._handle_one(delivery)
            except DependencyUnavailable:
                # The delivery is kept alive while it waits; the order of the shard is kept too.
                self._count("waiting")
                if await self._is_stopped_within(pause):
                    await self._return(delivery, after=0.0)
                    return
                pause = min(pause * 2, 2.0)
            except CommandRefused as refusal:
                await self._refuse(delivery, refusal)
                return
            except SabatinaError as error:
                await self._fail(delivery, error, error.retryable, error.retry_after)
                return
            except Exception as error:  # a defect: it may be passing, so it is tried again
                await self._fail(delivery, error, True, None)
                return
            else:
                await self._acknowledge(deliveries)
                return

    async def _handle_one(self, delivery: Delivery) -> None:
        kind = type(delivery.message)
        if (free := self._free_handlers.get(kind)) is not None:
            await free(delivery.message)
            return
        await self._handle_many([delivery])

    async def _handle_many(self, deliveries: Sequence[Delivery]) -> None:
        """In one transaction: all of them, or none."""
        answers: list[tuple[Delivery, BaseModel | None]] = []
        async with self._database.transaction() as transaction:
            new = await self._are_new(deliveries, transaction)
            self._count("duplicate", len(deliveries) - len(new))
            if self._batch_handler is not None and new:
                await self._batch_handler(new, transaction)
            elif self._batch_handler is None:
                for delivery in new:
                    with _current(delivery.span):
                        handler = self._handlers[type(delivery.message)]
                        answers.append((delivery, await handler(delivery.message, transaction)))
        for delivery, answer in answers:
            await self._answer(delivery, answer)

    async def _answer(self, delivery: Delivery, answer: BaseModel | None) -> None:
        reply_to = (delivery.original.headers or {}).get(REPLY_TO)
        if reply_to and answer is not None:
            await answer_with(self._publisher.client, reply_to, answer)

    async def _are_new(
        self, deliveries: Sequence[Delivery], transaction: Transaction
    ) -> list[Delivery]:
        """Those that this consumer has not dealt with; of equal ones in a batch, the first."""
        ids = [delivery.message.message_id for delivery in deliveries]
        new = await inbox.record(
            transaction.connection,
            self._database.schema,
            self.consumer.name,
            ids,
            self._clock.now(),
        )
        first: dict[Any, Delivery] = {}
        for delivery in deliveries:
            if delivery.message.message_id in new:
                first.setdefault(delivery.message.message_id, delivery)
        return list(first.values())

    async def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._count("ok", len(deliveries))
        for delivery in deliveries:
            self._failures.pop(str(delivery.message.message_id), None)
            await self._tell(delivery.original.ack())

    async def _refuse(self, delivery: Delivery, refusal: CommandRefused) -> None:
        self._count("refused")
        if reply_to := (delivery.original.headers or {}).get(REPLY_TO):
            await self._tell(refuse(self._publisher.client, reply_to, refusal))
        else:
            log.warning("command_refused", consumer=self.consumer.name, code=refusal.code)
        await self._tell(delivery.original.ack())

    async def _fail(
        self, delivery: Delivery, error: Exception, retryable: bool, after: timedelta | None
    ) -> None:
        telemetry.fail(delivery.span, error)
        key = str(delivery.message.message_id)
        failures = self._failures[key] = self._failures.pop(key, 0) + 1
        if len(self._failures) > REMEMBERED_FAILURES:
            self._failures.popitem(last=False)
        is_last = not retryable or failures >= self.consumer.attempts
        log.log(
            40 if is_last else 30,
            "message_dead" if is_last else "message_retried",
            consumer=self.consumer.name,
            message_id=key,
            failures=failures,
            exc_info=error,
        )
        if is_last:
            self._failures.pop(key, None)
            await self._bury(delivery.original, type(error).__name__)
        else:
            backoff = min(0.2 * 2**failures, BACKOFF_LIMIT) * random.uniform(0.7, 1.3)
            await self._return(delivery, after=after.total_seconds() if after else backoff)

    async def _return(self, delivery: Delivery, *, after: float) -> None:
        self._count("retried" if after else "returned")
        await self._tell(delivery.original.nak(delay=after or None))

    async def _bury(self, original: Msg, reason: str) -> None:
        """Kept as a dead letter first; if that fails, the message comes again for burial."""
        metrics.DEAD_LETTERS.labels(self.consumer.name, reason).inc()
        self._count("dead")
        try:
            await dead_letters.keep(self._publisher, self.consumer, original, reason)
        except DependencyUnavailable:
            await self._tell(original.nak(delay=1))
        else:
            await self._tell(original.ack())

    async def _tell(self, sending: Awaitable[None]) -> None:
        """An acknowledgement that is lost makes a redelivery, which the inbox absorbs."""
        try:
            await sending
        except NatsError as error:
            log.warning("acknowledgement_lost", error=type(error).__name__)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.is_draining.wait()
        except TimeoutError:
            return False
        return True

    def _count(self, outcome: str, amount: int = 1) -> None:
        metrics.BUS_PROCESSED.labels(self.consumer.name, outcome).inc(amount)


@contextmanager
def _current(span: Span) -> Iterator[None]:
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        context.detach(token)
