"""The service as a process, with real servers: it is told of a person and asks a question."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import yaml

from common.bus.publisher import Publisher, connect
from common.database import Database
from common.events import (
    Contact,
    CreateQuestion,
    HandleReply,
    InboundRef,
    ListQuestions,
    Message,
    MoveQuestion,
    Preferences,
    QuestionPage,
    QuestionSaved,
    SendMessage,
    UserChanged,
    message_class,
)
from common.ids import UserId
from devstack.pytest_plugin import Migrated, Servers
from scheduler.testing import make_pack, make_question

STARTING = 15.0  # seconds


@pytest.fixture
def content(tmp_path: Path) -> Path:
    for question in make_pack(("ruby",), 3):
        folder = tmp_path / "content" / "questions" / question.track
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{question.id}.yaml").write_text(
            yaml.safe_dump(question.model_dump(mode="json"))
        )
    return tmp_path / "content"


@pytest.fixture
async def publisher(servers: Servers) -> AsyncIterator[Publisher]:
    connected = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    for stream in ("OUTBOUND", "REPLIES", "EVENTS", "QUESTIONS"):
        await connected.jetstream.purge_stream(stream)
    yield connected
    await connected.client.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def scheduler(
    servers: Servers, url: str, content: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    port = free_port()
    environment = os.environ | {
        "SABATINA_NATS_URL": servers.nats.url,
        "SABATINA_POSTGRES_URL": url,
        "SABATINA_SIMULATION": "true",
        "SABATINA_PROBE_PORT": str(port),
        "SABATINA_CONTENT": str(content),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scheduler"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process, port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def ready(port: int) -> None:
    async with asyncio.timeout(STARTING), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)


async def next_message(publisher: Publisher, stream: str) -> Message:
    async with asyncio.timeout(STARTING):
        while not (state := (await publisher.jetstream.stream_info(stream)).state).messages:
            await asyncio.sleep(0.05)
    raw = await publisher.jetstream.get_msg(stream, state.last_seq)
    assert raw.subject
    return message_class(raw.subject).model_validate_json(raw.data or b"")


async def test_a_person_taps_question_now_and_gets_a_question(
    servers: Servers, migrated: Migrated, database: Database, publisher: Publisher, content: Path
) -> None:
    user_id, now = UserId(uuid4()), datetime.now(UTC)
    news = UserChanged(
        occurred_at=now,
        user_id=user_id,
        contact=Contact(user_id=user_id, revision=1, state="active", language="pt"),
        preferences=Preferences(
            tracks=("ruby",),
            level=1,
            timezone="UTC",
            time=(now + timedelta(hours=6)).strftime("%H:%M"),
        ),
    )
    tap = HandleReply(
        occurred_at=now,
        user_id=user_id,
        kind="question_now",
        inbound=InboundRef(provider_id=f"wamid.{uuid4()}", at=now),
    )
    async with scheduler(servers, migrated.url("scheduler"), content) as (process, port):
        await ready(port)
        await publisher.publish(tap)
        await publisher.publish(news)
        sent = await next_message(publisher, "OUTBOUND")
        assert isinstance(sent, SendMessage)
        assert (sent.user_id, sent.kind, sent.values["track"]) == (user_id, "question", "ruby")
        process.terminate()
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()


async def test_a_question_published_through_the_bus_is_asked(
    servers: Servers, migrated: Migrated, database: Database, publisher: Publisher, content: Path
) -> None:
    now, document = datetime.now(UTC), make_question("dsa", "heaps").model_dump(mode="json")
    moves = [
        MoveQuestion.model_validate(
            {"occurred_at": now, "question_id": "dsa-heaps", "version": 1, "to": to}
        )
        for to in ("review", "published")
    ]
    user_id = UserId(uuid4())
    news = UserChanged(
        occurred_at=now,
        user_id=user_id,
        contact=Contact(user_id=user_id, revision=1, state="active", language="pt"),
        preferences=Preferences(
            tracks=("dsa",),
            level=1,
            timezone="UTC",
            time=(now + timedelta(hours=6)).strftime("%H:%M"),
        ),
    )
    async with scheduler(servers, migrated.url("scheduler"), content) as (_, port):
        await ready(port)
        for command in (CreateQuestion(occurred_at=now, document=document), *moves):
            saved = await publisher.ask(command, QuestionSaved)
            assert saved.question is not None, saved.problems
        page = await publisher.query(ListQuestions(track="dsa"), QuestionPage)
        assert [(item.question_id, item.status) for item in page.items] == [
            ("dsa-heaps", "published")
        ]
        await asyncio.sleep(1)  # the bank looks at once; a replica of its own would within 5 s
        await publisher.publish(news)
        await publisher.publish(
            HandleReply(
                occurred_at=now,
                user_id=user_id,
                kind="question_now",
                inbound=InboundRef(provider_id=f"wamid.{uuid4()}", at=now),
            )
        )
        sent = await next_message(publisher, "OUTBOUND")
        assert isinstance(sent, SendMessage)
        assert (sent.kind, sent.values["track"]) == ("question", "dsa")


async def test_changed_packs_without_a_new_version_end_the_process_with_the_reason(
    servers: Servers, migrated: Migrated, database: Database, publisher: Publisher, content: Path
) -> None:
    from scheduler.bank import QuestionBank

    await QuestionBank.of(database).publish([make_question("ruby", "q00", level=3)])
    async with scheduler(servers, migrated.url("scheduler"), content) as (process, _):
        async with asyncio.timeout(STARTING):
            output, _ = await process.communicate()
    assert process.returncode == 1
    assert "ruby-q00 version 1 was published with another text" in output.decode()
