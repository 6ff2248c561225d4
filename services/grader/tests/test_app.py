"""The grader as a process of its own, on a real NATS and a real PostgreSQL."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client
from sqlalchemy import text

from common.bus.publisher import Publisher
from common.database import Database
from common.events import (
    AnswerGraded,
    AnswerRegraded,
    DecideReview,
    DisputeGrade,
    InboundRef,
    ListReviews,
    Message,
    ReviewPage,
    ReviewView,
    SendMessage,
    UserDeleted,
    wildcard,
)
from common.topology import GRADER_FOLLOW
from devstack.pytest_plugin import ROLE_PASSWORD, Servers
from grader_testing.factories import NOW, submission


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Client]:
    connection = await nats.connect(servers.nats.url)
    for stream in ("ANSWERS", "EVENTS", "OUTBOUND"):
        await connection.jetstream().purge_stream(stream)
    yield connection
    await connection.close()


@asynccontextmanager
async def process(servers: Servers) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")},
        "SABATINA_NATS_URL": servers.nats.url,
        "SABATINA_POSTGRES_URL": servers.role_url("grader"),
        "SABATINA_SIMULATION": "true",
    }
    assert ROLE_PASSWORD in environment["SABATINA_POSTGRES_URL"]
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "grader", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def send(bus: Client, message: Message) -> None:
    await bus.jetstream().publish(message.full_subject, message.model_dump_json().encode())


async def test_a_process_grades_forgets_and_stops_on_sigterm(
    servers: Servers, database: Database, bus: Client
) -> None:
    graded = await bus.subscribe(wildcard(AnswerGraded))
    replies = await bus.subscribe(wildcard(SendMessage))
    command = submission()
    async with process(servers) as grader:
        await send(bus, command)
        await send(bus, command.model_copy(update={"message_id": submission().message_id}))
        event = AnswerGraded.model_validate_json((await graded.next_msg(timeout=20)).data)
        reply = SendMessage.model_validate_json((await replies.next_msg(timeout=5)).data)
        assert event.answer_id == command.answer_id
        assert reply.values["score"] == str(event.score)
        await send(bus, UserDeleted(occurred_at=NOW, user_id=command.user_id))
        await until_deleted(database)
        grader.terminate()
        assert await asyncio.wait_for(grader.wait(), 10) == 0
    assert graded.pending_msgs == 0
    assert replies.pending_msgs == 0
    info = await bus.jetstream().consumer_info(GRADER_FOLLOW.stream, GRADER_FOLLOW.name)
    assert info.num_pending == 0


async def test_a_process_takes_objections_and_what_people_decide_about_them(
    servers: Servers, database: Database, bus: Client
) -> None:
    replies = await bus.subscribe(wildcard(SendMessage))
    regraded = await bus.subscribe(wildcard(AnswerRegraded))
    publisher = Publisher(bus)
    command = submission()
    inbound = InboundRef(provider_id="wamid.2", at=NOW)
    objection = DisputeGrade(
        occurred_at=NOW, user_id=command.user_id, answer_id=command.answer_id, inbound=inbound
    )
    async with process(servers):
        await send(bus, command)
        graded = SendMessage.model_validate_json((await replies.next_msg(timeout=20)).data)
        await send(bus, objection)
        received = SendMessage.model_validate_json((await replies.next_msg(timeout=10)).data)
        assert (graded.kind, received.kind) == ("feedback", "dispute_received")
        [review] = (await publisher.query(ListReviews(), ReviewPage)).items
        new = 10 if review.score < 10 else 1
        decision = DecideReview(
            occurred_at=NOW, review_id=review.review_id, score=new, decided_by="ana"
        )
        assert (await publisher.ask(decision, ReviewView)).decided_score == new
        event = AnswerRegraded.model_validate_json((await regraded.next_msg(timeout=5)).data)
        assert (event.answer_id, event.score) == (command.answer_id, new)
        told = SendMessage.model_validate_json((await replies.next_msg(timeout=5)).data)
        assert told.kind == "grade_decided"


async def until_deleted(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            async with database.transaction() as transaction:
                query = text("SELECT count(*) FROM grader.answers")
                if not (await transaction.connection.execute(query)).scalar_one():
                    return
            await asyncio.sleep(0.05)
