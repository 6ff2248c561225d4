"""A person does not agree with their score."""

from dataclasses import replace
from datetime import timedelta

import pytest

from common.clock import FixedClock
from common.errors import CommandRefused
from common.events import (
    AnswerRegraded,
    DecideReview,
    DisputeGrade,
    GradeAnswer,
    InboundRef,
    ListReviews,
    Message,
    ReviewView,
    SendMessage,
    UserDeleted,
)
from common.ids import new_id
from grader.cases import decided_cases
from grader.disputes import WITHIN, dispute_grade
from grader.evaluate import Row as EvaluationRow
from grader.examining import Grader
from grader.handlers import forget_person, grade_answer
from grader.regrading import regrade_round
from grader.review_store import ReviewStore
from grader.reviews import decide_review, list_reviews
from grader.store import Store
from grader_testing.factories import HALF, NOW, REFERENCES, submission
from grader_testing.fake_llm import FakeLLM, praise
from grader_testing.marking import by_keywords
from grader_testing.reading import rows, said, take_outbox


@pytest.fixture(autouse=True)
def honest(llm: FakeLLM) -> None:
    llm.marking = by_keywords


async def graded(grader: Grader, text: str = HALF) -> GradeAnswer:
    command = submission(text)
    await grade_answer(command, grader)
    await take_outbox(grader.database)
    return command


def objection(command: GradeAnswer, number: int = 1) -> DisputeGrade:
    return DisputeGrade(
        occurred_at=NOW,
        user_id=command.user_id,
        answer_id=command.answer_id,
        inbound=InboundRef(provider_id=f"wamid.objection{number}", at=NOW),
    )


async def dispute(grader: Grader, *objections: DisputeGrade) -> list[Message]:
    for command in objections:
        await dispute_grade(command, grader)
    return await take_outbox(grader.database)


async def open_review(grader: Grader) -> ReviewView:
    [review] = (await list_reviews(ListReviews(), grader.database)).items
    return review


async def decide(grader: Grader, review: ReviewView, score: int, note: str = "") -> ReviewView:
    command = DecideReview(
        occurred_at=NOW, review_id=review.review_id, score=score, note=note, decided_by="ana"
    )
    async with grader.database.transaction() as transaction:
        return await decide_review(command, transaction, grader.clock)


async def in_review(grader: Grader, llm: FakeLLM) -> tuple[GradeAnswer, ReviewView]:
    """The model praised what the local examiner does not."""
    llm.marking = praise
    command = await graded(grader)
    llm.marking = by_keywords
    await dispute(grader, objection(command))
    return command, await open_review(grader)


async def test_two_examiners_who_agree_keep_the_score(model_grader: Grader, llm: FakeLLM) -> None:
    command = await graded(model_grader)
    raised = objection(command)
    [reply] = said(await dispute(model_grader, raised))
    assert (reply.kind, reply.inbound, reply.purpose) == ("dispute_kept", raised.inbound, "reply")
    assert set(reply.values) == {"score", "good", "missing", "a"}
    assert "last element" in reply.values["good"]
    found = await rows(
        model_grader.database, "SELECT kind, examiner FROM grader.gradings ORDER BY kind"
    )
    assert found == [("dispute", "local"), ("first", "openai")]
    assert await rows(model_grader.database, "SELECT count(*) FROM grader.reviews") == [(0,)]


async def test_two_examiners_who_differ_leave_it_to_people(
    model_grader: Grader, llm: FakeLLM
) -> None:
    llm.marking = praise
    command = await graded(model_grader)
    [reply] = said(await dispute(model_grader, objection(command)))
    assert (reply.kind, reply.values["score"]) == ("dispute_received", "10")
    review = await open_review(model_grader)
    assert (review.reason, review.score, review.answer) == ("dispute", 10, HALF)
    assert review.question == command.question
    assert [one.examiner for one in review.examinations] == ["openai", "local"]
    assert all(one.points for one in review.examinations)
    assert str(command.user_id) not in review.model_dump_json()


