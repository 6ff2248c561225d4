import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from sqlalchemy import text

from common import inbox
from common.bus.consumer import Delivery
from common.clock import FixedClock
from common.database import Database
from common.events import (
    Contact,
    InboundRef,
    InboundUnderstood,
    Message,
    NoticeReceived,
    SendMessage,
    StatusReceived,
    UserChanged,
    UserState,
)
from common.ids import UserId, new_id
from messenger import catalogue
from messenger.channels import Channel
from messenger.channels.cloud import CloudChannel
from messenger.dispatch import Dispatcher, Outlet
from messenger.handlers import Handlers
from messenger.limits.pacing import Grant
from messenger.rendering import Renderer
from messenger.sweeping import Sweeper

from .fakes import FakeWhatsApp

CONTENT = Path(__file__).parents[3] / "content"
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NUMBER = "100200300"
CONSTANTS = {
    "brand": "Sabatina",
    "controller": "Sabatina Lda",
    "privacy_url": "https://sabatina.example/privacy",
    "support_contact": "support@sabatina.example",
    "ai_provider": "OpenAI",
    "policy_version": "1",
}
QUESTION = {
    "track": "python",
    "topic": "GIL",
    "level": "2",
    "n": "12",
    "streak": "5",
    "question_text": "What is the GIL?",
    "minutes": "3",
    "a": "a1",
}


class UnlimitedPacer:
    """For tests of everything but pacing."""

    def __init__(self) -> None:
        self.slowed = 0

    async def reserve(self, want: int, share: float = 1.0) -> Grant:
        return Grant(want)

    async def give_back(self, slots: int) -> None:
        return

    async def slow_down(self) -> None:
        self.slowed += 1


@dataclass(frozen=True)
class Events:
    rows: Sequence[tuple[str, dict[str, Any]]]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [body for subject, body in self.rows if name in subject]


class Rig:
    """The whole service but the bus: handlers, dispatcher, sweeper, and WhatsApp."""

    def __init__(self, database: Database, whatsapp: FakeWhatsApp) -> None:
        self.database = database
        self.whatsapp = whatsapp
        self.clock = FixedClock(START)
        self.pacer = UnlimitedPacer()
        self.renderer = Renderer(catalogue.load(CONTENT), CONSTANTS)
        self.channel = self.new_channel()
        self.dispatcher = self.new_dispatcher()
        self.sweeper = Sweeper(database, self.clock, self.dispatcher.wake)
        self.handlers = Handlers(self.clock, self.dispatcher.wake)

    def new_channel(self) -> Channel:
        return CloudChannel(self.whatsapp.url, NUMBER, "token", connections=64)

    def new_dispatcher(self) -> Dispatcher:
        outlet = Outlet("cloud", NUMBER, self.channel, self.pacer)
        return Dispatcher(self.database, self.clock, self.renderer, outlet)

    @asynccontextmanager
    async def dispatching(self, *more: Dispatcher) -> AsyncIterator[None]:
        running = [asyncio.create_task(d.run()) for d in (self.dispatcher, *more)]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def handle(self, *messages: Message) -> None:
        """As the bus hands them over: in one batch, duplicates taken out by the inbox."""
        batch = [Delivery(message, cast("Any", None), trace.INVALID_SPAN) for message in messages]
        async with self.database.transaction() as transaction:
            ids = [message.message_id for message in messages]
            await inbox.record(transaction.connection, "messenger", "test", ids, self.clock.now())
            match messages[0]:
                case SendMessage():
                    await self.handlers.queue_messages(batch, transaction)
                case StatusReceived() | NoticeReceived():
                    await self.handlers.follow_deliveries(batch, transaction)
                case _:
                    await self.handlers.follow_people(batch, transaction)

    def person(
        self,
        user: UUID,
        state: UserState = "active",
        *,
        revision: int = 1,
        name: str | None = "Ana",
        address: str | None = "5511987654321",
    ) -> Contact:
        return Contact(
            user_id=UserId(user),
            revision=revision,
            state=state,
            language="pt",
            address=address,
            name=name,
        )

    async def know(
        self, user: UUID, state: UserState = "active", *, revision: int = 1, wrote: bool = True
    ) -> None:
        contact = self.person(user, state, revision=revision)
        await self.handle(
            UserChanged(occurred_at=self.clock.now(), user_id=contact.user_id, contact=contact)
        )
        if wrote:
            await self.handle(self.inbound(user))

    def inbound(self, user: UUID) -> InboundUnderstood:
        return InboundUnderstood(
            occurred_at=self.clock.now(),
            user_id=UserId(user),
            inbound=InboundRef(provider_id=f"wamid.in.{uuid4()}", at=self.clock.now()),
            intent="text",
        )

    def send(self, user: UUID, kind: str = "skipped", **fields: Any) -> SendMessage:
        defaults: dict[str, Any] = {
            "message_id": new_id(),
            "occurred_at": self.clock.now(),
            "user_id": user,
            "kind": kind,
            "purpose": "reply",
            "values": {},
        }
        return SendMessage(**(defaults | fields))

    def question(self, user: UUID, **fields: Any) -> SendMessage:
        return self.send(user, "question", **({"purpose": "daily", "values": QUESTION} | fields))

    def status(
        self, provider_id: str, status: str, *, tracker: UUID | None = None, code: int | None = None
    ) -> StatusReceived:
        return StatusReceived(
            occurred_at=self.clock.now(),
            channel="cloud",
            number_id=NUMBER,
            provider_id=provider_id,
            status=status,
            status_at=self.clock.now(),
            tracker=str(tracker) if tracker else None,
            error_code=code,
        )

    async def row(self, message: SendMessage) -> Any:
        async with self.database.transaction() as transaction:
            query = text("SELECT * FROM messenger.messages WHERE id = :id")
            found = await transaction.connection.execute(query, {"id": message.message_id})
            return found.one()

    async def rows(self, query: str) -> list[Any]:
        async with self.database.transaction() as transaction:
            return list((await transaction.connection.execute(text(query))).all())

    async def becomes(self, message: SendMessage, state: str, *, within: float = 5) -> Any:
        """Waits for the message's state; fails with the one that it has."""
        row = await self.row(message)
        deadline = asyncio.get_running_loop().time() + within
        while row.state != state:
            assert asyncio.get_running_loop().time() < deadline, (row.state, row.reason)
            await asyncio.sleep(0.01)
            row = await self.row(message)
        return row

    async def events(self) -> Events:
        rows = await self.rows(
            "SELECT subject, convert_from(body, 'UTF8')::jsonb AS body FROM messenger.outbox"
            " ORDER BY sequence"
        )
        return Events([(row.subject, row.body) for row in rows])

    async def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)
        self.dispatcher.wake()


@pytest.fixture
async def whatsapp() -> AsyncIterator[FakeWhatsApp]:
    async with FakeWhatsApp().serving() as fake:
        yield fake


@pytest.fixture
async def rig(database: Database, whatsapp: FakeWhatsApp) -> AsyncIterator[Rig]:
    made = Rig(database, whatsapp)
    yield made
    await made.channel.close()


@pytest.fixture
def user() -> UUID:
    return uuid4()
