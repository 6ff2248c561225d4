"""The bus against a real NATS and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import uuid4

import pytest
from nats.js.api import ConsumerInfo
from pydantic import BaseModel
from sqlalchemy import text

from common import topology
from common.bus import dead_letters
from common.bus.consumer import Delivery, Processor
from common.bus.publisher import Publisher, connect
from common.bus.puller import Puller
from common.clock import SystemClock
from common.database import Database, Transaction
from common.errors import CommandRefused, DependencyUnavailable, RetryableError, SabatinaError
from common.events import Command, Event, UserRegistration
from common.ids import UserId
from common.outbox import Relay
from common.topology import Consumer, Stream
from devstack.pytest_plugin import Servers


class ThingHappened(Event):
    subject: ClassVar[str] = "thing.happened"

    key: str = ""
    number: int = 0

    @property
    def shard_key(self) -> str:
        return self.key or str(self.message_id)


class DoThing(Command):
    subject: ClassVar[str] = "thing.do"


class Done(BaseModel):
    word: str


@pytest.fixture
async def publisher(servers: Servers) -> AsyncIterator[Publisher]:
    connected = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    yield connected
    await connected.client.close()


@pytest.fixture
async def stream(publisher: Publisher) -> AsyncIterator[Stream]:
    declared = Stream("THINGS", (ThingHappened, DoThing), is_work_queue=True)
    await publisher.jetstream.add_stream(declared.config(1))
    await publisher.jetstream.purge_stream("DEAD_LETTERS")
    yield declared
    await publisher.jetstream.delete_stream("THINGS")


def happened(key: str = "", number: int = 0) -> ThingHappened:
    return ThingHappened(occurred_at=datetime.now(UTC), key=key, number=number)


class Rig:
    """Everything a consumer needs, and a list of what its handler saw."""

    def __init__(self, publisher: Publisher, database: Database) -> None:
        self.publisher = publisher
        self.database = database
        self.seen: list[ThingHappened] = []
        self.processors: list[Processor] = []

    @asynccontextmanager
    async def running(
        self, consumer: Consumer, register: Callable[[Processor], None]
    ) -> AsyncIterator[Processor]:
        for config in consumer.configs():
            await self.publisher.jetstream.add_consumer(consumer.stream, config)
        processor = Processor(consumer, self.publisher, self.database, SystemClock())
        register(processor)
        pullers = [
            Puller(
                self.publisher.client,
                consumer.stream,
                durable,
                processor.work,
                slots=1 if consumer.is_ordered else consumer.slots,
                batch=consumer.batch,
                ack_wait=consumer.ack_wait,
            )
            for durable, _ in consumer.durables
        ]
        for puller in pullers:
            await puller.start()
        ticker = asyncio.create_task(self._tick(pullers))
        try:
            yield processor
        finally:
            ticker.cancel()
            processor.is_draining.set()
            for puller in pullers:
                await puller.drain(grace=1)

    async def _tick(self, pullers: list[Puller]) -> None:
        while True:
            await asyncio.sleep(0.2)
            for puller in pullers:
                await puller.tick()

    async def record(self, message: ThingHappened, transaction: Transaction) -> None:
        self.seen.append(message)

    async def settled(self, stream: str = "THINGS", *, within: float = 10) -> None:
        async with asyncio.timeout(within):
            while (await self.publisher.jetstream.stream_info(stream)).state.messages:
                await asyncio.sleep(0.02)

    async def consumer_info(self, consumer: Consumer) -> ConsumerInfo:
        return await self.publisher.jetstream.consumer_info(consumer.stream, consumer.name)

    async def dead(self) -> list[dead_letters.DeadLetter]:
        return [letter async for letter in dead_letters.read_all(self.publisher.jetstream)]


@pytest.fixture
async def rig(publisher: Publisher, common_database: Database, stream: Stream) -> Rig:
    return Rig(publisher, common_database)


PLAIN = Consumer("common-plain", "THINGS", (ThingHappened, DoThing), slots=4, attempts=3)


async def test_a_message_is_handled_and_acknowledged(rig: Rig) -> None:
    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, rig.record)):
        sent = happened(number=7)
        await rig.publisher.publish(sent)
        await rig.settled()
    assert rig.seen == [sent]


async def test_the_same_message_twice_has_one_effect(rig: Rig) -> None:
    sent = happened()
    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, rig.record)):
        for delivery in range(2):
            await rig.publisher.jetstream.publish(  # another Nats-Msg-Id: NATS does not see it
                sent.full_subject,
                sent.model_dump_json().encode(),
                headers={"Nats-Msg-Id": f"{sent.message_id}-{delivery}"},
            )
        await rig.settled()
    assert rig.seen == [sent]


async def test_an_effect_that_fails_leaves_no_trace_and_is_tried_again(rig: Rig) -> None:
    tries = 0

    async def fail_once(message: ThingHappened, transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        transaction.publish(happened(number=100 + tries))
        if tries == 1:
            raise RetryableError("not yet", retry_after=timedelta(milliseconds=10))

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, fail_once)):
        await rig.publisher.publish(happened())
        await rig.settled()
    assert tries == 2
    async with rig.database.transaction() as transaction:
        rows = await transaction.connection.execute(text("SELECT body FROM common.outbox"))
        bodies = [bytes(row.body) for row in rows]
    assert len(bodies) == 1
    assert b"102" in bodies[0]


async def test_a_permanent_error_is_dead_lettered_at_once_with_its_name(rig: Rig) -> None:
    class ThingIsBroken(SabatinaError):
        pass

    async def refuse(message: ThingHappened, transaction: Transaction) -> None:
        raise ThingIsBroken

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, refuse)):
        sent = happened()
        await rig.publisher.publish(sent)
        await rig.settled()
    [letter] = await rig.dead()
    assert (letter.reason, letter.deliveries) == ("ThingIsBroken", 1)
    assert ThingHappened.model_validate_json(letter.body) == sent


async def test_an_unknown_error_is_dead_lettered_after_the_limit_of_attempts(rig: Rig) -> None:
    tries = 0

    async def fail(message: ThingHappened, transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, fail)):
        await rig.publisher.publish(happened())
        await rig.settled()
    assert tries == PLAIN.attempts
    assert [letter.reason for letter in await rig.dead()] == ["ZeroDivisionError"]


async def test_a_dead_letter_can_be_replayed(rig: Rig) -> None:
    is_mended = False

    async def work(message: ThingHappened, transaction: Transaction) -> None:
        if not is_mended:
            raise SabatinaError
        rig.seen.append(message)

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, work)):
        sent = happened()
        await rig.publisher.publish(sent)
        await rig.settled()
        is_mended = True
        [letter] = await rig.dead()
        await dead_letters.replay(rig.publisher.jetstream, letter)
        await rig.settled()
    assert rig.seen == [sent]
    assert await rig.dead() == []


async def test_garbage_and_unknown_subjects_are_dead_lettered(rig: Rig) -> None:
    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, rig.record)):
        await rig.publisher.jetstream.publish("sabatina.thing.happened.3", b"\xff{not json")
        await rig.settled()
    assert [letter.reason for letter in await rig.dead()] == ["ValidationError"]


async def test_a_lost_dependency_is_waited_for_without_using_up_attempts(rig: Rig) -> None:
    tries = 0

    async def need_database(message: ThingHappened, transaction: Transaction) -> None:
        nonlocal tries
        tries += 1
        if tries <= PLAIN.attempts + 2:
            raise DependencyUnavailable("away")
        rig.seen.append(message)

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, need_database)):
        await rig.publisher.publish(happened())
        await rig.settled(within=20)
    assert len(rig.seen) == 1
    assert await rig.dead() == []


async def test_long_work_is_not_redelivered(rig: Rig) -> None:
    consumer = Consumer(
        "common-slow", "THINGS", (ThingHappened,), slots=2, ack_wait=timedelta(seconds=1)
    )

    async def work(message: ThingHappened, transaction: Transaction) -> None:
        rig.seen.append(message)
        await asyncio.sleep(2.5)

    async with rig.running(consumer, lambda p: p.handle(ThingHappened, work)):
        await rig.publisher.publish(happened())
        await rig.settled()
    assert len(rig.seen) == 1


async def test_never_more_messages_are_taken_than_there_are_slots(rig: Rig) -> None:
    release = asyncio.Event()

    async def work(message: ThingHappened, transaction: Transaction) -> None:
        rig.seen.append(message)
        await release.wait()

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, work)):
        for number in range(20):
            await rig.publisher.publish(happened(number=number))
        await asyncio.sleep(0.5)
        info = await rig.publisher.jetstream.consumer_info("THINGS", PLAIN.name)
        assert info.num_ack_pending == len(rig.seen) == PLAIN.slots
        release.set()
        await rig.settled()
    assert len(rig.seen) == 20


async def test_one_slow_message_does_not_hold_up_the_others(rig: Rig) -> None:
    release = asyncio.Event()

    async def work(message: ThingHappened, transaction: Transaction) -> None:
        if message.number == 0:
            await release.wait()
        rig.seen.append(message)

    async with rig.running(PLAIN, lambda p: p.handle(ThingHappened, work)):
        for number in range(30):
            await rig.publisher.publish(happened(number=number))
        async with asyncio.timeout(5):
            while len(rig.seen) < 29:
                await asyncio.sleep(0.01)
        release.set()
        await rig.settled()


async def test_messages_of_one_key_keep_their_order_over_replicas_and_failures(rig: Rig) -> None:
    consumer = Consumer(
        "common-ordered", "THINGS", (ThingHappened,), is_ordered=True, ack_wait=timedelta(seconds=2)
    )
    failed: set[int] = set()

    async def work(message: ThingHappened, transaction: Transaction) -> None:
        if message.number % 5 == 0 and message.number not in failed:
            failed.add(message.number)
            raise RetryableError("once", retry_after=timedelta(milliseconds=20))
        rig.seen.append(message)

    def register(processor: Processor) -> None:
        processor.handle(ThingHappened, work)

    async with rig.running(consumer, register), rig.running(consumer, register):
        for number in range(25):
            for key in ("ana", "bob"):
                await rig.publisher.publish(happened(key, number))
        await rig.settled(within=20)
    for key in ("ana", "bob"):
        assert [m.number for m in rig.seen if m.key == key] == list(range(25))


async def test_draining_hands_back_what_has_not_begun(rig: Rig) -> None:
    consumer = Consumer("common-drain", "THINGS", (ThingHappened,), slots=20, batch=10)
    started = asyncio.Event()

    async def work(deliveries: Sequence[Delivery], transaction: Transaction) -> None:
        started.set()
        await asyncio.sleep(0.3)
        rig.seen.extend(d.message for d in deliveries if isinstance(d.message, ThingHappened))

    for number in range(40):
        await rig.publisher.publish(happened(number=number))
    async with rig.running(consumer, lambda p: p.handle_batches(work)):
        await started.wait()
    async with asyncio.timeout(2):  # far below the ack wait
        while (await rig.consumer_info(consumer)).num_ack_pending:
            await asyncio.sleep(0.05)
    async with rig.running(consumer, lambda p: p.handle_batches(work)):
        await rig.settled()
    assert sorted(message.number for message in rig.seen) == list(range(40))


async def test_one_bad_message_in_a_batch_takes_no_other_with_it(rig: Rig) -> None:
    consumer = Consumer("common-batch", "THINGS", (ThingHappened,), slots=10, batch=10)

    async def work(deliveries: Sequence[Delivery], transaction: Transaction) -> None:
        for delivery in deliveries:
            assert isinstance(delivery.message, ThingHappened)
            if delivery.message.number == 3:
                raise SabatinaError
            transaction.publish(delivery.message, traceparent=delivery.traceparent)

    for number in range(10):
        await rig.publisher.publish(happened(number=number))
    async with rig.running(consumer, lambda p: p.handle_batches(work)):
        await rig.settled()
    async with rig.database.transaction() as transaction:
        count = await transaction.connection.execute(text("SELECT count(*) FROM common.outbox"))
        assert count.scalar_one() == 9
    assert len(await rig.dead()) == 1


async def test_the_asker_hears_the_answer_or_the_reason_of_a_refusal(rig: Rig) -> None:
    async def answer(command: DoThing, transaction: Transaction) -> Done:
        return Done(word="done")

    async def refuse(command: DoThing, transaction: Transaction) -> Done:
        raise CommandRefused("no_such_thing", "There is no such thing.")

    command = DoThing(occurred_at=datetime.now(UTC))
    async with rig.running(PLAIN, lambda p: p.handle(DoThing, answer)):
        assert await rig.publisher.ask(command, Done) == Done(word="done")
    with pytest.raises(CommandRefused, match="no_such_thing"):
        async with rig.running(PLAIN, lambda p: p.handle(DoThing, refuse)):
            await rig.publisher.ask(DoThing(occurred_at=datetime.now(UTC)), Done)
    assert await rig.dead() == []


async def test_the_relay_publishes_what_was_committed_in_order(rig: Rig) -> None:
    relay = Relay(rig.database.engine, "common", rig.publisher)
    rig.database.on_publish(relay.wake)
    running = asyncio.create_task(relay.run())
    consumer = Consumer("common-relay", "THINGS", (ThingHappened,), is_ordered=True)
    try:
        async with rig.running(consumer, lambda p: p.handle(ThingHappened, rig.record)):
            for start in range(0, 50, 5):
                async with rig.database.transaction() as transaction:
                    for number in range(start, start + 5):
                        transaction.publish(happened("ana", number))
            with pytest.raises(ZeroDivisionError):
                async with rig.database.transaction() as transaction:
                    transaction.publish(happened("ana", 99))
                    raise ZeroDivisionError
            async with asyncio.timeout(10):
                while len(rig.seen) < 50:
                    await asyncio.sleep(0.02)
    finally:
        await relay.stop()
        await running
    assert [message.number for message in rig.seen] == list(range(50))
    assert await relay.pending() == 0


async def test_every_stream_and_consumer_is_created_twice_without_harm(servers: Servers) -> None:
    connected = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    await topology.apply(connected.jetstream, simulation=True)
    info = await connected.jetstream.consumer_info("INBOUND", "users-understand-0")
    assert info.config.max_ack_pending == 1
    await connected.client.close()


def test_an_answer_is_a_value() -> None:
    answer = UserRegistration(user_id=UserId(uuid4()), is_new=True, state="pending")
    assert UserRegistration.model_validate_json(answer.model_dump_json()) == answer