async def test_what_the_local_examiner_graded_the_model_looks_at(
    model_grader: Grader, llm: FakeLLM
) -> None:
    llm.script = ["refusal"]
    command = await graded(model_grader, REFERENCES["en"])
    llm.script = ["ok"]
    [reply] = said(await dispute(model_grader, objection(command)))
    assert reply.kind == "dispute_kept"
    found = await rows(
        model_grader.database, "SELECT kind, examiner FROM grader.gradings ORDER BY kind"
    )
    assert found == [("dispute", "openai"), ("first", "local")]


async def test_a_second_model_looks_when_there_is_one(model_grader: Grader, llm: FakeLLM) -> None:
    first = model_grader.board.first
    second = replace(first, model="another")  # type: ignore[type-var]
    grader = replace(model_grader, board=replace(model_grader.board, second=second))
    command = await graded(grader)
    assert said(await dispute(grader, objection(command)))[0].kind == "dispute_kept"
    found = await rows(grader.database, "SELECT model FROM grader.gradings WHERE kind = 'dispute'")
    assert found == [("another",)]


async def test_where_nobody_else_can_look_people_do(local_grader: Grader) -> None:
    command = await graded(local_grader)
    assert said(await dispute(local_grader, objection(command)))[0].kind == "dispute_received"
    assert len((await open_review(local_grader)).examinations) == 1


async def test_while_the_model_is_away_people_look(model_grader: Grader, llm: FakeLLM) -> None:
    llm.script = ["refusal"]
    command = await graded(model_grader)
    assert said(await dispute(model_grader, objection(command)))[0].kind == "dispute_received"


async def test_a_score_is_questioned_once(model_grader: Grader) -> None:
    command = await graded(model_grader)
    raised = objection(command)
    assert len(await dispute(model_grader, raised, raised)) == 1
    [reply] = said(await dispute(model_grader, objection(command, 2)))
    assert reply.kind == "dispute_refused"


async def test_a_score_is_not_questioned_after_a_week(
    model_grader: Grader, clock: FixedClock
) -> None:
    command = await graded(model_grader)
    clock.advance(WITHIN)
    assert said(await dispute(model_grader, objection(command)))[0].kind == "dispute_refused"


async def test_nobody_questions_the_score_of_another(model_grader: Grader) -> None:
    command, other = await graded(model_grader), submission()
    foreign = objection(command).model_copy(update={"user_id": other.user_id})
    assert said(await dispute(model_grader, foreign))[0].kind == "dispute_refused"
    assert said(await dispute(model_grader, objection(other)))[0].kind == "dispute_refused"
    assert said(await dispute(model_grader, objection(command)))[0].kind == "dispute_kept"


async def test_what_people_decide_holds_and_is_told(model_grader: Grader, llm: FakeLLM) -> None:
    command, review = await in_review(model_grader, llm)
    decided = await decide(model_grader, review, 7, "Faltou *falar* da fila.")
    assert (decided.decided_score, decided.decided_by) == (7, "ana")
    event, reply = await take_outbox(model_grader.database)
    assert isinstance(event, AnswerRegraded)
    assert (event.old_score, event.score, event.examiner) == (10, 7, "human")
    assert isinstance(reply, SendMessage)
    assert (reply.kind, reply.values["old"], reply.values["score"]) == (
        "grade_decided", "10", "7",
    )  # fmt: skip
    assert reply.values["note"] == "Faltou falar da fila."
    assert not {"good", "missing"} & reply.values.keys()  # it may be what they refuted
    assert reply.inbound == objection(command).inbound
    assert (await list_reviews(ListReviews(), model_grader.database)).items == ()
    [listed] = (await list_reviews(ListReviews(is_decided=True), model_grader.database)).items
    assert (listed.decided_score, listed.score) == (7, 7)


