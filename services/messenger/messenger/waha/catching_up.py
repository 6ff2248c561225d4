"""Fetches what people wrote while nobody took WAHA's webhooks: it keeps those in memory only."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from common.clock import Clock
from common.database import Database
from common.events import MessageReceived
from common.lenient import seconds_of
from common.waha import chat_of, message_in
from messenger import metrics
from messenger.channels.waha_api import Chat, WahaApi, WahaSilent
from messenger.waha.session_store import SessionStore, Watched

log = structlog.get_logger()

EVERY = timedelta(minutes=1)
OVERLAP = timedelta(minutes=10)
"""WhatsApp's clock and ours, and messages that come late."""
OLDEST = timedelta(days=3)
CHATS_AT_ONCE = 50
MESSAGES_AT_ONCE = 100
REMEMBERED = 2_000

Raw = dict[str, object]


class CatchingUp:
    """What was received already comes again with the id that it had: the inbox knows it."""

    def __init__(self, database: Database, clock: Clock, api: WahaApi) -> None:
        self._database = database
        self._clock = clock
        self._api = api
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._read: dict[str, float] = {}
        """When the newest message of a chat was sent that has been looked at."""

    async def __call__(self, watched: Watched, *, at_once: bool) -> None:
        since_last = self._clock.now() - self._looked_at
        # A product clock that was set back must not put it off.
        if not at_once and timedelta() <= since_last < EVERY:
            return
        self._looked_at = self._clock.now()
        try:
            await self.catch_up(watched.read_until)
        except WahaSilent as error:  # the next turn begins at the same moment in the past
            log.warning("waha_history_unreadable", reason=str(error))

    async def catch_up(self, read_until: datetime | None) -> None:
        now = self._clock.now()
        since = max((read_until or now) - OVERLAP, now - OLDEST)
        async for chat in self._active_chats(since):
            await self._read_chat(chat, since, now)
        async with self._database.transaction() as transaction:
            await SessionStore(transaction, now).keep_read_until(self._api.session, now)

    async def _active_chats(self, since: datetime) -> AsyncIterator[Chat]:
        """The newest first; chats of one person only, and only those with something new."""
        offset = 0
        while page := await self._api.chats(limit=CHATS_AT_ONCE, offset=offset):
            for chat in page:
                active_at = chat.active_at
                if active_at is not None and active_at < since.timestamp():
                    return
                is_read = active_at is not None and self._read.get(chat.id, 0) >= active_at
                if not is_read and chat_of(chat.id) is not None and chat.last is not None:
                    yield chat
            if len(page) < CHATS_AT_ONCE:
                return
            offset += len(page)

    async def _read_chat(self, chat: Chat, since: datetime, now: datetime) -> None:
        offset = 0
        while True:
            page = await self._api.messages(
                chat.id, since=since, limit=MESSAGES_AT_ONCE, offset=offset
            )
            await self._publish(page, since, now)
            if len(page) < MESSAGES_AT_ONCE:
                break
            offset += len(page)
        if chat.active_at is not None:
            self._remember(chat.id, chat.active_at)

    async def _publish(self, page: Sequence[Raw], since: datetime, now: datetime) -> None:
        received = [
            message
            for raw in page
            if _is_since(raw, since)
            and isinstance(
                message := message_in(raw, session=self._api.session, now=now), MessageReceived
            )
        ]
        if not received:
            return
        async with self._database.transaction() as transaction:
            for message in sorted(received, key=lambda one: one.sent_at):
                transaction.publish(message)
            newest = max(message.sent_at for message in received)
            await SessionStore(transaction, now).note_fetched(self._api.session, newest)
        metrics.WAHA_FETCHED.inc(len(received))

    def _remember(self, chat_id: str, active_at: float) -> None:
        if len(self._read) >= REMEMBERED:
            self._read.clear()
        self._read[chat_id] = active_at


def _is_since(raw: Raw, since: datetime) -> bool:
    """Not every engine filters."""
    sent_at = seconds_of(raw.get("timestamp"))
    return sent_at is None or sent_at >= int(since.timestamp())
