"""People who write, a clock that stands still, and what the service says about them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel
from sqlalchemy import text as sql

from common import inbox
from common.clock import FixedClock
from common.database import Database
from common.events import (
    ChangeUser,
    Channel,
    Contact,
    DeleteUser,
    HandleReply,
    InboundKind,
    InboundUnderstood,
    LearnAliases,
    Media,
    Message,
    MessageReceived,
    PreferenceReceived,
    Preferences,
    RegisterUser,
    ReverseMerge,
    Sender,
    SendMessage,
    Track,
    UnsubscribeUser,
    UserChanged,
    UserRegistration,
    UserView,
    VoiceProblem,
    VoiceTranscribed,
    message_class,
)
from common.ids import UserId, derived_id, new_id
from users import acquaintance, handlers, merging, registration, switch
from users.merging import Purge
from users.occasion import Occasion
from users.store import Store

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ANA = "5511987654321"
POLICY = "7"

Heard = TypeVar("Heard", bound=Message)
Answer = TypeVar("Answer", bound=BaseModel)


def preferences(**changes: object) -> Preferences:
    values: dict[str, object] = {
        "tracks": ("python",),
        "level": 2,
        "timezone": "America/Sao_Paulo",
        "time": "09:00",
    }
    return Preferences.model_validate({**values, **changes})


def registration_of(phone: str = f"+{ANA}", **changes: object) -> RegisterUser:
    values: dict[str, object] = {
        "user_id": new_id(),
        "occurred_at": NOW,
        "name": "Ana Canário",
        "phone": phone,
        "language": "pt",
        "preferences": preferences(),
        "consent_version": POLICY,
    }
    return RegisterUser.model_validate({**values, **changes})


class Town:
    """The service's handlers around one database, as the consumers call them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.count = 0
        self.seen = 0

    def message(
        self,
        text: str | None = None,
        *,
        choice: str | None = None,
        wa_id: str | None = ANA,
        scoped: str | None = None,
        kind: InboundKind | None = None,
        name: str | None = "Ana Canário",
        channel: Channel = "cloud",
        lid: str | None = None,
        chat: str | None = None,
        media: Media | None = None,
        became: Sender | None = None,
        sent_at: datetime | None = None,
    ) -> MessageReceived:
        self.count += 1
        provider_id = f"wamid.{wa_id}.{self.count}"
        return MessageReceived(
            message_id=derived_id("received", provider_id),
            occurred_at=self.clock.now(),
            channel=channel,
            number_id="1",
            provider_id=provider_id,
            sender=Sender(wa_id=wa_id, business_scoped_id=scoped, lid=lid, profile_name=name),
            sent_at=sent_at or self.clock.now(),
            kind=kind or ("choice" if choice else "text"),
            text=text,
            choice_id=choice,
            chat_id=chat,
            media=media,
            became=became,
        )

    async def deliver(self, message: MessageReceived) -> None:
        """As the consumer does: a message that the inbox knows changes nothing."""
        now = self.clock.now()
        async with self.database.transaction() as transaction:
            ids = [message.message_id]
            if await inbox.record(transaction.connection, "users", "users-understand", ids, now):
                turn = handlers.Turn(message, now, POLICY)
                await handlers.understand_message(turn, Store(transaction))

    async def hear(self, text: str | None = None, **how: object) -> "list[Message]":
        """What the service publishes about one more inbound message."""
        message: Callable[..., MessageReceived] = self.message
        await self.deliver(message(text, **how))
        return await self.news()

    async def tap(self, choice: str, **how: object) -> list[Message]:
        return await self.hear(None, choice=choice, **how)

    async def register(self, command: RegisterUser, channel: Channel = "cloud") -> UserRegistration:
        async with self.database.transaction() as tx:
            return await registration.register_user(command, Store(tx), self.clock.now(), channel)

    def occasion(self) -> Occasion:
        return Occasion(new_id(), "cloud", self.clock.now(), POLICY)

    async def learn(self, user_id: UserId, **names: str) -> list[Message]:
        command = LearnAliases(
            occurred_at=self.clock.now(), user_id=user_id, sender=Sender.model_validate(names)
        )
        async with self.database.transaction() as tx:
            await acquaintance.learn_aliases(command, Store(tx), self.occasion())
        return await self.news()

    async def rename(self, became: Sender, **how: object) -> list[Message]:
        return await self.hear(None, kind="system", became=became, **how)

    async def reverse(self, user_id: UserId) -> UserView:
        command = ReverseMerge(occurred_at=self.clock.now(), user_id=user_id, source="admin")
        async with self.database.transaction() as tx:
            return await merging.reverse_merge(command, Store(tx), self.occasion())

    async def transcribe(
        self,
        note: MessageReceived,
        text: str | None = None,
        problem: VoiceProblem | None = None,
    ) -> list[Message]:
        """What is said when the messenger has listened to `note`."""
        [[user_id]] = await self.query("SELECT id FROM users.users")
        event = VoiceTranscribed(
            message_id=derived_id("transcribed", note.message_id),
            occurred_at=self.clock.now(),
            user_id=user_id,
            inbound=note.ref,
            text=text,
            problem=problem,
        )
        now, ids = self.clock.now(), [event.message_id]
        async with self.database.transaction() as tx:
            if await inbox.record(tx.connection, "users", "users-understand", ids, now):
                await handlers.hear_transcript(event, Store(tx), now, POLICY)
        return await self.news()

    async def purge(self) -> int:
        return await Purge(self.database, self.clock).purge()

    async def prefer(self, *, is_wanted: bool, at: datetime, wa_id: str = ANA) -> list[Message]:
        event = PreferenceReceived(
            occurred_at=self.clock.now(),
            channel="cloud",
            number_id="1",
            sender=Sender(wa_id=wa_id),
            is_wanted=is_wanted,
            set_at=at,
        )
        async with self.database.transaction() as tx:
            await switch.hear_preference(event, Store(tx), self.clock.now(), POLICY)
        return await self.news()

    async def unsubscribe(self, user_id: UserId) -> UserView:
        command = UnsubscribeUser(occurred_at=NOW, user_id=user_id, source="web")
        async with self.database.transaction() as tx:
            return await registration.unsubscribe_user(command, Store(tx), self.clock.now(), POLICY)

    async def change(self, user_id: UserId, **fields: object) -> UserView:
        command = ChangeUser.model_validate({"occurred_at": NOW, "user_id": user_id, **fields})
        async with self.database.transaction() as tx:
            return await registration.change_user(command, Store(tx), self.clock.now())

    async def delete(self, user_id: UserId) -> UserView:
        command = DeleteUser(occurred_at=NOW, user_id=user_id, source="api")
        async with self.database.transaction() as tx:
            return await registration.delete_user(command, Store(tx), self.clock.now())

    async def news(self) -> list[Message]:
        """What was put into the outbox since the last look, in order."""
        rows = await self.query(
            "SELECT sequence, subject, body FROM users.outbox WHERE sequence > :seen"
            " ORDER BY sequence",
            seen=self.seen,
        )
        self.seen = max([row[0] for row in rows], default=self.seen)
        return [message_class(row[1]).model_validate_json(bytes(row[2])) for row in rows]

    async def query(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        async with self.database.transaction() as transaction:
            rows = await transaction.connection.execute(sql(statement), values)
            return [tuple(row) for row in rows]

    async def change_rows(self, statement: str) -> None:
        async with self.database.transaction() as transaction:
            await transaction.connection.execute(sql(statement))

    async def number(self, statement: str) -> int:
        [[value]] = await self.query(statement)
        assert isinstance(value, int)
        return value

    async def sign_up(self, wa_id: str = ANA, track: Track = "python") -> UserId:
        """Somebody who has been through the whole chat and is active."""
        await self.hear("oi", wa_id=wa_id)
        for choice in ("lang:pt", "consent:yes", f"track:{track}", "level:2", "time:09:00"):
            news = await self.tap(choice, wa_id=wa_id)
        return contact(news).user_id

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


def of(kind: type[Heard], news: Sequence[Message]) -> list[Heard]:
    return [message for message in news if isinstance(message, kind)]


def said(news: Sequence[Message]) -> list[str]:
    return [message.kind for message in of(SendMessage, news)]


def reply(news: Sequence[Message]) -> SendMessage:
    [sent] = of(SendMessage, news)
    return sent


def handed_on(news: Sequence[Message]) -> HandleReply:
    [command] = of(HandleReply, news)
    return command


def contact(news: Sequence[Message]) -> Contact:
    return of(UserChanged, news)[-1].contact


def intent(news: Sequence[Message]) -> str:
    [understood] = of(InboundUnderstood, news)
    return understood.intent


@pytest.fixture
async def town(database: Database) -> Town:
    return Town(database)
