"""Three replicas over one number: do they hold its rate together for a minute?"""

import asyncio
import multiprocessing
import os
import tempfile
import time
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import uuid4

from bench.measure import percentile
from devstack.servers import Valkey
from messenger.limits.pacing import RedisPacer, burst_of

RATE = 80.0
REPLICAS = 3
SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
TOLERANCE = 0.02
AT_ONCE = 20  # slots that a dispatcher asks for
START_WITHIN = 30.0  # seconds


@dataclass(frozen=True)
class Together:
    """What the replicas share."""

    url: str
    number: str
    start: Barrier
    results: "SimpleQueue[list[float]]"


def run() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="sabatina-bench-") as folder:
        valkey = Valkey(Path(folder) / "valkey")
        try:
            valkey.start()
            return _measure(valkey.url)
        finally:
            valkey.stop()


def _measure(url: str) -> dict[str, object]:
    """A process of its own for each replica, as in production."""
    context = multiprocessing.get_context("spawn")
    together = Together(url, str(uuid4()), context.Barrier(REPLICAS), context.SimpleQueue())
    processes = [context.Process(target=_replica, args=(together,)) for _ in range(REPLICAS)]
    for process in processes:
        process.start()
    replicas = [together.results.get() for _ in processes]
    for process in processes:
        process.join()
    taken = sorted(moment for replica in replicas for moment in replica)
    within = [moment for moment in taken if moment < taken[0] + SECONDS]
    per_s = len(within) / SECONDS
    fullest = _fullest_second(within)
    return {
        "replicas": REPLICAS,
        "seconds": SECONDS,
        "rate": RATE,
        "taken_per_s": round(per_s, 2),
        "off_by_percent": round((per_s / RATE - 1) * 100, 2),
        "target_off_by_percent": TOLERANCE * 100,
        "of_each_replica": sorted(len(replica) for replica in replicas),
        "fullest_second": fullest,
        "gap_ms_p99": round(percentile(_gaps(within), 0.99) * 1000, 1),
        "ok": abs(per_s / RATE - 1) <= TOLERANCE and fullest <= RATE + burst_of(RATE),
    }


def _replica(together: Together) -> None:
    together.start.wait(START_WITHIN)
    together.results.put(asyncio.run(_take(together.url, together.number)))


async def _take(url: str, number: str) -> list[float]:
    """The moments at which slots were taken, on the clock that all processes share."""
    moments: list[float] = []
    async with aclosing(RedisPacer(url, number, RATE, REPLICAS)) as pacer:
        deadline = time.monotonic() + SECONDS + 0.5
        while time.monotonic() < deadline:
            grant = await pacer.reserve(AT_ONCE)
            moments += [time.monotonic()] * grant.slots
            await asyncio.sleep(0 if grant.slots else grant.wait)
    return moments


def _fullest_second(moments: list[float]) -> int:
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] < moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def _gaps(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(moments)]
