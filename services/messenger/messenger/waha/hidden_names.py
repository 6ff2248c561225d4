"""Finds the numbers of people whom WAHA knows by a hidden id only. At best effort."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from common.clock import Clock
from common.database import Database
from common.events import LearnAliases, Sender
from common.ids import UserId, derived_id
from common.waha import chat_of
from messenger.channels.waha_api import WahaApi, WahaSilent

EVERY = 5.0  # seconds; the look is one query on a partial index
ASKED_AT_ONCE = 5
ASKED_AGAIN_AFTER = timedelta(days=1)

# Marked before the call: somebody whose question fails does not keep others waiting.
TAKE = text(
    """
    UPDATE messenger.contacts SET lid_asked_at = :now WHERE user_id IN (
        SELECT user_id FROM messenger.contacts
        WHERE channel = 'waha' AND address LIKE '%@lid'
            AND state NOT IN ('deleted', 'merged', 'opted_out', 'declined')
            AND (lid_asked_at IS NULL OR lid_asked_at <= :before)
        ORDER BY lid_asked_at NULLS FIRST LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING user_id, address
    """
)

KEEP_CHAT = text(
    "UPDATE messenger.contacts SET chat_id = :chat, chat_for = :address"
    " WHERE user_id = :user AND address = :address"
)


class HiddenNames:
    def __init__(self, database: Database, clock: Clock, api: WahaApi) -> None:
        self._database = database
        self._clock = clock
        self._api = api

    async def run(self) -> None:
        while True:
            await self.resolve()
            await asyncio.sleep(EVERY)

    async def resolve(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            rows = await transaction.connection.execute(
                TAKE, {"now": now, "before": now - ASKED_AGAIN_AFTER, "limit": ASKED_AT_ONCE}
            )
            people = [(row.user_id, row.address) for row in rows]
        for user_id, lid in people:
            try:
                chat = chat_of(await self._api.number_of(lid))
            except WahaSilent:
                continue
            if chat is not None and not chat.is_hidden:
                await self._tell(user_id, Sender(wa_id=chat.user, lid=lid), now)

    async def keep_chat(self, user_id: UUID, address: str, chat_id: str) -> None:
        """WhatsApp's own spelling of a number is another name of the person."""
        async with self._database.transaction() as transaction:
            await transaction.connection.execute(
                KEEP_CHAT, {"user": user_id, "address": address, "chat": chat_id}
            )
        chat = chat_of(chat_id)
        if chat is not None and chat.user != address:
            named = Sender(lid=chat_id) if chat.is_hidden else Sender(wa_id=chat.user)
            await self._tell(user_id, named, self._clock.now())

    async def _tell(self, user_id: UUID, sender: Sender, now: datetime) -> None:
        command = LearnAliases(
            message_id=derived_id("learned", user_id, sender.wa_id, sender.lid),
            occurred_at=now,
            user_id=UserId(user_id),
            sender=sender,
        )
        async with self._database.transaction() as transaction:
            transaction.publish(command)