async def test_a_score_that_people_confirm_is_told_with_their_note(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command, review = await in_review(model_grader, llm)
    await decide(model_grader, review, 10, "Well done.")
    [reply] = said(await take_outbox(model_grader.database))
    assert (reply.kind, reply.values) == (
        "grade_confirmed",
        {"score": "10", "note": "Well done.", "a": str(command.assignment_id)},
    )


async def test_a_review_is_decided_once_and_within_the_scale(
    model_grader: Grader, llm: FakeLLM
) -> None:
    _, review = await in_review(model_grader, llm)
    with pytest.raises(CommandRefused, match="invalid"):
        await decide(model_grader, review, 11)
    await decide(model_grader, review, 7)
    with pytest.raises(CommandRefused, match="review_decided"):
        await decide(model_grader, review, 8)
    with pytest.raises(CommandRefused, match="review_not_found"):
        await decide(model_grader, review.model_copy(update={"review_id": new_id()}), 8)


async def test_whoever_answers_the_same_gets_what_people_decided(
    model_grader: Grader, llm: FakeLLM
) -> None:
    _, review = await in_review(model_grader, llm)
    await decide(model_grader, review, 7)
    await take_outbox(model_grader.database)
    llm.requests.clear()
    await grade_answer(submission(HALF.upper()), model_grader)
    [reply] = said(await take_outbox(model_grader.database))
    assert (reply.kind, reply.values["score"]) == ("feedback", "7")
    assert llm.requests == []
    found = await rows(
        model_grader.database, "SELECT examiner, is_cached FROM grader.gradings WHERE score = 7"
    )
    assert found == [("human", True)]


async def test_a_review_that_nobody_asked_for_is_confirmed_in_silence(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command = await graded(model_grader)
    async with model_grader.database.transaction() as transaction:
        await ReviewStore(transaction).open(command.answer_id, "evidence", NOW)
    review = await open_review(model_grader)
    await decide(model_grader, review, review.score)
    assert await take_outbox(model_grader.database) == []


async def test_what_people_look_at_already_they_decide(model_grader: Grader, llm: FakeLLM) -> None:
    command = await graded(model_grader)
    async with model_grader.database.transaction() as transaction:
        await ReviewStore(transaction).open(command.answer_id, "evidence", NOW)
    assert said(await dispute(model_grader, objection(command)))[0].kind == "dispute_received"
    review = await open_review(model_grader)
    await decide(model_grader, review, review.score)
    assert said(await take_outbox(model_grader.database))[0].kind == "grade_confirmed"


async def test_what_people_look_at_is_not_regraded_by_the_model(
    model_grader: Grader, llm: FakeLLM
) -> None:
    llm.script = ["refusal"]
    command = await graded(model_grader)
    await dispute(model_grader, objection(command))
    llm.script = ["ok"]
    assert await regrade_round(model_grader) == 0


async def test_decided_answers_are_cases_without_a_person(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command, review = await in_review(model_grader, llm)
    assert await decided_cases(model_grader.database) == []
    await decide(model_grader, review, 7)
    [case] = await decided_cases(model_grader.database)
    assert (case.question_id, case.version, case.answer) == ("stack-vs-queue", 1, HALF)
    assert (case.score, case.language, case.human) == (7, "en", 0.6667)
    assert str(command.user_id) not in case.model_dump_json()
    assert EvaluationRow.model_validate_json(case.model_dump_json()).human == case.human


async def test_with_the_person_go_their_objections_and_reviews(
    model_grader: Grader, llm: FakeLLM
) -> None:
    command, review = await in_review(model_grader, llm)
    await take_outbox(model_grader.database)
    async with model_grader.database.transaction() as transaction:
        event = UserDeleted(occurred_at=NOW, user_id=command.user_id)
        await forget_person(event, Store(transaction), model_grader.clock)
    for table in ("answers", "gradings", "disputes", "reviews"):
        assert await rows(model_grader.database, f"SELECT 1 FROM grader.{table}") == []  # noqa: S608
    with pytest.raises(CommandRefused, match="review_not_found"):
        await decide(model_grader, review, 8)


def test_a_week_is_enough() -> None:
    assert timedelta(days=7) == WITHIN
