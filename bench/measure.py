"""CPU time of other processes, and a bounded load of HTTP requests. Ratios, not promises."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from devstack.servers import passing_folder
from devstack.stack import Stack, StackOptions

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_of_programs(stack: Stack) -> dict[str, float]:
    """Seconds of CPU that each program has used."""
    return {
        name: cpu_seconds(program.process.pid)
        for name, program in stack.programs.items()
        if program.process is not None
    }


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def running_stack(**options: Any) -> Iterator[Stack]:
    """The product in a folder that goes away, its logs in files."""
    with passing_folder() as folder:
        stack = Stack(StackOptions(folder / "state", log_folder=folder / "logs", **options))
        stack.start()
        try:
            yield stack
        finally:
            stack.stop()


@dataclass(frozen=True)
class Request:
    body: bytes
    headers: dict[str, str]


async def post_all(url: str, requests: Sequence[Request], *, connections: int) -> float:
    """Posts every request once; returns the seconds it took. Raises on any answer but 200."""
    queue = list(reversed(requests))
    connector = aiohttp.TCPConnector(limit=connections)

    async def worker(session: aiohttp.ClientSession) -> None:
        while queue:
            request = queue.pop()
            async with session.post(url, data=request.body, headers=request.headers) as answer:
                if answer.status != 200:
                    raise RuntimeError(f"{url} answered {answer.status}")
                await answer.read()

    started = time.perf_counter()
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session) for _ in range(connections)))
    return time.perf_counter() - started


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
