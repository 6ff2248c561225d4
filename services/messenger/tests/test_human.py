"""The pace of a person: rules, and what they do to the queue."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.database import Database
from messenger.channels import OutboundMessage
from messenger.channels.waha import WahaChannel
from messenger.channels.waha_api import WahaApi
from messenger.rendering import TextContent
from messenger.waha.pace import Pace

from .conftest import START
from .fake_waha import SESSION, FakeWaha
from .waha_rig import WahaRig

MINUTE = timedelta(minutes=1)


def pace(**fields: object) -> Pace:
    return Pace(**({"chance": random.Random(7)} | fields))  # type: ignore[arg-type]


@pytest.fixture
async def waha() -> AsyncIterator[FakeWaha]:
    async with FakeWaha().serving() as fake:
        yield fake


async def paced(database: Database, waha: FakeWaha, **fields: object) -> WahaRig:
    """Gaps and typing as they are; nobody really waits while typing."""

    async def no_time(_: float) -> None:
        return

    return WahaRig(database, waha, pace(sleep=no_time, **({"jitter": timedelta()} | fields)))


def test_typing_takes_as_long_as_the_text_but_never_long() -> None:
    typing = [pace(chance=random.Random(seed)).typing_seconds("x" * 100) for seed in range(50)]
    assert all(4 <= seconds <= 6 for seconds in typing)
    assert len(set(typing)) > 10
    assert pace().typing_seconds("x" * 4000) == 8.0
    assert pace(factor=0).typing_seconds("x" * 4000) == 0


def test_gaps_are_longer_between_people_who_did_not_ask() -> None:
    one = pace()
    assert all(timedelta(seconds=30) <= one.proactive_gap() <= MINUTE for _ in range(100))
    assert all(timedelta(seconds=1) <= one.reply_gap() <= timedelta(seconds=3) for _ in range(100))


def test_the_minute_of_the_day_is_another_for_everybody_and_the_same_when_asked_again() -> None:
    people = [uuid4() for _ in range(300)]
    minutes = Counter((pace().due_at(p, START, None) - START) // MINUTE for p in people)
    assert set(minutes) == set(range(20))
    assert [pace().due_at(p, START, None) for p in people] == [
        pace().due_at(p, START, None) for p in people
    ]
    tomorrow = START + timedelta(days=1)
    assert any(
        pace().due_at(p, START, None) - START != pace().due_at(p, tomorrow, None) - tomorrow
        for p in people
    )


def test_a_message_never_waits_until_it_has_expired() -> None:
    expires_at = START + timedelta(minutes=2)
    assert all(pace().due_at(uuid4(), START, expires_at) < expires_at for _ in range(200))


@pytest.mark.parametrize(("days", "limit"), [(0, 20), (1, 40), (2, 60), (11, 240), (12, 250)])
def test_a_new_number_is_warmed_up(days: int, limit: int) -> None:
    assert pace().limit_on(START + timedelta(days=days), START) == limit
    assert pace().limit_on(START, None) == 20


async def test_a_person_sees_that_their_message_was_read_and_that_somebody_types(
    waha: FakeWaha,
) -> None:
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def forget(*_: object) -> None:
        return

    api = WahaApi(waha.url, "simulated-key", SESSION, connections=1)
    channel = WahaChannel(api, pace(sleep=sleep), forget)
    await channel.send(
        OutboundMessage(
            uuid4(), "123@lid", TextContent("Olá " * 20), "reply", chat_id="123@lid", answers="AB"
        )
    )
    await channel.close()
    assert [path for path, _ in waha.posted] == [
        "sendSeen",
        "startTyping",
        "stopTyping",
        "sendText",
    ]
    assert 3.2 <= waits[0] <= 4.8


async def test_people_who_did_not_ask_are_written_to_half_a_minute_apart(
    database: Database, waha: FakeWaha
) -> None:
    rig = await paced(database, waha)
    people = [uuid4() for _ in range(3)]
    for person in people:
        await rig.know(person, wrote=False)
    await rig.handle(*(rig.question(person) for person in people))
    async with rig.dispatching():
        await rig.sends(1)
        await rig.pass_time(timedelta(seconds=29))
        await no_more_than(rig, 1)
        await rig.pass_time(timedelta(seconds=31))
        await rig.sends(2)
        await no_more_than(rig, 2)
    await rig.channel.close()


async def test_a_reply_does_not_wait_for_the_gap_between_questions(
    database: Database, waha: FakeWaha, user: UUID
) -> None:
    rig = await paced(database, waha)
    asking = uuid4()
    await rig.know(asking)
    await rig.know(user, wrote=False)
    await rig.handle(rig.question(user))
    async with rig.dispatching():
        await rig.sends(1)
        reply = rig.send(asking)
        await rig.handle(reply)
        await rig.pass_time(timedelta(seconds=3))
        await rig.becomes(reply, "accepted")
    await rig.channel.close()


async def test_daily_messages_wait_for_their_minute_and_replies_do_not(
    database: Database, waha: FakeWaha, user: UUID
) -> None:
    rig = await paced(database, waha, factor=0, jitter=timedelta(minutes=20))
    await rig.know(user)
    question, reply = rig.question(user), rig.send(user)
    due_at = rig.pace.due_at(user, rig.clock.now(), None)
    await rig.handle(question, reply)
    async with rig.dispatching():
        await rig.becomes(reply, "accepted")
        await rig.pass_time(due_at - rig.clock.now() - timedelta(seconds=1))
        await no_more_than(rig, 1)
        await rig.pass_time(timedelta(seconds=1))
        await rig.becomes(question, "accepted")
    await rig.channel.close()


async def test_the_daily_limit_holds_new_conversations_until_there_is_room(
    database: Database, waha: FakeWaha
) -> None:
    rig = await paced(database, waha, factor=0, first_day_limit=3)
    people = [uuid4() for _ in range(5)]
    for person in people:
        await rig.know(person, wrote=False)
    questions = [rig.question(person) for person in people]
    await rig.handle(*questions)
    async with rig.dispatching():
        await rig.sends(3)
        await no_more_than(rig, 3)
        await rig.pass_time(timedelta(hours=24, seconds=1))
        await rig.sends(5)
    await rig.channel.close()


async def test_who_writes_is_answered_and_asked_whatever_the_limit(
    database: Database, waha: FakeWaha, user: UUID
) -> None:
    rig = await paced(database, waha, factor=0, first_day_limit=1)
    stranger = uuid4()
    await rig.know(stranger, wrote=False)
    await rig.know(user)
    async with rig.dispatching():
        first = rig.question(stranger)
        await rig.handle(first)
        await rig.becomes(first, "accepted")
        question, reply = rig.question(user), rig.send(user)
        await rig.handle(question, reply)
        await rig.becomes(question, "accepted")
        await rig.becomes(reply, "accepted")
    await rig.channel.close()


async def test_what_the_limit_holds_expires_by_itself(
    database: Database, waha: FakeWaha, user: UUID
) -> None:
    rig = await paced(database, waha, factor=0, first_day_limit=1)
    first, second = uuid4(), uuid4()
    await rig.know(first, wrote=False)
    await rig.know(second, wrote=False)
    held = rig.question(second, expires_at=rig.in_seconds(3600))
    async with rig.dispatching():
        taken = rig.question(first)
        await rig.handle(taken)
        await rig.becomes(taken, "accepted")
        await rig.handle(held)
        await no_more_than(rig, 1)
        await rig.pass_time(timedelta(hours=1, seconds=1))
        row = await rig.becomes(held, "failed")
    assert row.reason == "expired"
    await rig.channel.close()


async def no_more_than(rig: WahaRig, count: int) -> None:
    await asyncio.sleep(0.8)
    assert len(rig.waha.sent) == count
