"""The gateway in this process, on a real NATS; a stand-in with state answers for users."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from common.bus.consumer import Handler, Processor
from common.bus.publisher import Publisher, connect
from common.bus.puller import Puller
from common.clock import SystemClock
from common.database import Database, Transaction
from common.errors import CommandRefused
from common.events import (
    ChangeUser,
    DeleteUser,
    GetUser,
    ListUsers,
    Message,
    RegisterUser,
    UnsubscribeUser,
    UserPage,
    UserRegistration,
    UserView,
    message_class,
)
from common.ids import UserId
from common.topology import USERS_COMMANDS, Consumer
from devstack.pytest_plugin import Servers
from gateway.app import create_app
from gateway.limits import RateLimit
from gateway.settings import Settings
from gateway.store import AuditLog

SECRET = "simulated-app-secret"
WAHA_KEY = "simulated-waha-hmac-key"
ADMIN_KEY = "simulated-admin-key"


def settings(**changes: Any) -> Settings:
    both = {
        "whatsapp_app_secret": SecretStr(f"simulated-next-secret,{SECRET}"),
        "whatsapp_verify_token": SecretStr("simulated-verify-token"),
        "waha_hmac_key": SecretStr(f"simulated-next-key,{WAHA_KEY}"),
        "admin_key": SecretStr(ADMIN_KEY),
    }
    return Settings.model_validate({"simulation": True, **both, **changes})


def signed_by_waha(body: bytes, key: str = WAHA_KEY) -> dict[str, str]:
    digest = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
    return {"X-Webhook-Hmac": digest, "X-Webhook-Hmac-Algorithm": "sha512"}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


@pytest.fixture
async def publisher(servers: Servers) -> AsyncIterator[Publisher]:
    connected = await connect(
        servers.nats.url, "gateway-test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    for stream in ("INBOUND", "STATUSES", "PEOPLE_COMMANDS"):
        await connected.jetstream.purge_stream(stream)
    yield connected
    await connected.client.close()


@pytest.fixture
async def client(
    servers: Servers, publisher: Publisher, database: Database, unique: str
) -> AsyncIterator[httpx.AsyncClient]:
    limit = RateLimit(servers.valkey.url, 10, timedelta(minutes=1))
    app = create_app(settings(), publisher, SystemClock(), limit, AuditLog(database))
    transport = httpx.ASGITransport(app, client=(unique, 1))  # an address of this test's own
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as opened:
        yield opened
    await limit.close()


@dataclass
class Door:
    """Posts webhooks, and reads back what was published."""

    client: httpx.AsyncClient
    publisher: Publisher

    async def post(self, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(
            "/webhook/whatsapp", content=raw, headers=signed(raw) | headers
        )

    async def post_waha(self, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(
            "/webhook/waha", content=raw, headers=signed_by_waha(raw) | headers
        )

    async def published(self) -> list[Message]:
        found = []
        for stream in ("INBOUND", "STATUSES"):
            state = (await self.publisher.jetstream.stream_info(stream)).state
            for sequence in range(state.first_seq, state.last_seq + 1):
                raw = await self.publisher.jetstream.get_msg(stream, sequence)
                assert raw.subject
                assert raw.data
                found.append(message_class(raw.subject).model_validate_json(raw.data))
        return found


@pytest.fixture
def door(client: httpx.AsyncClient, publisher: Publisher) -> Door:
    return Door(client, publisher)


@dataclass
class People:
    """The users service, as far as the gateway can see it."""

    by_phone: dict[str, UserView] = field(default_factory=dict)

    async def register(self, command: RegisterUser, _: Transaction) -> UserRegistration:
        known = self.by_phone.get(command.phone)
        now = datetime.now(UTC)
        view = known or UserView(
            user_id=command.user_id,
            name=command.name,
            phone=command.phone,
            state="pending",
            language=command.language,
            preferences=command.preferences,
            created_at=now,
            updated_at=now,
        )
        self.by_phone[command.phone] = view
        return UserRegistration(user_id=view.user_id, is_new=known is None, state=view.state)

    async def change(self, command: ChangeUser, _: Transaction) -> UserView:
        return self._update(command.user_id, language=command.language)

    async def unsubscribe(self, command: UnsubscribeUser, _: Transaction) -> UserView:
        return self._update(command.user_id, state="opted_out")

    async def delete(self, command: DeleteUser, _: Transaction) -> UserView:
        return self._update(command.user_id, state="deleted")

    async def get(self, query: Any) -> UserView:
        return self._find(query.user_id)

    async def list(self, query: Any) -> UserPage:
        return UserPage(items=tuple(self.by_phone.values())[: query.limit], next_after=None)

    def _find(self, user_id: UserId) -> UserView:
        for view in self.by_phone.values():
            if view.user_id == user_id:
                return view
        raise CommandRefused("user_not_found", "There is nobody with this id.")

    def _update(self, user_id: UserId, **changes: Any) -> UserView:
        view = self._find(user_id).model_copy(update=changes)
        assert view.phone
        self.by_phone[view.phone] = view
        return view


@asynccontextmanager
async def consuming(
    consumer: Consumer,
    handlers: Mapping[type[Message], Handler],
    publisher: Publisher,
    database: Database,
) -> AsyncIterator[None]:
    """In the place of the service that takes these commands."""
    processor = Processor(consumer, publisher, database, SystemClock())
    for message, handler in handlers.items():
        processor.handle(message, handler)
    puller = Puller(
        publisher.client,
        consumer.stream,
        consumer.name,
        processor.work,
        slots=4,
        batch=1,
        ack_wait=consumer.ack_wait,
    )
    await puller.start()
    yield
    processor.is_draining.set()
    await puller.drain(grace=1)


@pytest.fixture
async def people(publisher: Publisher, database: Database) -> AsyncIterator[People]:
    stand_in = People()
    group = uuid4().hex
    await publisher.serve(GetUser, stand_in.get, group=group)
    await publisher.serve(ListUsers, stand_in.list, group=group)
    handlers: dict[type[Message], Handler] = {
        RegisterUser: stand_in.register,
        ChangeUser: stand_in.change,
        UnsubscribeUser: stand_in.unsubscribe,
        DeleteUser: stand_in.delete,
    }
    async with consuming(USERS_COMMANDS, handlers, publisher, database):
        yield stand_in
