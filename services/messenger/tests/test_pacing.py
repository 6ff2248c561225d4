import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from uuid import uuid4

import pytest

from devstack.pytest_plugin import Servers
from devstack.servers import free_port
from messenger import metrics
from messenger.dispatch import Dispatcher, Outlet
from messenger.errors_policy import SPAM
from messenger.handlers import Handlers
from messenger.limits.pacing import (
    RECOVERY,
    SAME_MOMENT,
    SLOWEST,
    LocalPacer,
    Pacer,
    RedisPacer,
    burst_of,
)
from messenger.limits.pauses import Pause, Pauses

from .conftest import NUMBER, Rig


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def taken_within(pacer: Pacer, seconds: float, want: int = 50) -> int:
    taken, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        grant = await pacer.reserve(want)
        taken += grant.slots
        await asyncio.sleep(min(grant.wait, 0.05) if not grant.slots else 0)
    return taken


async def test_a_local_pacer_gives_a_burst_and_then_its_rate() -> None:
    clock = Seconds()
    pacer = LocalPacer(100, clock)
    assert (await pacer.reserve(1000)).slots == burst_of(100) == 25
    grant = await pacer.reserve(1)
    assert grant.slots == 0
    assert grant.wait == pytest.approx(0.01)
    taken = 0
    for _ in range(1000):
        clock.now += 0.01
        taken += (await pacer.reserve(10)).slots
    assert taken == pytest.approx(1000, abs=1)


async def test_slots_that_are_given_back_can_be_taken_again() -> None:
    pacer = LocalPacer(100, Seconds())
    await pacer.reserve(25)
    await pacer.give_back(20)
    assert (await pacer.reserve(25)).slots in (19, 20)


async def test_a_number_that_was_too_fast_goes_at_half_the_rate_and_comes_back() -> None:
    clock = Seconds()
    pacer = LocalPacer(80, clock)
    for _ in range(64):  # all that were in flight are refused: one piece of news
        await pacer.slow_down()
    assert pacer.factor == pytest.approx(0.5)
    clock.now += 3
    assert pacer.factor == pytest.approx(0.55)
    clock.now += 27
    assert pacer.factor == 1


async def test_news_after_news_makes_it_slower_down_to_a_floor() -> None:
    clock = Seconds()
    pacer = LocalPacer(80, clock)
    for _ in range(10):
        await pacer.slow_down()
        clock.now += SAME_MOMENT
    await pacer.slow_down()
    assert pacer.factor == pytest.approx(SLOWEST)
    await pacer.reserve(100)
    clock.now += 10
    taken = 0
    for _ in range(100):
        clock.now += 0.1
        taken += (await pacer.reserve(100)).slots
    grown = SLOWEST + 15 * RECOVERY  # on average
    assert taken == pytest.approx(80 * grown * 10, rel=0.25)


async def test_a_number_finds_the_rate_that_is_allowed_and_stays_near_it() -> None:
    """WhatsApp allows 40 where the settings say 80."""
    clock = Seconds()
    pacer = LocalPacer(80, clock)
    sent = refused = 0
    for second in range(300):
        this_second = 0
        for _ in range(20):
            clock.now += 0.05
            this_second += (await pacer.reserve(100)).slots
        if this_second > 40:
            refused += this_second - 40
            await pacer.slow_down()
        if second >= 60:
            sent += min(this_second, 40)
    assert sent / 240 > 40 * 0.65
    assert refused / 300 < 4


async def test_a_share_of_the_rate_is_for_when_all_of_it_would_be_too_much() -> None:
    clock = Seconds()
    pacer = LocalPacer(80, clock)
    taken = 0
    for _ in range(100):
        clock.now += 0.1
        taken += (await pacer.reserve(100, 0.25)).slots
    assert taken == pytest.approx(200, abs=6)


async def test_two_replicas_share_one_rate(servers: Servers) -> None:
    number = str(uuid4())
    first, second = (RedisPacer(servers.valkey.url, number, 200, 2) for _ in range(2))
    started = time.monotonic()
    async with aclosing(first), aclosing(second):
        taken = await asyncio.gather(taken_within(first, 2.0), taken_within(second, 2.0))
    allowed = 200 * (time.monotonic() - started)
    assert 400 * 0.8 <= sum(taken) <= allowed + burst_of(200)


async def test_slots_given_back_and_slowing_down_are_shared(servers: Servers) -> None:
    number = str(uuid4())
    first, second = (RedisPacer(servers.valkey.url, number, 2, 2) for _ in range(2))
    async with aclosing(first), aclosing(second):
        assert (await first.reserve(100)).slots == burst_of(2) == 1
        assert (await second.reserve(1)).slots == 0
        await first.give_back(1)
        assert (await second.reserve(1)).slots == 1
        await first.slow_down()
        await second.slow_down()  # of the same moment
        assert await taken_within(second, 3.0) in (2, 3, 4)  # at full rate: 6


async def test_three_replicas_hold_the_rate_of_the_number(servers: Servers) -> None:
    """`bench/pacing.py` does so for a minute, in three processes."""
    number = str(uuid4())
    replicas = [RedisPacer(servers.valkey.url, number, 80, 3) for _ in range(3)]
    async with AsyncExitStack() as opened:
        for replica in replicas:
            await opened.enter_async_context(aclosing(replica))
        started = time.monotonic()
        taken = await asyncio.gather(*(taken_within(replica, 8.0) for replica in replicas))
        lasted = time.monotonic() - started
    assert sum(taken) <= (80 * lasted + burst_of(80)) * 1.02
    assert sum(taken) >= 80 * 8 * 0.95
    assert min(taken) > 0


