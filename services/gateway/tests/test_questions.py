"""The question bank, as an editor works on it through the API."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.bus.consumer import Handler
from common.bus.publisher import Publisher
from common.database import Database, Transaction
from common.errors import CommandRefused
from common.events import (
    Command,
    CreateQuestion,
    EditQuestion,
    ExportedQuestions,
    ExportQuestions,
    GetQuestion,
    ImportQuestions,
    ListQuestions,
    Message,
    MoveQuestion,
    Query,
    QuestionPage,
    QuestionProblem,
    QuestionRef,
    QuestionSaved,
    QuestionsImported,
    QuestionStatistics,
    QuestionVersionView,
    QuestionView,
)
from common.topology import SCHEDULER_QUESTIONS
from devstack.pytest_plugin import Migrated

from .conftest import ADMIN_KEY, consuming

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
AT = datetime(2026, 11, 1, tzinfo=UTC)
ROOT = "/api/v1/questions"
STACKS = {"id": "dsa-stacks", "level": 1, "minutes": 3}


def view_of(version: int = 1, status: str = "draft") -> QuestionView:
    about = QuestionVersionView.model_validate(
        {
            "question_id": "dsa-stacks",
            "version": version,
            "newest_version": version,
            "status": status,
            "track": "dsa",
            "level": 1,
            "topic": "stacks",
            "concept": "stacks",
            "origin": "api",
            "created_at": AT,
            "status_at": AT,
            "statistics": QuestionStatistics(asked=4),
        }
    )
    return QuestionView(version=version, document={"id": "dsa-stacks"}, versions=(about,))


@dataclass
class Bank:
    """The scheduler, as far as the question bank is concerned."""

    commands: list[Command] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    problems: tuple[QuestionProblem, ...] = ()

    async def save(self, command: Command, _: Transaction) -> QuestionSaved:
        self.commands.append(command)
        if self.problems:
            return QuestionSaved(problems=self.problems)
        if isinstance(command, MoveQuestion):
            if command.version == 9:
                raise CommandRefused("question_not_found", "There is no such version.")
            if command.to == "retired":
                raise CommandRefused("question_status", "It is retired.")
            return QuestionSaved(question=view_of(command.version, command.to))
        return QuestionSaved(question=view_of(2 if isinstance(command, EditQuestion) else 1))

    async def take_in(self, command: ImportQuestions, _: Transaction) -> QuestionsImported:
        self.commands.append(command)
        drafts = (QuestionRef(question_id="dsa-stacks", version=1),)
        return QuestionsImported(drafts=() if self.problems else drafts, problems=self.problems)

    async def list(self, query: Query) -> QuestionPage:
        self.queries.append(query)
        return QuestionPage(items=view_of().versions, next_after="dsa-stacks")

    async def get(self, query: Query) -> QuestionView:
        assert isinstance(query, GetQuestion)
        if query.question_id != "dsa-stacks":
            raise CommandRefused("question_not_found", "There is no such question.")
        return view_of(query.version or 1)

    async def export(self, query: Query) -> ExportedQuestions:
        """Two pages."""
        assert isinstance(query, ExportQuestions)
        name = "b" if query.after else "a"
        text = f"id: {name}\n" if query.format == "yaml" else json.dumps({"id": name})
        return ExportedQuestions(files=(text,), next_after=None if query.after else "a")


@pytest.fixture
async def bank(publisher: Publisher, database: Database) -> AsyncIterator[Bank]:
    await publisher.jetstream.purge_stream("QUESTIONS")
    stand_in = Bank()
    group = uuid4().hex
    await publisher.serve(ListQuestions, stand_in.list, group=group)
    await publisher.serve(GetQuestion, stand_in.get, group=group)
    await publisher.serve(ExportQuestions, stand_in.export, group=group)
    handlers: dict[type[Message], Handler] = {
        CreateQuestion: stand_in.save,
        EditQuestion: stand_in.save,
        MoveQuestion: stand_in.save,
        ImportQuestions: stand_in.take_in,
    }
    async with consuming(SCHEDULER_QUESTIONS, handlers, publisher, database):
        yield stand_in


async def test_a_question_is_written_and_moved_and_the_audit_log_tells_it(
    client: httpx.AsyncClient, bank: Bank, migrated: Migrated
) -> None:
    versions = f"{ROOT}/dsa-stacks/versions/2"
    answers = [
        await client.post(ROOT, json=STACKS, headers=KEY),
        await client.put(f"{ROOT}/dsa-stacks", json={"level": 2}, headers=KEY),
        await client.post(f"{versions}/review", headers=KEY),
        await client.post(f"{versions}/publish", headers=KEY),
        await client.post(f"{versions}/retire", headers=KEY),
        await client.post(f"{ROOT}/dsa-stacks/versions/9/review", headers=KEY),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 409, 404]
    assert answers[3].json()["versions"][0]["status"] == "published"
    create, edit, *moves = bank.commands
    assert isinstance(create, CreateQuestion)
    assert isinstance(edit, EditQuestion)
    assert (create.document, edit.document) == (STACKS, {"level": 2})
    assert [m.to for m in moves if isinstance(m, MoveQuestion)] == [
        *("review", "published", "retired", "review")
    ]
    with psycopg.connect(migrated.url("gateway")) as connection:
        rows = connection.execute("SELECT action FROM gateway.audit_log ORDER BY at").fetchall()
    assert [row[0] for row in rows] == [
        "create_question dsa-stacks",
        "edit_question dsa-stacks",
        "review_question dsa-stacks/2",
        "publish_question dsa-stacks/2",
        "retire_question dsa-stacks/2",
        "review_question dsa-stacks/9",
    ]


async def test_what_the_linter_does_not_take_is_answered_field_by_field(
    client: httpx.AsyncClient, bank: Bank
) -> None:
    place = "languages.pt.question"
    bank.problems = (
        QuestionProblem(field="level", message="should be 1 to 3"),
        QuestionProblem(question_id="dsa-stacks", field=place, message="is too long"),
    )
    for answer in (
        await client.post(ROOT, json=STACKS, headers=KEY),
        await client.post(f"{ROOT}/import", content="- id: x", headers=KEY),
    ):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"] == [
            {"field": "level", "message": "should be 1 to 3"},
            {"field": f"dsa-stacks: {place}", "message": "is too long"},
        ]


@pytest.mark.parametrize("body", [{}, {"id": "Not A Name"}, {"id": 7}, [], "text"])
async def test_a_question_needs_a_name(client: httpx.AsyncClient, bank: Bank, body: Any) -> None:
    assert (await client.post(ROOT, json=body, headers=KEY)).status_code == 422
    assert bank.commands == []


async def test_questions_are_listed_with_filters_and_looked_at(
    client: httpx.AsyncClient, bank: Bank
) -> None:
    filters: dict[str, str | int] = {
        "track": "dsa",
        "level": 1,
        "status": "draft",
        "topic": "stacks",
        "flag": "too_easy",
        "after": "dsa-a",
        "limit": 7,
    }
    answer = await client.get(ROOT, params=filters, headers=KEY)
    assert answer.json()["items"][0]["statistics"]["asked"] == 4
    [query] = bank.queries
    assert query.model_dump() == filters
    shown = await client.get(f"{ROOT}/dsa-stacks", headers=KEY)
    assert (shown.status_code, shown.json()["document"]) == (200, {"id": "dsa-stacks"})
    third = await client.get(f"{ROOT}/dsa-stacks/versions/3", headers=KEY)
    assert third.json()["version"] == 3
    assert (await client.get(f"{ROOT}/dsa-none", headers=KEY)).status_code == 404


async def test_a_track_is_exported_whole(client: httpx.AsyncClient, bank: Bank) -> None:
    written = await client.get(f"{ROOT}/export", params={"track": "dsa"}, headers=KEY)
    assert written.text == "id: a\n---\nid: b\n"
    parameters = {"track": "dsa", "format": "json"}
    listed = await client.get(f"{ROOT}/export", params=parameters, headers=KEY)
    assert listed.json() == [{"id": "a"}, {"id": "b"}]


async def test_an_import_may_be_larger_than_other_bodies(
    client: httpx.AsyncClient, bank: Bank
) -> None:
    text = "# a long comment\n" * 40_000
    taken = await client.post(f"{ROOT}/import", content=text, headers=KEY)
    assert taken.json()["drafts"] == [{"question_id": "dsa-stacks", "version": 1}]
    [command] = bank.commands
    assert isinstance(command, ImportQuestions)
    assert command.text == text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"x" * 800_000, 413), (b'"' * 700_000, 413), (b"\xff\xfe", 422)],
    ids=["too large", "too large for the bus", "not UTF-8"],
)
async def test_what_cannot_be_carried_is_not_imported(
    client: httpx.AsyncClient, bank: Bank, body: bytes, status: int
) -> None:
    answer = await client.post(f"{ROOT}/import", content=body, headers=KEY)
    assert (answer.status_code, bank.commands) == (status, [])


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer x"}, 403)])
async def test_questions_need_the_key(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    for answer in (
        await client.get(ROOT, headers=headers),
        await client.get(f"{ROOT}/export", params={"track": "dsa"}, headers=headers),
        await client.post(f"{ROOT}/dsa-stacks/versions/1/publish", headers=headers),
    ):
        assert answer.status_code == status


async def test_the_api_page_shows_an_example_of_a_question(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    [example] = document["components"]["schemas"]["QuestionFile"]["examples"]
    assert example["concept"] == "matching-brackets"
    body = document["paths"][f"{ROOT}/import"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/yaml", "application/json"}
