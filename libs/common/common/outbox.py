"""Messages that leave with the transaction that caused them, and the relay that publishes them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
import structlog
from psycopg.rows import class_row
from sqlalchemy import TextClause, text

from common import metrics, telemetry
from common.bus.publisher import Publisher
from common.connection import Connection
from common.events import Message

log = structlog.get_logger()

BATCH = 500
IDLE_POLL = 0.25  # seconds; a commit in this process wakes the relay at once
COUNT_EVERY = 5.0  # seconds between two looks at how many rows wait
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


async def insert(connection: Connection, schema: str, rows: Sequence[Row]) -> None:
    await connection.execute(
        _insertion(schema),
        {
            "ids": [row.message_id for row in rows],
            "subjects": [row.subject for row in rows],
            "traceparents": [row.traceparent for row in rows],
            "bodies": [row.body for row in rows],
        },
    )


@cache
def _insertion(schema: str) -> TextClause:
    """Made once: it runs with every message that leaves."""
    return text(
        f"INSERT INTO {schema}.outbox (message_id, subject, traceparent, body)"  # noqa: S608
        " SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:subjects AS text[]),"
        " CAST(:traceparents AS text[]), CAST(:bodies AS bytea[]))"
    )


@dataclass(frozen=True)
class Waiting:
    sequence: int
    message_id: str
    subject: str
    traceparent: str | None
    body: bytes


class Relay:
    """Publishes the outbox in insertion order. Any number of replicas may run one each.

    The advisory lock lets one relay of a service publish at a time: two could swap two messages
    of one person. It belongs to the transaction, so a relay that dies gives it back, and a
    connection pooler in transaction mode does no harm.
    """

    def __init__(self, url: str, schema: str, publisher: Publisher) -> None:
        self._url = url
        self._publisher = publisher
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._counted_at = 0.0
        # The lock is taken before any row is locked. Rows that another relay published while
        # this one waited are in its snapshot, but deleted by now, and so are skipped.
        self._claim = (
            "WITH turn AS MATERIALIZED"  # noqa: S608
            f" (SELECT pg_advisory_xact_lock(hashtext('{schema}.outbox')) AS taken),"
            f" next AS (SELECT sequence FROM turn, {schema}.outbox WHERE turn.taken IS NOT NULL"
            f"  ORDER BY sequence LIMIT {BATCH} FOR UPDATE OF outbox SKIP LOCKED)"
            f" DELETE FROM {schema}.outbox WHERE sequence IN (SELECT sequence FROM next)"
            " RETURNING sequence, message_id::text, subject, traceparent, body"
        )
        self._count = f"SELECT count(*) FROM {schema}.outbox"  # noqa: S608

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`. Raises nothing: an outage of either side is waited for."""
        pause = IDLE_POLL
        try:
            while not self._is_stopping:
                self._wake.clear()
                try:
                    published = await self._turn()
                    pause = IDLE_POLL
                except Exception as error:  # nothing has left the table; the next turn tries again
                    log.warning("outbox_relay_failed", error=type(error).__name__)
                    await self._disconnect()
                    published, pause = 0, min(pause * 2, MAX_PAUSE)
                if published < BATCH:
                    await self._sleep(pause)  # a commit meanwhile has set the event
        finally:
            await self._disconnect()

    async def stop(self) -> None:
        self._is_stopping = True
        self._wake.set()

    async def _sleep(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _turn(self) -> int:
        if time.monotonic() - self._counted_at > COUNT_EVERY:
            self._counted_at = time.monotonic()
            metrics.OUTBOX_PENDING.set(await self._waiting())
        return await self._relay_batch() if self._publisher.is_connected else 0

    async def _relay_batch(self) -> int:
        """The transaction stays open until NATS acknowledges, bounded by the publisher's timeout:
        rows are gone only when their messages are stored."""
        connection = await self._connected()
        cursor = connection.cursor(row_factory=class_row(Waiting))
        rows = await (await cursor.execute(self._claim)).fetchall()
        if rows:
            await self._publish(sorted(rows, key=lambda row: row.sequence))
        await connection.commit()
        metrics.OUTBOX_PUBLISHED.inc(len(rows))
        return len(rows)

    async def _publish(self, rows: Sequence[Waiting]) -> None:
        acknowledgements = [
            await self._publisher.start_publish(
                row.subject, row.body, row.message_id, row.traceparent
            )
            for row in rows
        ]
        await self._publisher.all_acknowledged(acknowledgements)

    async def _waiting(self) -> int:
        connection = await self._connected()
        row = await (await connection.execute(self._count)).fetchone()
        await connection.rollback()
        return int(row[0]) if row else 0

    async def _connected(self) -> "psycopg.AsyncConnection[Any]":
        """A connection of its own: the relay runs after every commit, and a pool would cost more
        than the query."""
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                connect_timeout=5,
                prepare_threshold=2,
                options="-c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000",
            )
        return self._connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
