"""The model is back: it looks at what the local examiner graded in its place."""

import asyncio
from datetime import timedelta

import pytest

from common.clock import FixedClock
from common.events import AnswerRegraded, GradeAnswer
from common.ids import derived_id
from grader.examining import Grader
from grader.handlers import grade_answer
from grader.regrading import NOT_AFTER, RETRY_AFTER, regrade_provisional, regrade_round
from grader_testing.factories import HALF, REFERENCES, submission
from grader_testing.fake_llm import FakeLLM, Json, praise
from grader_testing.marking import by_keywords
from grader_testing.reading import rows, said, take_outbox


@pytest.fixture(autouse=True)
def honest(llm: FakeLLM) -> None:
    llm.marking = by_keywords


async def provisional(grader: Grader, llm: FakeLLM, text: str = HALF) -> GradeAnswer:
    """Graded while the model was away."""
    llm.script = ["refusal"]
    command = submission(text)
    await grade_answer(command, grader)
    llm.script = ["ok"]
    await take_outbox(grader.database)
    return command


async def told_score(grader: Grader, command: GradeAnswer) -> object:
    query = f"SELECT score FROM grader.gradings WHERE answer_id = '{command.answer_id}'"  # noqa: S608
    [(score,)] = await rows(grader.database, f"{query} AND kind = 'first'")
    return score


async def test_a_score_that_was_far_off_is_corrected_and_the_person_is_told(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command = await provisional(model_grader, llm)
    old = await told_score(model_grader, command)
    llm.marking = praise
    assert await regrade_round(model_grader) == 1
    event, reply = await take_outbox(model_grader.database)
    assert isinstance(event, AnswerRegraded)
    assert (event.old_score, event.score, event.examiner) == (old, 10, "openai")
    assert (event.answer_id, event.assignment_id) == (command.answer_id, command.assignment_id)
    [reply] = said([reply])
    assert reply.kind == "grade_corrected"
    assert set(reply.values) == {"old", "score", "good", "missing", "suggestion", "a"}
    assert (reply.values["old"], reply.values["score"]) == (str(old), "10")
    assert (reply.purpose, reply.inbound) == ("reply", command.inbound)
    assert reply.message_id == derived_id("corrected", command.answer_id, old, 10)
    assert await rows(model_grader.database, "SELECT corrected_score FROM grader.answers") == [
        (10,)
    ]
    assert await rows(
        model_grader.database,
        "SELECT kind, is_provisional FROM grader.gradings ORDER BY created_at, id",
    ) == [("first", True), ("regrade", False)]


async def test_a_score_that_was_about_right_is_only_noted(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command = await provisional(model_grader, llm, REFERENCES["en"])
    assert await told_score(model_grader, command) in (9, 10)
    assert await regrade_round(model_grader) == 1
    assert await take_outbox(model_grader.database) == []
    found = await rows(model_grader.database, "SELECT kind FROM grader.gradings ORDER BY kind")
    assert found == [("first",), ("regrade",)]
    assert await rows(model_grader.database, "SELECT corrected_score FROM grader.answers") == [
        (None,)
    ]


async def test_each_is_regraded_once_oldest_first(
    model_grader: Grader, llm: FakeLLM, clock: FixedClock
) -> None:
    texts = [f"{HALF} Number {number}." for number in range(3)]
    for text in texts:
        await provisional(model_grader, llm, text)
        clock.advance(timedelta(minutes=1))
    llm.requests.clear()
    assert await regrade_round(model_grader) == 3
    assert [llm.exam(n)["answer"] for n in range(3)] == texts
    clock.advance(RETRY_AFTER)
    assert await regrade_round(model_grader) == 0


async def test_what_the_model_graded_is_left_alone(model_grader: Grader, llm: FakeLLM) -> None:
    await grade_answer(submission(HALF), model_grader)
    await grade_answer(submission("ok"), model_grader)
    assert await regrade_round(model_grader) == 0


async def test_it_is_too_late_after_two_days(
    model_grader: Grader, llm: FakeLLM, clock: FixedClock
) -> None:
    await provisional(model_grader, llm)
    clock.advance(NOT_AFTER)
    assert await regrade_round(model_grader) == 0


async def test_while_the_model_is_away_nothing_more_is_tried(
    model_grader: Grader, llm: FakeLLM, clock: FixedClock
) -> None:
    for number in range(3):
        await provisional(model_grader, llm, f"{HALF} Number {number}.")
    llm.requests.clear()
    llm.script = ["broken"]
    assert await regrade_round(model_grader) == 0
    assert len(llm.requests) == 1
    llm.script = ["ok"]
    clock.advance(RETRY_AFTER)
    assert await regrade_round(model_grader) == 3


async def test_an_answer_that_the_model_will_not_take_holds_up_no_other(
    model_grader: Grader, llm: FakeLLM
) -> None:
    for number in range(3):
        await provisional(model_grader, llm, f"{HALF} Number {number}.")
    llm.script = ["refusal", "ok"]
    await regrade_round(model_grader)
    regraded = "SELECT count(*) FROM grader.gradings WHERE kind = 'regrade'"
    assert await rows(model_grader.database, regraded) == [(2,)]


async def test_an_answer_that_is_none_after_all_keeps_its_score(
    model_grader: Grader, llm: FakeLLM
) -> None:
    await provisional(model_grader, llm)

    def nothing(exam: Json) -> Json:
        marked = by_keywords(exam | {"answer": ""})
        return marked | {"gradable": False}

    llm.marking = nothing
    assert await regrade_round(model_grader) == 1
    assert await take_outbox(model_grader.database) == []


async def test_two_replicas_regrade_an_answer_once(model_grader: Grader, llm: FakeLLM) -> None:
    for number in range(4):
        await provisional(model_grader, llm, f"{HALF} Number {number}.")
    llm.marking = praise
    await asyncio.gather(*(regrade_round(model_grader) for _ in range(2)))
    messages = await take_outbox(model_grader.database)
    assert (
        sorted(type(m).__name__ for m in messages) == ["AnswerRegraded"] * 4 + ["SendMessage"] * 4
    )


async def test_without_a_model_there_is_nothing_to_wait_for(local_grader: Grader) -> None:
    async with asyncio.timeout(1):
        await regrade_provisional(local_grader)
