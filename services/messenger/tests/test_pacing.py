import asyncio
import time
from contextlib import aclosing
from uuid import uuid4

import pytest

from devstack.pytest_plugin import Servers
from devstack.servers import free_port
from messenger import metrics
from messenger.dispatch import Dispatcher, Outlet
from messenger.pacing import SLOWEST, LocalPacer, Pacer, RedisPacer, burst_of

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


async def test_a_number_that_was_too_fast_goes_slower_for_a_while() -> None:
    clock = Seconds()
    pacer = LocalPacer(80, clock)
    for _ in range(10):
        await pacer.slow_down()
    await pacer.reserve(100)
    clock.now += 10
    assert (await pacer.reserve(100)).slots <= burst_of(80)
    taken = 0
    for _ in range(100):
        clock.now += 0.1
        taken += (await pacer.reserve(100)).slots
    assert taken == pytest.approx(80 * SLOWEST * 10, abs=2)


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
        assert await taken_within(second, 3.0) in (2, 3, 4)  # at full rate: 6


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
