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
    LearnAliases,
    ListMerges,
    ListUsers,
    Media,
    MergePage,
    Message,
    PreferenceReceived,
    QuestionAssigned,
    QuestionClosed,
    ReverseMerge,
    Sender,
    SendMessage,
    UserPage,
    UserRegistration,
    UserView,
    VoiceTranscribed,
    message_class,
    wildcard,
)
from common.ids import AssignmentId, UserId
from devstack.pytest_plugin import Servers
from users.store import Store

from .conftest import Town, of, preferences, registration_of

CANARY_PHONE = "5531977776666"
CANARY_TEXT = "zebrafinch wrote this answer"
CANARY_NAME = "Quetzalcoatl"
STREAMS = ("INBOUND", "PEOPLE_COMMANDS", "OUTBOUND", "REPLIES", "VOICE", "EVENTS", "DEAD_LETTERS")


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


async def test_the_process_merges_and_takes_back_what_it_is_told_to(
    servers: Servers, town: Town, database: Database
) -> None:
    user_id = await town.sign_up()
    hidden = await town.hear("oi", wa_id=None, lid="12@lid", chat="12@lid", channel="waha")
    [understood] = of(InboundUnderstood, hidden)
    now = datetime.now(UTC)
    async with started(servers) as service:
        publisher = service.publisher
        names = Sender(wa_id=CANARY_PHONE[:-1] + "0", lid="12@lid")
        learnt = LearnAliases(occurred_at=now, user_id=user_id, sender=names)
        await publisher.publish(learnt)
        async with asyncio.timeout(20):
            while await town.number("SELECT count(*) FROM users.merges") == 0:
                await asyncio.sleep(0.02)
        [merge] = (await publisher.query(ListMerges(), MergePage)).items
        assert (merge.user_id, merge.into) == (understood.user_id, user_id)
        back = ReverseMerge(occurred_at=now, user_id=merge.user_id, source="admin")
        view = await publisher.ask(back, UserView, timeout=20)
        assert (view.user_id, view.state) == (merge.user_id, "onboarding")
        again = ReverseMerge(occurred_at=now, user_id=merge.user_id, source="admin")
        with pytest.raises(CommandRefused, match="merge_reversed"):
            await publisher.ask(again, UserView, timeout=20)
        assert await service.stop() == 0
    assert "12@lid" not in service.output


async def test_the_process_hears_transcripts_and_whatsapps_own_switch(
    servers: Servers, town: Town, database: Database
) -> None:
    number = "5531977770001"  # of its own: NATS remembers the ids of what was published
    user_id = await town.sign_up(number)
    now = datetime.now(UTC)
    assignment_id = AssignmentId(uuid4())
    async with town.database.transaction() as transaction:
        await Store(transaction).open_questions([(assignment_id, user_id, now)])
    media = Media(id="1", mime_type="audio/ogg", is_voice=True)
    note = town.message(kind="audio", media=media, wa_id=number)
    async with started(servers) as service:
        publisher = service.publisher
        await publisher.publish(note)
        async with asyncio.timeout(20):
            while await town.query("SELECT step FROM users.dialogues") != [("voice_pending",)]:
                await asyncio.sleep(0.02)
        transcript = VoiceTranscribed(
            occurred_at=now, user_id=user_id, inbound=note.ref, text=CANARY_TEXT
        )
        await publisher.publish(transcript)
        preference = PreferenceReceived(
            occurred_at=now,
            channel="cloud",
            number_id="1",
            sender=note.sender,
            is_wanted=False,
            set_at=now,
        )
        await publisher.publish(preference)
        async with asyncio.timeout(20):
            while (await publisher.query(GetUser(user_id=user_id), UserView)).state != "paused":
                await asyncio.sleep(0.02)
            while not [m for m in of(SendMessage, service.heard) if m.kind == "voice_heard"]:
                await asyncio.sleep(0.02)
        await publisher.publish(town.message("1", wa_id=number))
        async with asyncio.timeout(20):
            while not of(HandleReply, service.heard):
                await asyncio.sleep(0.02)
        assert of(HandleReply, service.heard)[-1].text == CANARY_TEXT
        assert await service.stop() == 0
    assert CANARY_TEXT.split(maxsplit=1)[0] not in service.output
