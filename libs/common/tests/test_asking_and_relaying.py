"""Answers to commands, and what leaves with a transaction."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from common import topology
from common.bus.publisher import connect
from common.database import Transaction
from common.errors import CommandRefused
from common.events import UserRegistration
from common.ids import UserId
from common.outbox import Relay
from common.topology import Consumer
from devstack.pytest_plugin import Servers

from .rig import PLAIN, Done, DoThing, Rig, ThingHappened, happened


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
    relay = Relay(rig.database.url, "common", rig.publisher)
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
    async with rig.database.transaction() as transaction:
        rows = await transaction.connection.execute(text("SELECT count(*) FROM common.outbox"))
        assert rows.scalar_one() == 0


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
