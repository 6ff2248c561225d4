"""Numbers about the whole day, over all replicas, looked up every few minutes; and what is too old
is thrown away."""

import asyncio
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import text

from common.database import Transaction
from grader import metrics
from grader.examining import Grader
from grader.known import KnownStore

LOOK_EVERY = timedelta(minutes=3)
PERSON_DAYS_KEPT = timedelta(days=2)

DAY = text(
    "SELECT examinations, tokens, cost_usd FROM grader.llm_days WHERE day = CAST(:now AS date)"
)
MEANS = text(
    """
    SELECT examiner, model, prompt_version, avg(score) AS mean, count(*) AS scores
    FROM grader.gradings
    WHERE created_at >= :midnight AND score IS NOT NULL AND NOT is_cached
    GROUP BY examiner, model, prompt_version
    """
)
QUEUE = text(
    "SELECT count(*) AS waiting, min(opened_at) AS since FROM grader.reviews"
    " WHERE decided_at IS NULL"
)
PRUNE_PEOPLE = text("DELETE FROM grader.llm_person_days WHERE day < :before")


async def measure_days(grader: Grader) -> None:
    """A background job."""
    while True:
        async with grader.database.transaction() as transaction:
            await measure(transaction, grader.clock.now())
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def measure(transaction: Transaction, now: datetime) -> None:
    await _measure_spending(transaction, now)
    await _measure_scores(transaction, now)
    await _measure_queue(transaction, now)
    await KnownStore(transaction).prune(now)
    before = (now - PERSON_DAYS_KEPT).date()
    await transaction.connection.execute(PRUNE_PEOPLE, {"before": before})


async def _measure_spending(transaction: Transaction, now: datetime) -> None:
    row = (await transaction.connection.execute(DAY, {"now": now.date()})).one_or_none()
    metrics.DAY_EXAMINATIONS.set(row.examinations if row else 0)
    metrics.DAY_TOKENS.set(row.tokens if row else 0)
    metrics.DAY_COST.set(row.cost_usd if row else 0)


async def _measure_scores(transaction: Transaction, now: datetime) -> None:
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    rows = (await transaction.connection.execute(MEANS, {"midnight": midnight})).all()
    metrics.DAY_MEAN.clear()
    metrics.DAY_COUNT.clear()
    for row in rows:
        labels = (row.examiner, row.model, row.prompt_version)
        metrics.DAY_MEAN.labels(*labels).set(float(row.mean))
        metrics.DAY_COUNT.labels(*labels).set(row.scores)


async def _measure_queue(transaction: Transaction, now: datetime) -> None:
    queue = (await transaction.connection.execute(QUEUE)).one()
    metrics.REVIEWS_OPEN.set(queue.waiting)
    metrics.REVIEWS_AGE.set((now - queue.since).total_seconds() if queue.since else 0)
