"""Asks WAHA what became of sends in doubt: it can be looked up whether WhatsApp has a message."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from common.clock import Clock
from common.database import Database
from common.waha import chat_of
from messenger.channels.waha_api import WahaApi, WahaSilent
from messenger.delivery import Tracked
from messenger.outcomes import fail
from messenger.policies import NOT_THERE_AFTER, WhenUnknown, when_not_there
from messenger.tracking import Tracking

EVERY = 2.0  # seconds
LOOKED_UP_AT_ONCE = 50

FIND_IN_DOUBT = text(
    """
    SELECT m.id, m.provider_id, m.unknown_at, c.address,
        CASE WHEN c.chat_for = c.address THEN c.chat_id END AS chat_id
    FROM messenger.messages AS m JOIN messenger.contacts AS c USING (user_id)
    WHERE m.state = 'unknown' AND m.channel = 'waha' AND m.attachment IS NULL
        AND m.provider_id IS NOT NULL
    ORDER BY m.unknown_at LIMIT :limit
    """
)


@dataclass(frozen=True)
class InDoubt:
    id: UUID
    provider_id: str
    unknown_at: datetime
    address: str | None
    chat_id: str | None

    @property
    def chat(self) -> str | None:
        """None when its number was never found: then the message cannot have left."""
        found = chat_of(self.chat_id or self.address)
        return str(found) if found else None


class Reconciler:
    """No transaction is open while WAHA is asked."""

    def __init__(
        self, database: Database, clock: Clock, api: WahaApi, settled: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._api = api
        self._settled = settled

    async def run(self) -> None:
        while True:
            if await self.reconcile():
                self._settled()
            await asyncio.sleep(EVERY)

    async def reconcile(self) -> int:
        """How many are in doubt no longer. While WAHA is away all of them wait."""
        async with self._database.transaction() as transaction:
            rows = await transaction.connection.execute(FIND_IN_DOUBT, {"limit": LOOKED_UP_AT_ONCE})
            in_doubt = [InDoubt(*row) for row in rows]
        settled = 0
        for one in in_doubt:
            try:
                is_there = one.chat is not None and await self._api.has_message(
                    one.chat, one.provider_id
                )
            except WahaSilent:
                break
            settled += await self._settle(one, is_there=is_there)
        return settled

    async def _settle(self, one: InDoubt, *, is_there: bool) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            tracking = Tracking(transaction, now)
            [message] = await tracking.lock([one.id])
            if message.state != "unknown":
                return False
            after = found(message, now) if is_there else not_found(message, now)
            tracking.change(message, after)
            await tracking.write()
            return after != message


def found(message: Tracked, now: datetime) -> Tracked:
    return replace(message, state="accepted", accepted_at=message.accepted_at or now)


def not_found(message: Tracked, now: datetime) -> Tracked:
    """The call may still be under way; then, once more under the same id, or never."""
    if message.unknown_at is None or now - message.unknown_at < NOT_THERE_AFTER:
        return message
    if when_not_there(message.kind, resends=message.resends) is WhenUnknown.GIVE_UP:
        return fail(message, "unknown_outcome", now)
    return replace(
        message, state="queued", not_before=now, resends=message.resends + 1, unknown_at=None
    )
