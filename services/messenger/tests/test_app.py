"""The service as a process, with the bus, PostgreSQL, Redis and WhatsApp's API around it."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from common.bus.publisher import Publisher, connect
from common.events import (
    Contact,
    InboundRef,
    MessageAccepted,
    SendMessage,
    StatusReceived,
    wildcard,
)
from common.ids import UserId, derived_id
from devstack.pytest_plugin import Migrated, Servers

from .conftest import CONTENT, NUMBER
from .fakes import FakeWhatsApp


@asynccontextmanager
async def service(
    servers: Servers, migrated: Migrated, url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = os.environ | {
        "SABATINA_NATS_URL": servers.nats.url,
        "SABATINA_POSTGRES_URL": migrated.url("messenger"),
        "SABATINA_REDIS_URL": servers.valkey.url,
        "SABATINA_WHATSAPP_API_URL": url,
        "SABATINA_WHATSAPP_PHONE_NUMBER_ID": NUMBER,
        "SABATINA_WHATSAPP_ACCESS_TOKEN": "simulated-token",
        "SABATINA_SIMULATION": "true",
        "SABATINA_CONTENT": str(CONTENT),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "messenger", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def bus(servers: Servers) -> AsyncIterator[Publisher]:
    publisher = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    yield publisher
    await publisher.client.close()


def confirmation() -> SendMessage:
    user = UserId(uuid4())
    now = datetime.now(UTC)
    return SendMessage(
        occurred_at=now,
        user_id=user,
        kind="stopped",
        purpose="stop_confirmation",
        inbound=InboundRef(provider_id="wamid.in", at=now),
        contact=Contact(
            user_id=user, revision=3, state="opted_out", language="es", address="34600000000"
        ),
    )


async def test_a_command_on_the_bus_becomes_a_message_and_news_of_it(
    servers: Servers, migrated: Migrated, whatsapp: FakeWhatsApp
) -> None:
    migrated.empty("messenger")
    async with bus(servers) as publisher, service(servers, migrated, whatsapp.url) as process:
        news = await publisher.client.subscribe(wildcard(MessageAccepted))
        command = confirmation()
        await publisher.publish(command)
        await publisher.publish(command.model_copy(update={"expires_at": datetime.now(UTC)}))
        accepted = MessageAccepted.model_validate_json((await news.next_msg(timeout=20)).data)
        assert accepted.sent_id == command.message_id
        await publisher.publish(
            StatusReceived(
                message_id=derived_id("status", command.message_id),
                occurred_at=datetime.now(UTC),
                channel="cloud",
                number_id=NUMBER,
                provider_id="wamid.1",
                status="delivered",
                status_at=datetime.now(UTC),
                tracker=str(command.message_id),
            )
        )
        delivered = await publisher.client.subscribe("sabatina.message.delivered.*")
        await delivered.next_msg(timeout=10)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert whatsapp.trackers() == [str(command.message_id)]
    assert "BAJA" not in str(whatsapp.sent[0])


async def test_a_killed_process_loses_nothing_and_repeats_nothing(
    servers: Servers, migrated: Migrated, whatsapp: FakeWhatsApp
) -> None:
    migrated.empty("messenger")
    whatsapp.delay = 0.02
    commands = [confirmation() for _ in range(300)]
    async with bus(servers) as publisher:
        async with service(servers, migrated, whatsapp.url) as process:
            for command in commands:
                await publisher.publish(command)
            async with asyncio.timeout(20):
                while len(whatsapp.sent) < 20:
                    await asyncio.sleep(0.005)
            process.kill()
        async with service(servers, migrated, whatsapp.url):
            async with asyncio.timeout(40):  # NATS waits before it hands a lost delivery out again
                while states(migrated).get("queued", 0) or total(migrated) < len(commands):
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.5)
    assert set(Counter(whatsapp.trackers()).values()) == {1}
    found = states(migrated)
    in_doubt = found.get("sending", 0)  # claimed by the killed process: not repeated
    assert in_doubt <= 64
    assert found["accepted"] == len(commands) - in_doubt
    assert len(commands) - in_doubt <= len(whatsapp.sent) <= len(commands)


def states(migrated: Migrated) -> dict[str, int]:
    with psycopg.connect(migrated.url("messenger")) as connection:
        query = "SELECT state, count(*) FROM messenger.messages GROUP BY state"
        return dict(connection.execute(query).fetchall())


def total(migrated: Migrated) -> int:
    return sum(states(migrated).values())
