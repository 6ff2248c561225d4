"""The bus against a real NATS and a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from common.bus import dead_letters
from common.bus.consumer import Delivery, Processor
from common.database import Transaction
from common.errors import DependencyUnavailable, RetryableError, SabatinaError
from common.topology import Consumer

from .rig import PLAIN, Rig, ThingHappened, happened


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
    async with rig.running(consumer, lambda p: p.handle_batches(work)):
        await rig.settled(within=consumer.ack_wait.total_seconds() / 2)
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
