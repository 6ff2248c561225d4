import asyncio
import time
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
    pacers = [RedisPacer(servers.valkey.url, number, 200, 2) for _ in range(2)]
    taken = await asyncio.gather(*(taken_within(pacer, 2.0) for pacer in pacers))
    assert 400 * 0.9 <= sum(taken) <= 400 + burst_of(200) + 8
    for pacer in pacers:
        await pacer.close()


async def test_slots_given_back_and_slowing_down_are_shared(servers: Servers) -> None:
    number = str(uuid4())
    first, second = (RedisPacer(servers.valkey.url, number, 100, 2) for _ in range(2))
    assert (await first.reserve(100)).slots == 25
    assert (await second.reserve(1)).slots == 0
    await first.give_back(25)
    assert (await second.reserve(25)).slots == 25
    await first.slow_down()
    half_of_the_burst = 13
    assert 30 <= await taken_within(second, 1.0) <= 50 + half_of_the_burst + 5
    await first.close()
    await second.close()


async def test_without_redis_each_process_keeps_its_share_and_loses_no_time() -> None:
    pacer = RedisPacer(f"redis://127.0.0.1:{free_port()}/0", NUMBER, 100, 2)
    started = time.monotonic()
    assert (await pacer.reserve(100)).slots == burst_of(50)
    assert metrics.PACING_FALLBACK._value.get() == 1
    for _ in range(200):
        await pacer.reserve(1)
    assert time.monotonic() - started < 0.5
    await pacer.close()


async def test_a_thousand_messages_leave_at_the_rate_that_is_set(
    rig: Rig, servers: Servers
) -> None:
    people = [uuid4() for _ in range(1000)]
    messages = [rig.question(person, contact=rig.person(person)) for person in people]
    for start in range(0, 1000, 100):
        await rig.handle(*messages[start : start + 100])
    pacer = RedisPacer(servers.valkey.url, str(uuid4()), 200, 1)
    dispatcher = Dispatcher(
        rig.database, rig.clock, rig.renderer, Outlet(NUMBER, rig.channel, pacer)
    )
    running = asyncio.create_task(dispatcher.run())
    started = time.monotonic()
    async with asyncio.timeout(20):
        while len(rig.whatsapp.sent) < 1000:
            await asyncio.sleep(0.02)
    taken = time.monotonic() - started
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await pacer.close()
    assert 4.5 <= taken <= 9
    assert len(set(rig.whatsapp.trackers())) == 1000


async def test_messages_leave_without_redis(rig: Rig) -> None:
    person = uuid4()
    await rig.know(person)
    message = rig.send(person)
    pacer = RedisPacer(f"redis://127.0.0.1:{free_port()}/0", NUMBER, 80, 1)
    dispatcher = Dispatcher(
        rig.database, rig.clock, rig.renderer, Outlet(NUMBER, rig.channel, pacer)
    )
    rig.dispatcher = dispatcher
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    await pacer.close()
