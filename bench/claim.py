"""Claiming who is due: how fast, and what a tick costs when nobody is, with 1k and 1M learners."""

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.measure import percentile
from common import migrations, provision
from common.database import Database
from devstack.servers import Postgres
from devstack.stack import ROLE_PASSWORD
from scheduler.due import DueStore

TARGET_PER_S = 20_000
TARGET_EMPTY_RATIO = 1.3
SIZES = (1_000, 1_000_000)
BATCH = 2_000
CLAIMED = 100_000
EMPTY_TICKS = 300

FILL = """
    INSERT INTO scheduler.learners
        (user_id, revision, state, language, tracks, level, timezone, time_of_day, next_due_at)
    SELECT gen_random_uuid(), 1, 'active', 'pt', '{python}', 1,
        (ARRAY['America/Sao_Paulo', 'Europe/Lisbon', 'America/New_York', 'Asia/Tokyo'])[1 + n %% 4],
        time '09:00', %s + n * interval '1 millisecond'
    FROM generate_series(%s::int, %s::int) AS n
"""


def run() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="sabatina-bench-") as folder:
        Path(folder).chmod(0o755)
        postgres = Postgres(Path(folder) / "postgres")
        try:
            postgres.start()
            provision.create_roles(postgres.url, {"scheduler": ROLE_PASSWORD})
            url = postgres.url_for("scheduler", ROLE_PASSWORD)
            migrations.upgrade("scheduler", url)
            return asyncio.run(_measure(url))
        finally:
            postgres.stop()


async def _measure(url: str) -> dict[str, object]:
    database = Database(url, "scheduler", pool_size=2)
    now = datetime.now(UTC)
    empty: dict[int, float] = {}
    filled = 0
    for size in SIZES:
        _fill(url, now + timedelta(days=1), filled + 1, size)
        filled = size
        empty[size] = await _empty_tick_ms(database, now)
    claimed_per_s = await _claim(database, now + timedelta(days=3))
    await database.close()
    ratio = empty[SIZES[1]] / empty[SIZES[0]]
    return {
        "learners": SIZES[1],
        "claimed_per_s": round(claimed_per_s),
        "target_per_s": TARGET_PER_S,
        "empty_tick_ms": {str(size): round(value, 3) for size, value in empty.items()},
        "empty_tick_ratio": round(ratio, 2),
        "target_empty_tick_ratio": TARGET_EMPTY_RATIO,
        "ok": claimed_per_s >= TARGET_PER_S and ratio <= TARGET_EMPTY_RATIO,
    }


def _fill(url: str, due_from: datetime, first: int, last: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL, [due_from, first, last])
        connection.execute("VACUUM ANALYZE scheduler.learners")


async def _empty_tick_ms(database: Database, now: datetime) -> float:
    taken = []
    for _ in range(EMPTY_TICKS):
        started = time.perf_counter()
        async with database.transaction() as transaction:
            assert await DueStore(transaction.connection).claim(now, BATCH) == []
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(sorted(taken)[: int(percentile(range(len(taken)), 0.9))])


async def _claim(database: Database, now: datetime) -> float:
    claimed = 0
    started = time.perf_counter()
    while claimed < CLAIMED:
        async with database.transaction() as transaction:
            claimed += len(await DueStore(transaction.connection).claim(now, BATCH))
    return claimed / (time.perf_counter() - started)
