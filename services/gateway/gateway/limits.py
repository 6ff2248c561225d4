"""How often one address may do something. Redis counts for all replicas; alone, each counts."""

import hashlib
import time
from collections import OrderedDict
from datetime import timedelta

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

REMEMBERED = 10_000  # addresses counted in this process while Redis is away
REDIS_TIMEOUT = 0.25  # seconds


class RateLimit:
    """At most `limit` in each `window`. Close it when done."""

    def __init__(self, redis_url: str, limit: int, window: timedelta) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT
        )
        self._limit = limit
        self._window = int(window.total_seconds())
        self._local: OrderedDict[str, int] = OrderedDict()

    async def seconds_to_wait(self, address: str) -> int:
        """0 when this one is allowed; otherwise how long until the next one is."""
        now = int(time.time())
        slot, passed = divmod(now, self._window)
        key = hashlib.sha256(f"{address}|{slot}".encode()).hexdigest()[:32]
        count = await self._count(f"register:{key}")
        return 0 if count <= self._limit else self._window - passed

    async def _count(self, key: str) -> int:
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, self._window)
                count, _ = await pipeline.execute()
            return int(count)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("rate_limit_without_redis", error=type(error).__name__)
            return self._count_here(key)

    def _count_here(self, key: str) -> int:
        count = self._local[key] = self._local.get(key, 0) + 1
        if len(self._local) > REMEMBERED:
            self._local.popitem(last=False)
        return count

    async def close(self) -> None:
        await self._redis.aclose()
