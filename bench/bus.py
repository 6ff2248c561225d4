"""Messages a second through one process: with inbox and outbox around a no-op, and without."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from common.bus.consumer import Processor
from common.bus.publisher import Publisher, connect
from common.bus.puller import Puller
from common.clock import SystemClock
from common.database import Database, Transaction
from common.events import AnswerGraded
from common.ids import AnswerId, AssignmentId, UserId, new_id
from common.migrations import create_outbox_and_inbox
from common.outbox import Relay
from common.topology import Consumer, Stream
from devstack.servers import Nats, Postgres, passing_folder

TARGET = 1_500
MESSAGES = 6_000
BATCHES = {"bare": 1, "alone": 1, "shared": 16, "batches": 100}
"""Messages that may share a transaction; `shared` is what our unordered consumers use."""
SINK = Stream("SINK", subjects=("sabatina.dead.>",))
STREAM = Stream("BENCH", (AnswerGraded,), is_work_queue=True)


def run() -> dict[str, object]:
    with passing_folder() as folder:
        postgres = Postgres(folder / "postgres")
        nats = Nats(folder / "nats")
        try:
            postgres.start()
            nats.start()
            _create_schema(postgres.url)
            import uvloop

            return uvloop.run(_measure(postgres.url, nats.url))
        finally:
            nats.stop()
            postgres.stop()


def _create_schema(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bench")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connected:
        create_outbox_and_inbox(Operations(MigrationContext.configure(connected)), "bench")
    engine.dispose()


async def _measure(postgres_url: str, nats_url: str) -> dict[str, object]:
    publisher = await connect(nats_url, "bench", on_reconnect=lambda: None, on_closed=lambda: None)
    database = Database(postgres_url, "bench", pool_size=8)
    await publisher.jetstream.add_stream(STREAM.config(1))
    await publisher.jetstream.add_stream(SINK.config(1))
    results = {
        "bare_per_s": await _run("bare", publisher, database),
        "inbox_and_outbox_alone_per_s": await _run("alone", publisher, database),
        "inbox_and_outbox_per_s": await _run("shared", publisher, database),
        "inbox_and_outbox_batch_handler_per_s": await _run("batches", publisher, database),
        "target_per_s": TARGET,
    }
    results["ok"] = results["inbox_and_outbox_per_s"] >= TARGET
    await database.close()
    await publisher.client.close()
    return results


async def _run(form: str, publisher: Publisher, database: Database) -> Any:
    batch = BATCHES[form]
    consumer = Consumer(
        f"bench-{form}", STREAM.name, (AnswerGraded,), slots=max(64, 4 * batch), batch=batch
    )
    futures = []
    for _ in range(MESSAGES):
        message = _message()
        futures.append(
            await publisher.start_publish(
                message.full_subject, message.model_dump_json().encode(), str(message.message_id)
            )
        )
    await publisher.all_acknowledged(futures)
    counter = Counter()
    processor = Processor(consumer, publisher, database, SystemClock())
    counter.register(processor, form)
    relay = Relay(database.url, "bench", _Sink(publisher))
    database.on_publish(relay.wake)
    relaying = asyncio.create_task(relay.run())
    started = time.perf_counter()
    async with _pulling(publisher, consumer, processor):
        await counter.reached(MESSAGES)
        while await _waiting(database):
            await asyncio.sleep(0.02)
        elapsed = time.perf_counter() - started
    await relay.stop()
    await relaying
    await publisher.jetstream.delete_consumer(STREAM.name, consumer.name)
    return round(MESSAGES / elapsed)


async def _waiting(database: Database) -> int:
    async with database.transaction() as transaction:
        rows = await transaction.connection.execute(text("SELECT count(*) FROM bench.outbox"))
        return int(rows.scalar_one())


class _Sink(Publisher):
    """Publishes like the relay's own publisher, to the side: the bench must not feed itself."""

    def __init__(self, publisher: Publisher) -> None:
        super().__init__(publisher.client)

    async def start_publish(self, subject: str, *rest: Any, **named: Any) -> Any:
        return await super().start_publish("sabatina.dead.bench", *rest, **named)


class Counter:
    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def register(self, processor: Processor, form: str) -> None:
        if form == "bare":
            processor.handle_free(AnswerGraded, self._free)
        elif form in {"alone", "shared"}:
            processor.handle(AnswerGraded, self._full)
        else:
            processor.handle_batches(self._batch)

    async def reached(self, number: int) -> None:
        while self.count < number:
            self._changed.clear()
            await self._changed.wait()

    def _add(self, number: int) -> None:
        self.count += number
        self._changed.set()

    async def _free(self, message: AnswerGraded) -> None:
        self._add(1)

    async def _full(self, message: AnswerGraded, transaction: Transaction) -> None:
        transaction.publish(_message())
        self._add(1)

    async def _batch(self, deliveries: Any, transaction: Transaction) -> None:
        for _ in deliveries:
            transaction.publish(_message())
        self._add(len(deliveries))


@contextlib.asynccontextmanager
async def _pulling(
    publisher: Publisher, consumer: Consumer, processor: Processor
) -> AsyncIterator[None]:
    [config] = consumer.configs()
    await publisher.jetstream.add_consumer(STREAM.name, config)
    puller = Puller(
        publisher.client,
        STREAM.name,
        consumer.name,
        processor.work,
        slots=consumer.slots,
        batch=consumer.batch,
        ack_wait=consumer.ack_wait,
    )
    await puller.start()
    yield
    await puller.drain(1)


def _message() -> AnswerGraded:
    return AnswerGraded(
        occurred_at=SystemClock().now(),
        user_id=UserId(new_id()),
        answer_id=AnswerId(new_id()),
        assignment_id=AssignmentId(new_id()),
        score=7,
        examiner="bench",
    )
