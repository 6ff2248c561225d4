"""Which messages a consumer has already dealt with, recorded with the effect itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import TextClause, text

from common.connection import Connection

KEEP = timedelta(days=9)
"""WhatsApp repeats a webhook for up to seven days; a repeated one keeps its message id."""

PRUNE_BATCH = 5_000


async def record(
    connection: Connection, schema: str, consumer: str, ids: Sequence[UUID], at: datetime
) -> set[UUID]:
    """Returns those of `ids` that are new. A concurrent duplicate waits for the first to end.

    The table is not partitioned: a unique key on a partitioned table must contain the partition
    key, and would miss a duplicate that comes on another day.
    """
    values = {"consumer": consumer, "at": at, "ids": sorted(set(ids))}
    rows = await connection.execute(_insertion(schema), values)
    return {row[0] for row in rows}


@cache
def _insertion(schema: str) -> TextClause:
    """Made once: it runs for every message."""
    return text(
        f"INSERT INTO {schema}.inbox (consumer, message_id, received_at)"  # noqa: S608
        " SELECT :consumer, id, :at FROM unnest(CAST(:ids AS uuid[])) AS id"
        " ON CONFLICT DO NOTHING RETURNING message_id"
    )


async def prune(connection: Connection, schema: str, now: datetime) -> int:
    """Forget a batch of what is older than KEEP; returns how many, 0 when there is no more."""
    result = await connection.execute(
        text(
            f"DELETE FROM {schema}.inbox WHERE ctid IN (SELECT ctid FROM {schema}.inbox"  # noqa: S608
            f" WHERE received_at < :before LIMIT {PRUNE_BATCH})"
        ),
        {"before": now - KEEP},
    )
    return int(result.rowcount)
