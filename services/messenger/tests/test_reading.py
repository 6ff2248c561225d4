"""Read marks and typing: a courtesy that never costs an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from common.events import InboundRef, InboundUnderstood
from common.ids import UserId
from devstack.pytest_plugin import Migrated, Servers
from messenger.channels.cloud import CloudChannel
from messenger.reading import WAITING, Reading

from .conftest import NUMBER, Rig
from .fakes import FakeWhatsApp, Fault
from .test_app import bus, service


@asynccontextmanager
async def marking(rig: Rig, *, is_busy: bool = False) -> AsyncIterator[Reading]:
    reading = Reading(rig.database, rig.clock, marker(rig), lambda: is_busy)
    running = asyncio.create_task(reading.run())
    try:
        yield reading
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def understood(
    rig: Rig, user: UUID, intent: str = "menu", *, provider_id: str = "", **fields: object
) -> InboundUnderstood:
    made = InboundUnderstood(
        occurred_at=rig.clock.now(),
        user_id=UserId(user),
        inbound=InboundRef(
            provider_id=provider_id or f"wamid.{uuid4()}", at=rig.clock.now(), number_id=NUMBER
        ),
        intent=intent,
    )
    return made.model_copy(update=fields)


def marker(rig: Rig) -> CloudChannel:
    assert isinstance(rig.channel, CloudChannel)
    return rig.channel


def count(outcome: str) -> float:
    found = REGISTRY.get_sample_value("sabatina_read_marks_total", {"outcome": outcome})
    return found or 0.0


async def marked(rig: Rig, amount: int) -> list[dict[str, object]]:
    async with asyncio.timeout(5):
        while len(rig.whatsapp.marks) < amount:
            await asyncio.sleep(0.01)
    return rig.whatsapp.marks


async def test_what_a_person_wrote_is_marked_as_read(rig: Rig, user: UUID) -> None:
    async with marking(rig) as reading:
        reading.offer([understood(rig, user, provider_id="wamid.7")])
        assert await marked(rig, 1) == [
            {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.7"}
        ]


@pytest.mark.parametrize("intent", ["reply", "question_now"])
async def test_a_reply_that_takes_time_is_seen_coming(rig: Rig, user: UUID, intent: str) -> None:
    async with marking(rig) as reading:
        reading.offer([understood(rig, user, intent)])
        [mark] = await marked(rig, 1)
        assert mark["typing_indicator"] == {"type": "text"}


async def test_there_is_no_typing_after_the_reply(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    inbound = InboundRef(provider_id="wamid.9", at=rig.clock.now(), number_id=NUMBER)
    reply = rig.send(user, inbound=inbound)
    await rig.handle(reply)
    async with rig.dispatching():
        await rig.becomes(reply, "accepted")
    async with marking(rig) as reading:
        reading.offer([understood(rig, user, "reply", provider_id="wamid.9")])
        [mark] = await marked(rig, 1)
        assert "typing_indicator" not in mark


async def test_a_mark_that_comes_late_is_left_out(rig: Rig, user: UUID) -> None:
    late = understood(rig, user)
    rig.clock.advance(timedelta(seconds=21))
    async with marking(rig) as reading:
        reading.offer([late, understood(rig, user, provider_id="wamid.on_time")])
        assert [mark["message_id"] for mark in await marked(rig, 1)] == ["wamid.on_time"]


async def test_nobody_is_marked_under_load(rig: Rig, user: UUID) -> None:
    skipped = count("skipped")
    async with marking(rig, is_busy=True) as reading:
        reading.offer([understood(rig, user) for _ in range(3)])
        await asyncio.sleep(0.05)
    assert rig.whatsapp.marks == []
    assert count("skipped") == skipped + 3


async def test_a_crowd_is_not_marked(rig: Rig, user: UUID) -> None:
    skipped = count("skipped")
    reading = Reading(rig.database, rig.clock, marker(rig), lambda: False)
    reading.offer([understood(rig, user) for _ in range(WAITING + 5)])
    assert count("skipped") == skipped + 5


async def test_only_messages_of_the_cloud_api_that_somebody_wrote_are_marked(
    rig: Rig, user: UUID
) -> None:
    reaction = understood(rig, user, opens_window=False)
    waha = understood(rig, user)
    waha = waha.model_copy(update={"inbound": waha.inbound.model_copy(update={"channel": "waha"})})
    async with marking(rig) as reading:
        reading.offer([reaction, waha, understood(rig, user, provider_id="wamid.7")])
        assert [mark["message_id"] for mark in await marked(rig, 1)] == ["wamid.7"]


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500), Fault(code=100), Fault(drops_connection=True), Fault(code=131056)],
)
async def test_a_mark_that_fails_is_not_repeated(rig: Rig, user: UUID, fault: Fault) -> None:
    failed = count("failed")
    rig.whatsapp.mark_faults.append(fault)
    async with marking(rig) as reading:
        reading.offer([understood(rig, user)])
        await marked(rig, 1)
        reading.offer([understood(rig, user)])
        await marked(rig, 2)
    assert count("failed") == failed + 1


async def test_the_service_marks_what_was_understood(
    servers: Servers, migrated: Migrated, whatsapp: FakeWhatsApp
) -> None:
    migrated.empty("messenger")
    now = datetime.now(UTC)
    heard = InboundUnderstood(
        occurred_at=now,
        user_id=UserId(uuid4()),
        inbound=InboundRef(provider_id="wamid.7", at=now, number_id=NUMBER),
        intent="reply",
    )
    async with bus(servers) as publisher, service(servers, migrated, whatsapp.url):
        await publisher.publish(heard)
        async with asyncio.timeout(15):
            while not whatsapp.marks:
                await asyncio.sleep(0.02)
    assert whatsapp.marks[0]["typing_indicator"] == {"type": "text"}
