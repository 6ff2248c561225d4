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
SLOWEST = 0.125  # of the rate
RECOVERY = 0.05 / 3  # of the rate, a second: five percent more every three seconds
SAME_MOMENT = 1.0  # seconds; refusals of one moment are one piece of news
BURST = 0.25  # seconds of the rate that may go at once after a rest
SHORTEST_WAIT = 0.002  # seconds

# The generic cell rate algorithm: a key holds the moment at which the number is at rest again.
# A negative `want` gives slots back. Returns {slots, microseconds until the next one}.
RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local factor = 1
local at_once, since = string.match(redis.call('GET', KEYS[2]) or '', '(%S+) (%S+)')
if since then factor = math.min(1, at_once + (now - since) / 1000000 * tonumber(ARGV[4])) end
local interval = 1000000 / (tonumber(ARGV[1]) * factor)
local burst, want = tonumber(ARGV[2]), tonumber(ARGV[3])
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

# Halves the part of the rate that has been reached again since the last time.
SLOW_DOWN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local slowest, recovery, moment = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local factor = 1
local at_once, since = string.match(redis.call('GET', KEYS[1]) or '', '(%S+) (%S+)')
if since then
  if (now - since) / 1000000 < moment then return end
  factor = math.min(1, at_once + (now - since) / 1000000 * recovery)
end
factor = math.max(factor / 2, slowest)
local ttl = string.format('%.0f', math.ceil((1 - factor) / recovery * 1000))
redis.call('SET', KEYS[1], string.format('%.4f %.0f', factor, now), 'PX', ttl)
"""


@dataclass(frozen=True)
class Grant:
    slots: int
    wait: float = 0.0
    """Seconds until there is another slot, when there is none."""


class Pacer(Protocol):
    async def reserve(self, want: int, share: float = 1.0) -> Grant:
        """`share`: of the rate, while all of it would be too much."""
        ...

    async def give_back(self, slots: int) -> None: ...

    async def slow_down(self) -> None:
        """WhatsApp says that it is too much: half the rate, and then step by step more."""
        ...


class LocalPacer:
    """The same algorithm for one process, on the monotonic clock."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._rest = 0.0
        self._slowed_to = 1.0
        self._slowed_at = -math.inf

    async def reserve(self, want: int, share: float = 1.0) -> Grant:
        now = self._clock()
        interval = 1 / (self._rate * share * self.factor)
        burst = burst_of(self._rate * share)
        rest = max(self._rest, now)
        slots = max(min(want, math.floor(burst - (rest - now) / interval)), 0)
        self._rest = rest + slots * interval
        return Grant(slots, max(self._rest + interval * (1 - burst) - now, SHORTEST_WAIT))

    async def give_back(self, slots: int) -> None:
        self._rest -= slots / (self._rate * self.factor)

    async def slow_down(self) -> None:
        if self._clock() - self._slowed_at < SAME_MOMENT:
            return
        self._slowed_to = max(self.factor / 2, SLOWEST)
        self._slowed_at = self._clock()

    @property
    def factor(self) -> float:
        """The part of the rate that is used at the moment."""
        return min(1.0, self._slowed_to + (self._clock() - self._slowed_at) * RECOVERY)


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

    async def reserve(self, want: int, share: float = 1.0) -> Grant:
        if self._is_broken:
            return await self._share.reserve(want, share)
        try:
            slots, wait = await self._call(want, share)
        except (RedisError, OSError, TimeoutError) as error:
            self._break(error)
            return await self._share.reserve(want, share)
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
            await self._slow_down(keys=self._keys[1:], args=[SLOWEST, RECOVERY, SAME_MOMENT])
        except (RedisError, OSError, TimeoutError) as error:
            self._break(error)

    async def aclose(self) -> None:
        await self._redis.aclose()

    @property
    def _is_broken(self) -> bool:
        return time.monotonic() < self._broken_until

    async def _call(self, want: int, share: float = 1.0) -> tuple[int, int]:
        rate = self._rate * share
        arguments = [rate, burst_of(rate), want, RECOVERY]
        slots, wait = await self._reserve(keys=self._keys, args=arguments)
        return int(slots), int(wait)

    def _break(self, error: Exception) -> None:
        self._broken_until = time.monotonic() + BREAK
        metrics.PACING_FALLBACK.set(1)
        log.warning("pacing_without_redis", error=type(error).__name__)


def burst_of(rate: float) -> int:
    return max(math.ceil(rate * BURST), 1)
