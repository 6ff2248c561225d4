"""Both of OpenAI's APIs, and servers that take less than OpenAI does."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from common.database import Database
from common.events import AnswerGraded
from grader.examiners import Board, Examination, ExaminerFailed, FailureReason
from grader.examining import Grader
from grader.handlers import grade_answer
from grader.local_examiner import LocalExaminer
from grader.openai_examiner import OpenAIExaminer
from grader.openai_reply import SCHEMA
from grader.rubric import combine
from grader.settings import Settings
from grader_testing.factories import HALF, question, submission
from grader_testing.fake_llm import FakeLLM, Mood
from grader_testing.reading import outbox, said

Api = Literal["chat", "responses"]
APIS: tuple[Api, ...] = ("chat", "responses")


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


@pytest.fixture
async def examiner(
    api: Api, llm_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenAIExaminer]:
    monkeypatch.setenv("SABATINA_GRADER_API", api)
    started = OpenAIExaminer.from_settings(Settings())
    yield started
    await started.client.close()


async def examine(examiner: OpenAIExaminer) -> Examination:
    return await examiner.examine(question(), HALF, language="en", level=2)


async def test_either_api_marks_the_same(llm: FakeLLM, examiner: OpenAIExaminer, api: Api) -> None:
    found = await examine(examiner)
    assert combine(question(), found.marks) == 10
    assert (found.requests, found.tokens_in, found.tokens_out) == (1, 700, 300)
    assert (found.claimed_quotes, found.true_quotes) == (3, 3)
    path = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}[api]
    assert llm.paths == [path]
    assert "You mark answers" in llm.told()
    assert llm.exam()["answer"] == HALF


@pytest.mark.parametrize(
    ("mood", "reason", "requests"),
    [
        ("garbage", "invalid", 2),
        ("empty", "invalid", 2),
        ("truncated", "truncated", 1),
        ("filtered", "filtered", 1),
        ("refusal", "refused", 1),
        ("no_choices", "invalid", 1),
        ("html", "invalid", 1),
        ("page", "invalid", 1),
        ("nothing", "invalid", 1),
        ("busy", "rate_limited", 1),
        ("broken", "server_error", 1),
        ("denied", "rejected", 1),
        ("slow", "timeout", 1),
        ("dripping", "timeout", 1),
    ],
)
async def test_every_failure_of_either_api_has_its_name(
    llm: FakeLLM, examiner: OpenAIExaminer, mood: Mood, reason: FailureReason, requests: int
) -> None:
    llm.script = [mood]
    with pytest.raises(ExaminerFailed) as failure:
        await examine(examiner)
    assert failure.value.reason == reason
    assert failure.value.used.requests == len(llm.requests) == requests


@pytest.mark.parametrize(
    "mood",
    [
        *("ok", "garbage", "empty", "truncated", "filtered", "refusal", "no_choices", "html"),
        *("page", "nothing", "failed", "busy", "broken", "denied", "slow", "dripping"),
    ],
)
async def test_whatever_either_api_does_an_answer_is_graded_and_replied_to_once(
    llm: FakeLLM, examiner: OpenAIExaminer, database: Database, local_grader: Grader, mood: Mood
) -> None:
    llm.script = [mood]
    board = Board(examiner, LocalExaminer())
    await grade_answer(submission(), Grader(database, board, local_grader.clock))
    messages = await outbox(database)
    [graded] = [m for m in messages if isinstance(m, AnswerGraded)]
    assert graded.score is not None
    assert graded.is_provisional == (mood != "ok")
    assert [reply.kind for reply in said(messages)] == ["feedback"]


async def test_a_failed_response_is_the_servers_fault(
    llm: FakeLLM, llm_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SABATINA_GRADER_API", "responses")
    llm.script = ["failed"]
    examiner = OpenAIExaminer.from_settings(Settings())
    with pytest.raises(ExaminerFailed, match="server_error"):
        await examine(examiner)
    await examiner.client.close()


async def test_responses_are_not_kept_and_have_the_same_schema(
    llm: FakeLLM, llm_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SABATINA_GRADER_API", "responses")
    examiner = OpenAIExaminer.from_settings(Settings())
    await examine(examiner)
    await examiner.client.close()
    request = llm.requests[0]
    assert set(request) == {"model", "instructions", "input", "text", "reasoning", "store"}
    assert (request["store"], request["reasoning"]) == (False, {"effort": "low"})
    assert request["text"] == {
        "format": {"type": "json_schema", "name": "marking", "strict": True, "schema": SCHEMA}
    }


async def test_a_server_without_schemas_is_shown_the_schema_from_then_on(
    llm: FakeLLM, examiner: OpenAIExaminer
) -> None:
    llm.takes_schemas = False
    for _ in range(2):
        assert combine(question(), (await examine(examiner)).marks) == 10
    assert len(llm.requests) == 3
    for request in (1, 2):
        assert '"type": "json_object"' in str(llm.requests[request]).replace("'", '"')
        assert '"additionalProperties": false' in llm.told(request)
    assert "additionalProperties" not in llm.told(0)


async def test_a_model_without_effort_is_not_sent_it_again(
    llm: FakeLLM, examiner: OpenAIExaminer
) -> None:
    llm.takes_effort = False
    for _ in range(2):
        assert combine(question(), (await examine(examiner)).marks) == 10
    sent = ["reasoning_effort" in r or "reasoning" in r for r in llm.requests]
    assert sent == [True, False, False]


async def test_a_server_may_take_neither(llm: FakeLLM, examiner: OpenAIExaminer) -> None:
    llm.takes_effort = llm.takes_schemas = False
    assert combine(question(), (await examine(examiner)).marks) == 10
    assert len(llm.requests) == 3


@pytest.mark.parametrize(
    ("url", "api", "uses_responses"),
    [
        ("", "auto", True),
        ("https://api.openai.com/v1", "auto", True),
        ("https://api.openai.com.example.org/v1", "auto", False),
        ("http://ollama:11434/v1", "auto", False),
        ("http://ollama:11434/v1", "responses", True),
        ("", "chat", False),
    ],
)
def test_responses_are_for_openai_itself(
    url: str, api: str, uses_responses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("SABATINA_GRADER_API", api)
    assert Settings().uses_responses == uses_responses


def test_a_budget_in_money_needs_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("SABATINA_GRADER_MODEL", "mine")
    assert Settings().grader_daily_budget_usd is not None
    monkeypatch.setenv("SABATINA_GRADER_DAILY_BUDGET_USD", "2.5")
    with pytest.raises(ValueError, match="price of mine is not known"):
        Settings()
    monkeypatch.setenv("SABATINA_GRADER_DAILY_BUDGET_USD", "")
    monkeypatch.setenv("SABATINA_GRADER_DAILY_TOKENS", "")
    found = Settings()
    assert (found.grader_daily_budget_usd, found.grader_daily_tokens) == (None, None)
