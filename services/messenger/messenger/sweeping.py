"""Finds what no event will move: crashed attempts, sends in doubt, early statuses."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from common.clock import Clock
from common.database import Database
from messenger import metrics
from messenger.limits.budgets import forget_old
from messenger.store import PRIORITIES
from messenger.tracking import Tracking

EVERY = 2.0  # seconds
FORGET_EVERY = timedelta(hours=1)


class Sweeper:
    def __init__(self, database: Database, clock: Clock, settled: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._settled = settled
        self._wake = asyncio.Event()
        self._forgot_at: datetime | None = None

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self.sweep()
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._wake.wait()

    async def sweep(self) -> None:
        """Early statuses first: one of them may say what became of a send in doubt."""
        async with self._database.transaction() as transaction:
            tracking = Tracking(transaction, self._clock.now())
            await tracking.merge_early()
            await tracking.find_crashed()
        async with self._database.transaction() as transaction:
            tracking = Tracking(transaction, self._clock.now())
            settled = await tracking.settle_overdue()
            metrics.UNKNOWN.set(await tracking.count_unknown())
            queued = await tracking.count_queued()
        await self._forget_old()
        for purpose in PRIORITIES:
            metrics.QUEUED.labels(purpose).set(queued.get(purpose, 0))
        if settled:
            self._settled()

    async def _forget_old(self) -> None:
        now = self._clock.now()
        if self._forgot_at is not None and now - self._forgot_at < FORGET_EVERY:
            return
        self._forgot_at = now
        async with self._database.transaction() as transaction:
            await forget_old(transaction, now)
