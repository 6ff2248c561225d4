"""Claiming who is due: how fast, and what a tick costs when nobody is, with 1k and 1M learners."""

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from common import migrations, provision
from common.database import Database
from devstack.servers import ADMIN, ADMIN_PASSWORD, Postgres, passing_folder
from devstack.stack import ROLE_PASSWORD
from scheduler.due import DueStore

TARGET_PER_S = 20_000
TARGET_EMPTY_RATIO = 1.3
SIZES = (1_000, 1_000_000)
BATCH = 2_000
CLAIMED = 100_000
EMPTY_TICKS = 400

FILL = """
    INSERT INTO scheduler.learners
        (user_id, revision, state, language, tracks, level, timezone, time_of_day, next_due_at)
    SELECT gen_random_uuid(), 1, 'active', 'pt', '{python}', 1,
        (ARRAY['America/Sao_Paulo', 'Europe/Lisbon', 'America/New_York', 'Asia/Tokyo'])[1 + n %% 4],
        time '09:00', %s + n * interval '1 millisecond'
    FROM generate_series(1, %s::int) AS n
"""


def run() -> dict[str, object]:
    with passing_folder() as folder:
        postgres = Postgres(folder / "postgres")
        try:
            postgres.start()
            return asyncio.run(_measure({size: _prepare(postgres, size) for size in SIZES}))
        finally:
            postgres.stop()


def _prepare(postgres: Postgres, size: int) -> str:
    """A database of its own for each size, so that their ticks can take turns."""
    name = f"learners_{size}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    admin_url = postgres.url_for(ADMIN, ADMIN_PASSWORD, name)
    provision.create_roles(admin_url, {"scheduler": ROLE_PASSWORD})
    url = postgres.url_for("scheduler", ROLE_PASSWORD, name)
    migrations.upgrade("scheduler", url)
    _fill(url, datetime.now(UTC) + timedelta(days=1), size)
    return url


async def _measure(urls: dict[int, str]) -> dict[str, object]:
    databases = {size: Database(url, "scheduler", pool_size=2) for size, url in urls.items()}
    now = datetime.now(UTC)
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(EMPTY_TICKS):
        for size, database in databases.items():
            taken[size].append(await _empty_tick_ms(database, now))
    empty = {size: statistics.median(values) for size, values in taken.items()}
    claimed_per_s = await _claim(databases[max(SIZES)], now + timedelta(days=3))
    for database in databases.values():
        await database.close()
    ratio = empty[max(SIZES)] / empty[min(SIZES)]
    return {
        "learners": max(SIZES),
        "claimed_per_s": round(claimed_per_s),
        "target_per_s": TARGET_PER_S,
        "empty_tick_ms": {str(size): round(value, 3) for size, value in empty.items()},
        "empty_tick_ratio": round(ratio, 2),
        "target_empty_tick_ratio": TARGET_EMPTY_RATIO,
        "ok": claimed_per_s >= TARGET_PER_S and ratio <= TARGET_EMPTY_RATIO,
    }


def _fill(url: str, due_from: datetime, size: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL, [due_from, size])
        connection.execute("VACUUM ANALYZE scheduler.learners")


async def _empty_tick_ms(database: Database, now: datetime) -> float:
    started = time.perf_counter()
    async with database.transaction() as transaction:
        assert await DueStore(transaction.connection).claim(now, BATCH) == []
    return (time.perf_counter() - started) * 1000


async def _claim(database: Database, now: datetime) -> float:
    claimed = 0
    started = time.perf_counter()
    while claimed < CLAIMED:
        async with database.transaction() as transaction:
            claimed += len(await DueStore(transaction.connection).claim(now, BATCH))
    return claimed / (time.perf_counter() - started)
