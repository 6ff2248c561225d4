"""Messages that leave with the transaction that caused them, and the relay that publishes them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common import metrics, telemetry
from common.bus.publisher import Publisher
from common.events import Message

log = structlog.get_logger()

BATCH = 500
IDLE_POLL = 0.25  # seconds; a commit in this process wakes the relay at once
MAX_PAUSE = 5.0  # seconds between tries while NATS or PostgreSQL is away


@dataclass(frozen=True)
class Row:
    message_id: str
    subject: str
    traceparent: str | None
    body: bytes
    occurred_at: datetime


def row_for(message: Message, traceparent: str | None) -> Row:
    return Row(
        str(message.message_id),
        message.full_subject,
        traceparent or telemetry.current_traceparent(),
        message.model_dump_json(exclude_none=True).encode(),
        message.occurred_at,
    )


async def insert(connection: AsyncConnection, schema: str, rows: Sequence[Row]) -> None:
    await connection.execute(
        text(
            f"INSERT INTO {schema}.outbox (message_id, subject, traceparent, body)"  # noqa: S608
            " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:subjects AS text[]),"
            " CAST(:traceparents AS text[]), CAST(:bodies AS bytea[]))"
        ),
        {
            "ids": [row.message_id for row in rows],
            "subjects": [row.subject for row in rows],
            "traceparents": [row.traceparent for row in rows],
            "bodies": [row.body for row in rows],
        },
    )


class Relay:
    """Publishes the outbox in insertion order. Any number of replicas may run one each.

    The advisory lock lets one relay of a service publish at a time: two could swap two messages
    of one person. It belongs to the transaction, so a relay that dies gives it back, and a
    connection pooler in transaction mode does no harm.
    """

    def __init__(self, engine: AsyncEngine, schema: str, publisher: Publisher) -> None:
        self._engine = engine
        self._publisher = publisher
        self._wake = asyncio.Event()
        self._is_stopping = False
        # The lock is taken before any row is looked at. Rows that another relay published while
        # this one waited are in its snapshot, but deleted by now, and so are skipped.
        self._claim = text(
            "WITH turn AS MATERIALIZED"  # noqa: S608
            f" (SELECT pg_advisory_xact_lock(hashtext('{schema}.outbox')) AS taken),"
            f" next AS (SELECT sequence FROM turn, {schema}.outbox WHERE turn.taken IS NOT NULL"
            f"  ORDER BY sequence LIMIT {BATCH} FOR UPDATE OF outbox SKIP LOCKED)"
            f" DELETE FROM {schema}.outbox WHERE sequence IN (SELECT sequence FROM next)"
            " RETURNING sequence, message_id::text, subject, traceparent, body"
        )
        self._gauge = text(f"SELECT count(*) FROM {schema}.outbox")  # noqa: S608
        self._set_pending: Callable[[float], None] = metrics.OUTBOX_PENDING.set

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`. Raises nothing: an outage of either side is waited for."""
        pause = IDLE_POLL
        while not self._is_stopping:
            self._wake.clear()
            try:
                published = await self._relay_batch() if self._publisher.is_connected else None
                pause = IDLE_POLL
            except Exception as error:  # the next turn tries again; nothing has left the table
                log.warning("outbox_relay_failed", error=type(error).__name__)
                published, pause = None, min(pause * 2, MAX_PAUSE)
            if not published or published < BATCH:
                await self._sleep(pause)  # a commit meanwhile has set the event

    async def stop(self) -> None:
        self._is_stopping = True
        self._wake.set()

    async def pending(self) -> int:
        async with self._engine.connect() as connection:
            count = int((await connection.execute(self._gauge)).scalar_one())
        self._set_pending(count)
        return count

    async def _sleep(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _relay_batch(self) -> int:
        """The transaction stays open until NATS acknowledges, bounded by the publisher's timeout:
        rows are gone only when their messages are stored."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(self._claim)).all()
            if rows:
                await self._publish(sorted(rows, key=lambda row: row.sequence))
                await connection.commit()
        metrics.OUTBOX_PUBLISHED.inc(len(rows))
        return len(rows)

    async def _publish(self, rows: Sequence[Any]) -> None:
        acknowledgements = [
            await self._publisher.start_publish(
                row.subject, bytes(row.body), row.message_id, row.traceparent
            )
            for row in rows
        ]
        await self._publisher.all_acknowledged(acknowledgements)
