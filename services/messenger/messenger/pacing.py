"""How many messages may leave now. One rate for each number, shared by all replicas."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from messenger import metrics

log = structlog.get_logger()

REDIS_TIMEOUT = 0.2  # seconds
BREAK = 2.0  # seconds without asking Redis again after it failed
SLOW_FOR = 60.0  # seconds
SLOWEST = 0.125  # of the rate
BURST = 0.25  # seconds of the rate that may go at once after a rest
SHORTEST_WAIT = 0.002  # seconds

# The generic cell rate algorithm: a key holds the moment at which the number is at rest again.
# A negative `want` gives slots back. Returns {slots, microseconds until the next one}.
RESERVE = """
local interval = 1000000 / (tonumber(ARGV[1]) * tonumber(redis.call('GET', KEYS[2]) or '1'))
local burst, want = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local rest = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local free = math.floor(burst - (rest - now) / interval)
local slots = math.max(math.min(want, free), math.min(want, 0))
if slots ~= 0 then
  rest = rest + slots * interval
  local ttl = math.max(math.ceil((rest - now) / 1000), 1)
  redis.call('SET', KEYS[1], string.format('%.0f', rest), 'PX', string.format('%.0f', ttl))
end
return {slots, math.max(math.ceil(rest + interval * (1 - burst) - now), 0)}
"""

SLOW_DOWN = """
local factor = math.max(tonumber(redis.call('GET', KEYS[1]) or '1') / 2, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], tostring(factor), 'PX', ARGV[2])
"""


@dataclass(frozen=True)
class Grant:
    slots: int
    wait: float = 0.0
    """Seconds until there is another slot, when there is none."""


class Pacer(Protocol):
    async def reserve(self, want: int) -> Grant: ...

    async def give_back(self, slots: int) -> None: ...

    async def slow_down(self) -> None:
        """WhatsApp says that it is too much: half the rate for a while."""
        ...


class LocalPacer:
    """The same algorithm for one process, on the monotonic clock."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._rest = 0.0
        self._factor = 1.0
        self._slow_until = 0.0

    async def reserve(self, want: int) -> Grant:
        now = self._clock()
        if now >= self._slow_until:
            self._factor = 1.0
        interval = 1 / (self._rate * self._factor)
        burst = burst_of(self._rate)
        rest = max(self._rest, now)
        slots = max(min(want, math.floor(burst - (rest - now) / interval)), 0)
        self._rest = rest + slots * interval
        return Grant(slots, max(self._rest + interval * (1 - burst) - now, SHORTEST_WAIT))

    async def give_back(self, slots: int) -> None:
        self._rest -= slots / (self._rate * self._factor)

    async def slow_down(self) -> None:
        self._factor = max(self._factor / 2, SLOWEST)
        self._slow_until = self._clock() + SLOW_FOR


class RedisPacer:
    """Shared through Redis. While that is away, each process keeps its share of the rate."""

    def __init__(self, redis_url: str, number_id: str, rate: float, replicas: int) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._reserve = self._redis.register_script(RESERVE)
        self._slow_down = self._redis.register_script(SLOW_DOWN)
        self._keys = [f"sabatina:pacing:{number_id}", f"sabatina:pacing:{number_id}:factor"]
        self._rate = rate
        self._share = LocalPacer(rate / replicas)
        self._broken_until = 0.0

    async def reserve(self, want: int) -> Grant:
        if self._is_broken:
            return await self._share.reserve(want)
        try:
            slots, wait = await self._call(want)
        except (RedisError, OSError, TimeoutError) as error:
            self._break(error)
            return await self._share.reserve(want)
        metrics.PACING_FALLBACK.set(0)
        return Grant(slots, max(wait / 1e6, SHORTEST_WAIT))

    async def give_back(self, slots: int) -> None:
        if self._is_broken:
            await self._share.give_back(slots)
            return
        try:
            await self._call(-slots)
        except (RedisError, OSError, TimeoutError) as error:
            self._break(error)

    async def slow_down(self) -> None:
        await self._share.slow_down()
        if self._is_broken:
            return
        try:
            await self._slow_down(keys=self._keys[1:], args=[SLOWEST, int(SLOW_FOR * 1000)])
        except (RedisError, OSError, TimeoutError) as error:
            self._break(error)

    async def aclose(self) -> None:
        await self._redis.aclose()

    @property
    def _is_broken(self) -> bool:
        return time.monotonic() < self._broken_until

    async def _call(self, want: int) -> tuple[int, int]:
        arguments = [self._rate, burst_of(self._rate), want]
        slots, wait = await self._reserve(keys=self._keys, args=arguments)
        return int(slots), int(wait)

    def _break(self, error: Exception) -> None:
        self._broken_until = time.monotonic() + BREAK
        metrics.PACING_FALLBACK.set(1)
        log.warning("pacing_without_redis", error=type(error).__name__)


def burst_of(rate: float) -> int:
    return max(math.ceil(rate * BURST), 1)
