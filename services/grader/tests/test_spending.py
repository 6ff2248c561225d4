"""The day's budget, in money and in tokens, and each person's share of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from common.clock import FixedClock
from common.events import UserDeleted
from grader.examiners import ExaminerFailed, Usage
from grader.examining import Grader
from grader.handlers import forget_person, grade_answer
from grader.spending import RESERVED_IN, RESERVED_OUT, Limits
from grader.store import Store
from grader_testing.factories import HALF, NOW, submission
from grader_testing.fake_llm import FakeLLM, Mood
from grader_testing.reading import rows

RESERVED = RESERVED_IN + RESERVED_OUT
Limited = Callable[[Limits], Grader]


@pytest.fixture
def limited(model_grader: Grader) -> Limited:
    return lambda limits: replace(model_grader, limits=limits)


async def outcomes(grader: Grader) -> list[tuple[object, ...]]:
    return await rows(
        grader.database,
        "SELECT examiner, is_provisional FROM grader.gradings ORDER BY created_at, id",
    )


def answers(count: int) -> list[str]:
    return [f"{HALF} For the {number}. time." for number in range(count)]


async def test_what_a_day_cost_is_counted(model_grader: Grader, clock: FixedClock) -> None:
    for text in answers(2):
        await grade_answer(submission(text), model_grader)
    clock.advance(timedelta(days=1))
    await grade_answer(submission(HALF), model_grader)
    found = await rows(
        model_grader.database,
        "SELECT day::text, examinations, tokens, cost_usd::text FROM grader.llm_days ORDER BY day",
    )
    assert found == [
        ("2026-11-21", 2, 2000, "0.00044000"),
        ("2026-11-22", 1, 1000, "0.00022000"),
    ]


@pytest.mark.parametrize(
    "limits", [Limits(tokens=RESERVED + 1000), Limits(usd=Decimal("0.00105") + Decimal("0.00022"))]
)
async def test_without_budget_the_local_examiner_grades_until_the_next_day(
    limited: Limited, limits: Limits, llm: FakeLLM, clock: FixedClock
) -> None:
    grader = limited(limits)
    with capture_logs() as logs:
        for text in answers(4):
            await grade_answer(submission(text), grader)
    assert await outcomes(grader) == [("openai", False)] * 2 + [("local", True)] * 2
    assert [line["event"] for line in logs].count("llm_budget_spent") == 1
    assert len(llm.requests) == 2
    clock.advance(timedelta(hours=12))
    await grade_answer(submission(HALF), grader)
    assert (await outcomes(grader))[-1] == ("openai", False)


async def test_replicas_together_keep_the_budget(limited: Limited, llm: FakeLLM) -> None:
    replicas = [limited(Limits(tokens=RESERVED * 3)) for _ in range(2)]
    await asyncio.gather(
        *(grade_answer(submission(t), replicas[n % 2]) for n, t in enumerate(answers(10)))
    )
    [(tokens,)] = await rows(replicas[0].database, "SELECT tokens FROM grader.llm_days")
    assert isinstance(tokens, int)
    assert tokens == len(llm.requests) * 1000 <= RESERVED * 3


async def test_a_person_has_a_share_of_the_day(
    limited: Limited, llm: FakeLLM, clock: FixedClock
) -> None:
    grader, person = limited(Limits(per_person=2)), submission().user_id
    for text in answers(4):
        await grade_answer(submission(text).model_copy(update={"user_id": person}), grader)
    await grade_answer(submission(HALF), grader)
    assert [examiner for examiner, _ in await outcomes(grader)] == [
        "openai", "openai", "local", "local", "openai",
    ]  # fmt: skip
    clock.advance(timedelta(days=1))
    late = submission("One more: a stack is LIFO.").model_copy(update={"user_id": person})
    await grade_answer(late, grader)
    assert (await outcomes(grader))[-1] == ("openai", False)


async def test_when_openai_is_required_a_spent_budget_is_not_waited_for(
    limited: Limited, llm: FakeLLM
) -> None:
    grader = limited(Limits(tokens=1))
    patient = replace(grader, board=replace(grader.board, patience=5))
    await grade_answer(submission(HALF), patient)
    assert await outcomes(patient) == [("local", True)]
    assert llm.requests == []
    assert await rows(patient.database, "SELECT tokens, examinations FROM grader.llm_days") == [
        (0, 0)
    ]


async def test_what_asks_for_nothing_costs_nothing(model_grader: Grader) -> None:
    command = submission("ok")
    await grade_answer(command, model_grader)
    found = await rows(
        model_grader.database,
        "SELECT d.examinations, tokens, cost_usd::float, p.examinations FROM grader.llm_days d"
        " JOIN grader.llm_person_days p USING (day)",
    )
    assert found == [(0, 0, 0.0, 0)]


async def test_what_a_failed_or_silent_request_cost_is_counted_too(
    model_grader: Grader, llm: FakeLLM
) -> None:
    llm.script = ["garbage"]
    await grade_answer(submission(HALF), model_grader)
    found = await rows(model_grader.database, "SELECT tokens, examinations FROM grader.llm_days")
    assert found == [(2000, 1)]
    llm.script, llm.tells_usage = ["ok"], False
    await grade_answer(submission(f"{HALF} Again."), model_grader)
    found = await rows(model_grader.database, "SELECT tokens, examinations FROM grader.llm_days")
    assert found == [(2000 + RESERVED, 2)]


@pytest.mark.parametrize(("mood", "tokens"), [("broken", 0), ("busy", 0), ("slow", RESERVED)])
async def test_an_outage_costs_nothing_but_what_may_have_been_answered(
    model_grader: Grader, llm: FakeLLM, mood: Mood, tokens: int
) -> None:
    llm.script = [mood]
    await grade_answer(submission(HALF), model_grader)
    assert await rows(model_grader.database, "SELECT tokens FROM grader.llm_days") == [(tokens,)]


async def test_what_a_crash_leaves_reserved_counts_as_spent(limited: Limited) -> None:
    grader = limited(Limits(tokens=RESERVED * 2 - 1))
    await grader.purse.reserve(grader.board.first, uuid4())
    with pytest.raises(ExaminerFailed, match="budget_spent"):
        await grader.purse.reserve(grader.board.first, uuid4())


async def test_a_settled_reservation_leaves_what_was_used(limited: Limited) -> None:
    grader = limited(Limits(tokens=RESERVED))
    reservation = await grader.purse.reserve(grader.board.first, uuid4())
    await grader.purse.settle(reservation, Usage(requests=1, tokens_in=20, tokens_out=1))
    [(tokens,)] = await rows(grader.database, "SELECT tokens FROM grader.llm_days")
    assert tokens == 21


async def test_a_deleted_persons_share_goes_with_them(model_grader: Grader) -> None:
    command = submission(HALF)
    await grade_answer(command, model_grader)
    async with model_grader.database.transaction() as transaction:
        event = UserDeleted(occurred_at=NOW, user_id=command.user_id)
        await forget_person(event, Store(transaction), model_grader.clock)
    assert await rows(model_grader.database, "SELECT user_id FROM grader.llm_person_days") == []
