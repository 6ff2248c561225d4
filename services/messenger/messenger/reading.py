"""Shows people that they were read, and that a reply is being written. Only a courtesy: it is
left out under load and when it comes late, is never repeated, and nothing waits for it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import text

from common.clock import Clock
from common.database import Database
from common.errors import DependencyUnavailable
from common.events import InboundUnderstood
from messenger import metrics
from messenger.channels import NotSent, OutcomeUnknown
from messenger.store import aware

log = structlog.get_logger()

LATE = timedelta(seconds=20)
WAITING = 200  # more than that is a crowd, and a crowd is not marked
AT_ONCE = 8
TAKES_TIME = frozenset({"reply", "it_is_the_answer", "question_now"})
"""What people wait for: an examiner, or a question that has to be chosen."""

ANSWERED = text(
    "SELECT user_id, inbound_provider_id FROM messenger.messages"
    " WHERE user_id = ANY(:users) AND inbound_provider_id = ANY(:inbounds)"
    " AND state NOT IN ('queued', 'sending')"
)


class Marker(Protocol):
    async def mark_read(self, provider_id: str, *, shows_typing: bool) -> bool:
        """Raises NotSent or OutcomeUnknown."""
        ...


class Reading:
    """`is_busy` is asked each time: replies go first."""

    def __init__(
        self, database: Database, clock: Clock, marker: Marker, is_busy: Callable[[], bool]
    ) -> None:
        self._database = database
        self._clock = clock
        self._marker = marker
        self._is_busy = is_busy
        self._waiting: asyncio.Queue[InboundUnderstood] = asyncio.Queue(WAITING)

    def offer(self, understood: Sequence[InboundUnderstood]) -> None:
        """Returns at once."""
        for one in understood:
            if one.inbound.channel != "cloud" or not one.opens_window:
                continue
            if self._waiting.full() or self._is_busy():
                metrics.READ_MARKS.labels("skipped").inc()
                continue
            self._waiting.put_nowait(one)

    async def run(self) -> None:
        """In the background, until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._mark(batch)

    async def _mark(self, batch: Sequence[InboundUnderstood]) -> None:
        answered = await self._answered([one for one in batch if one.intent in TAKES_TIME])
        await asyncio.gather(*(self._mark_one(one, answered) for one in batch))

    async def _mark_one(
        self, one: InboundUnderstood, answered: frozenset[tuple[UUID, str]]
    ) -> None:
        now = self._clock.now()
        if now - aware(one.inbound.at, now) > LATE or self._is_busy():
            metrics.READ_MARKS.labels("skipped").inc()
            return
        is_waited_for = (one.user_id, one.inbound.provider_id) not in answered
        shows_typing = one.intent in TAKES_TIME and is_waited_for
        try:
            marked = await self._marker.mark_read(
                one.inbound.provider_id, shows_typing=shows_typing
            )
        except (NotSent, OutcomeUnknown):
            marked = False
        except Exception as error:  # a defect here must not keep the others from being marked
            log.error("read_mark_failed", error=type(error).__name__)
            marked = False
        metrics.READ_MARKS.labels("marked" if marked else "failed").inc()

    async def _answered(
        self, waited_for: Sequence[InboundUnderstood]
    ) -> frozenset[tuple[UUID, str]]:
        """Typing after the reply would announce another one."""
        if not waited_for:
            return frozenset()
        asked = {
            "users": [one.user_id for one in waited_for],
            "inbounds": [one.inbound.provider_id for one in waited_for],
        }
        try:
            async with self._database.transaction() as transaction:
                rows = await transaction.connection.execute(ANSWERED, asked)
                return frozenset((row.user_id, row.inbound_provider_id) for row in rows)
        except DependencyUnavailable:
            return frozenset((one.user_id, one.inbound.provider_id) for one in waited_for)