async def test_a_reply_gets_past_a_wave_of_slow_daily_messages(rig: Rig, servers: Servers) -> None:
    people = [uuid4() for _ in range(400)]
    wave = [rig.question(person, contact=rig.person(person)) for person in people]
    for start in range(0, 400, 100):
        await rig.handle(*wave[start : start + 100])
    rig.whatsapp.delay = 1.0
    pacer = RedisPacer(servers.valkey.url, str(uuid4()), 80, 1)
    outlet = Outlet("cloud", NUMBER, rig.channel, pacer, in_flight=20)
    rig.dispatcher = Dispatcher(rig.database, rig.clock, rig.renderer, outlet)
    rig.handlers = Handlers(rig.clock, rig.dispatcher.wake)
    waits = []
    async with aclosing(pacer), rig.dispatching():
        await asyncio.sleep(1)
        for _ in range(6):
            person = uuid4()
            await rig.know(person)
            reply = rig.send(person)
            started = time.monotonic()
            await rig.handle(reply)
            await rig.becomes(reply, "sending", within=3)
            waits.append(time.monotonic() - started)
            await asyncio.sleep(0.2)
        [row] = await rig.rows(
            "SELECT count(*) AS left FROM messenger.messages WHERE state = 'queued'"
        )
    assert row.left > 100  # the wave was under way all the time
    assert max(waits) < 1.0


async def test_one_person_never_gets_more_than_whatsapp_lends(rig: Rig) -> None:
    person, other = uuid4(), uuid4()
    await rig.know(person)
    await rig.know(other)
    await rig.handle(*[rig.send(person) for _ in range(48)])

    async def has_sent(number: int) -> None:
        async with asyncio.timeout(20):
            while len(rig.whatsapp.accepted) < number:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # one more would be on its way
        assert len(rig.whatsapp.accepted) == number

    async with rig.dispatching():
        await has_sent(45)
        reply = rig.send(other)
        await rig.handle(reply)
        await rig.becomes(reply, "accepted")
        for sent in (47, 48, 49):
            await rig.pass_time(timedelta(seconds=6))
            await has_sent(sent)


async def test_a_number_taken_for_a_spammer_sends_its_replies_at_a_quarter_of_the_rate(
    rig: Rig,
) -> None:
    people = [uuid4() for _ in range(40)]
    for person in people:
        await rig.know(person)
    async with rig.database.transaction() as transaction:
        await Pauses(transaction, NUMBER, rig.clock.now()).start([Pause("daily", 131048, SPAM)])
    outlet = Outlet("cloud", NUMBER, rig.channel, LocalPacer(80))
    rig.dispatcher = Dispatcher(rig.database, rig.clock, rig.renderer, outlet)
    async with rig.dispatching():
        await asyncio.sleep(0.6)  # it has looked
        await rig.handle(*[rig.send(person) for person in people])
        rig.dispatcher.wake()
        await asyncio.sleep(1)
        sent = len(rig.whatsapp.sent)
    assert 15 <= sent <= 30  # 20 a second, and 5 at once


async def test_without_redis_each_process_keeps_its_share_and_loses_no_time() -> None:
    pacer = RedisPacer(f"redis://127.0.0.1:{free_port()}/0", NUMBER, 100, 2)
    started = time.monotonic()
    assert (await pacer.reserve(100)).slots == burst_of(50)
    assert metrics.PACING_FALLBACK._value.get() == 1
    for _ in range(200):
        await pacer.reserve(1)
    assert time.monotonic() - started < 0.5
    await pacer.aclose()


async def test_a_thousand_messages_leave_at_the_rate_that_is_set(
    rig: Rig, servers: Servers
) -> None:
    people = [uuid4() for _ in range(1000)]
    messages = [rig.question(person, contact=rig.person(person)) for person in people]
    for start in range(0, 1000, 100):
        await rig.handle(*messages[start : start + 100])
    pacer = RedisPacer(servers.valkey.url, str(uuid4()), 200, 1)
    dispatcher = Dispatcher(
        rig.database, rig.clock, rig.renderer, Outlet("cloud", NUMBER, rig.channel, pacer)
    )
    running = asyncio.create_task(dispatcher.run())
    started = time.monotonic()
    async with asyncio.timeout(20):
        while len(rig.whatsapp.sent) < 1000:
            await asyncio.sleep(0.02)
    taken = time.monotonic() - started
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await pacer.aclose()
    assert 4.5 <= taken <= 9
    assert len(set(rig.whatsapp.trackers())) == 1000


async def test_messages_leave_without_redis(rig: Rig) -> None:
    person = uuid4()
    await rig.know(person)
    message = rig.send(person)
    pacer = RedisPacer(f"redis://127.0.0.1:{free_port()}/0", NUMBER, 80, 1)
    dispatcher = Dispatcher(
        rig.database, rig.clock, rig.renderer, Outlet("cloud", NUMBER, rig.channel, pacer)
    )
    rig.dispatcher = dispatcher
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    await pacer.aclose()
