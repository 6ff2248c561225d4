"""The service as a process of its own, on a real bus and a real database."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from nats.aio.msg import Msg

from common.bus.publisher import Publisher, connect
from common.database import Database
from common.errors import CommandRefused
from common.events import (
    GetUser,
    HandleReply,
    InboundUnderstood,
    ListUsers,
    Message,
    QuestionAssigned,
    QuestionClosed,
    SendMessage,
    UserPage,
    UserRegistration,
    UserView,
    message_class,
    wildcard,
)
from common.ids import AssignmentId, UserId
from devstack.pytest_plugin import Servers

from .conftest import Town, of, preferences, registration_of

CANARY_PHONE = "5531977776666"
CANARY_TEXT = "zebrafinch wrote this answer"
CANARY_NAME = "Quetzalcoatl"
STREAMS = ("INBOUND", "PEOPLE_COMMANDS", "OUTBOUND", "REPLIES", "EVENTS", "DEAD_LETTERS")


class Process:
    """A running service, and everything that it says on the bus."""

    def __init__(self, publisher: Publisher, process: asyncio.subprocess.Process) -> None:
        self.publisher = publisher
        self.process = process
        self.heard: list[Message] = []
        self.output = ""

    async def listen(self) -> None:
        async def hear(message: Msg) -> None:
            self.heard.append(message_class(message.subject).model_validate_json(message.data))

        for kind in (SendMessage, HandleReply, InboundUnderstood):
            await self.publisher.client.subscribe(wildcard(kind), cb=hear)

    async def understood(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(of(InboundUnderstood, self.heard)) < count:
                await asyncio.sleep(0.02)

    async def stop(self) -> int | None:
        if self.process.returncode is not None:
            return self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            output, _ = await self.process.communicate()
        self.output = output.decode()
        return self.process.returncode


@asynccontextmanager
async def started(servers: Servers) -> AsyncIterator[Process]:
    publisher = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    for stream in STREAMS:
        await publisher.jetstream.purge_stream(stream)
    environment = {
        **os.environ,
        "SABATINA_NATS_URL": servers.nats.url,
        "SABATINA_POSTGRES_URL": servers.role_url("users"),
        "SABATINA_SIMULATION": "true",
        "SABATINA_LOG_LEVEL": "DEBUG",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "users"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Process(publisher, process)
    await running.listen()
    try:
        yield running
    finally:
        await running.stop()
        await publisher.client.close()


async def test_the_process_answers_understands_in_order_and_logs_nothing_personal(
    servers: Servers, town: Town, database: Database
) -> None:
    command = registration_of(f"+{CANARY_PHONE}", name=CANARY_NAME)
    async with started(servers) as service:
        publisher = service.publisher
        outcome = await publisher.ask(command, UserRegistration, timeout=20)
        assert outcome == UserRegistration(user_id=command.user_id, is_new=True, state="pending")
        await publisher.publish(town.message(choice="signup:confirm", wa_id=CANARY_PHONE))
        for number in range(10):
            text = f"{CANARY_TEXT} {number}"
            await publisher.publish(town.message(text, wa_id=CANARY_PHONE))
        await publisher.publish(town.message(CANARY_TEXT, wa_id=None))
        await service.understood(11)
        texts = [reply.text for reply in of(HandleReply, service.heard)]
        assert texts == [f"{CANARY_TEXT} {number}" for number in range(10)]
        view = await publisher.query(GetUser(user_id=command.user_id), UserView)
        assert (view.phone, view.state) == (f"+{CANARY_PHONE}", "active")
        page = await publisher.query(ListUsers(), UserPage)
        assert [item.user_id for item in page.items] == [command.user_id]
        with pytest.raises(CommandRefused, match="user_not_found"):
            await publisher.query(GetUser(user_id=UserId(uuid4())), UserView)
        with pytest.raises(CommandRefused, match="timezone"):
            refused = registration_of(f"+{CANARY_PHONE}", preferences=preferences(timezone="X"))
            await publisher.ask(refused, UserRegistration, timeout=20)
        assert await service.stop() == 0
    assert "SenderHasNoName" in service.output
    for canary in (CANARY_PHONE, CANARY_PHONE[2:], CANARY_TEXT.split(maxsplit=1)[0], CANARY_NAME):
        assert canary not in service.output


async def test_the_process_follows_which_question_is_open(
    servers: Servers, town: Town, database: Database
) -> None:
    user_id = await town.sign_up()
    assignments = [AssignmentId(uuid4()) for _ in range(3)]
    now = datetime.now(UTC)

    async def is_known(count: int) -> None:
        async with asyncio.timeout(20):
            while await town.number("SELECT count(*) FROM users.open_questions") < count:
                await asyncio.sleep(0.02)

    async with started(servers) as service:
        for assignment_id in assignments[1:]:
            await service.publisher.publish(
                QuestionClosed(
                    occurred_at=now, user_id=user_id, assignment_id=assignment_id, reason="graded"
                )
            )
        await is_known(2)
        for assignment_id in assignments:
            await service.publisher.publish(
                QuestionAssigned(
                    occurred_at=now,
                    user_id=user_id,
                    assignment_id=assignment_id,
                    question_id="q",
                    version=1,
                )
            )
        await is_known(3)
        await service.publisher.publish(town.message("end"))
        async with asyncio.timeout(20):
            while "stop_or_answer" not in [m.kind for m in of(SendMessage, service.heard)]:
                await asyncio.sleep(0.02)
    asked = [m for m in of(SendMessage, service.heard) if m.kind == "stop_or_answer"]
    assert asked[-1].values["a"] == str(assignments[0])
