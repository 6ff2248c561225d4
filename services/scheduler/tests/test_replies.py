"""Every kind of reply, in every state of the question that it is about."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from common.events import (
    DisputeGrade,
    GradeAnswer,
    Message,
    QuestionClosed,
    ReplyKind,
    SendMessage,
)
from common.ids import AssignmentId, UserId, derived_id
from scheduler.errors import LearnerNotKnownYet
from scheduler.testing import World, is_grading, make_question, said

BUTTONS: tuple[ReplyKind, ...] = ("hint", "skip", "dont_know", "model_answer")


def only(messages: list[Message], kind: str) -> SendMessage:
    [found] = [m for m in messages if isinstance(m, SendMessage) and m.kind == kind]
    return found


async def test_a_text_is_stored_and_graded_in_the_learners_language(world: World) -> None:
    user_id = await world.person(language="es", level=2)
    assignment = await world.ask(user_id)
    reply = world.reply_of(user_id, "text", "It is the first thing.")
    await world.published()
    await world.tell(reply)
    [grading] = await world.published()
    assert isinstance(grading, GradeAnswer)
    answer_id = derived_id("answer", reply.inbound.provider_id)
    assert grading.message_id == derived_id("grade", answer_id)
    assert (grading.answer_id, grading.assignment_id) == (answer_id, assignment.id)
    assert (grading.text, grading.language, grading.level) == ("It is the first thing.", "es", 2)
    assert (grading.streak, grading.inbound) == (1, reply.inbound)
    assert grading.question.question_id == assignment.question_id
    assert grading.question.text.endswith("(es)")
    assert [point.id for point in grading.question.points] == ["first", "second", "third"]
    [stored] = await world.assignments(user_id)
    assert (stored.state, stored.answer_text) == ("answered", "It is the first thing.")


async def test_the_question_is_graded_as_it_was_asked_even_when_a_new_version_is_out(
    world: World,
) -> None:
    await world.bank.publish([make_question(name="only")])
    user_id = await world.person()
    await world.ask(user_id)
    await world.bank.publish([make_question(name="only", version=2)])
    [grading] = await world.reply(user_id, "text", "An answer.")
    assert isinstance(grading, GradeAnswer)
    assert (grading.question.version, "version 1" in grading.question.text) == (1, True)


async def test_the_same_message_of_a_person_is_replied_to_once(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    for kind in ("hint", "text"):
        again = [
            world.reply_of(user_id, kind, "An answer.", provider_id=f"wamid.{kind}{assignment.id}")
            for _ in range(3)
        ]
        await world.published()
        await world.tell(*again)
        assert len(await world.published()) == 1
    [stored] = await world.assignments(user_id)
    assert stored.hints_used == 1


async def test_a_second_text_while_the_first_is_graded_is_told_so(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    await world.reply(user_id, "text", "An answer.")
    assert said(await world.reply(user_id, "text", "And more.")) == ["being_graded"]
    for kind in ("hint", "skip", "dont_know", "question_now"):
        about = None if kind == "question_now" else assignment.id
        assert said(await world.reply(user_id, kind, about=about)) == ["being_graded"]
    [stored] = await world.assignments(user_id)
    assert stored.answer_text == "An answer."


async def test_a_text_without_an_open_question_falls_back(world: World) -> None:
    user_id = await world.person()
    assert said(await world.reply(user_id, "text", "hello")) == ["fallback"]


async def test_a_text_for_a_certain_question_goes_there_if_it_is_open(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    [grading] = await world.reply(user_id, "text", "end", about=assignment.id)
    assert is_grading(grading)
    closed = await _closed_question(world)
    assert said(await world.reply(*closed[:1], "text", "end", about=closed[1])) == [
        "question_closed"
    ]


async def _closed_question(world: World) -> tuple[UserId, AssignmentId]:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    await world.reply(user_id, "skip", about=assignment.id)
    return user_id, assignment.id


async def test_an_announced_question_is_shown_by_the_next_text_and_graded_by_the_one_after(
    world: World,
) -> None:
    user_id = await world.person()
    world.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await world.ticker.tick()
    daily = only(await world.published(), "question")
    await world.tell(world.accepted(daily, is_template=True))
    reply = world.reply_of(user_id, "text", "ok")
    await world.tell(reply)
    shown = only(await world.published(), "question")
    assert (shown.purpose, shown.inbound, shown.expires_at) == ("reply", reply.inbound, None)
    assert shown.message_id == derived_id("question", reply.inbound.provider_id)
    assert shown.values == daily.values
    assert is_grading((await world.reply(user_id, "text", "An answer."))[0])


@pytest.mark.parametrize("kind", ["question_now", "hint", "dont_know"])
async def test_an_announced_question_is_shown_before_anything_else_is_done_with_it(
    world: World, kind: ReplyKind
) -> None:
    user_id = await world.person()
    world.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await world.ticker.tick()
    daily = only(await world.published(), "question")
    await world.tell(world.accepted(daily, is_template=True))
    assert said(await world.reply(user_id, kind)) == ["question"]
    [stored] = await world.assignments(user_id)
    assert stored.state == "open"


async def test_hints_come_one_by_one_and_the_last_again(world: World) -> None:
    user_id = await world.person(language="pt")
    assignment = await world.ask(user_id)
    hints = [
        only(await world.reply(user_id, "hint", about=assignment.id), "hint").values
        for _ in range(4)
    ]
    assert [hint["k"] for hint in hints] == ["1", "2", "3", "3"]
    assert hints[3] == {
        "k": "3",
        "total": "3",
        "hint_text": "Hint 3 (pt)",
        "a": str(assignment.id),
    }


async def test_a_skipped_question_is_closed_and_counts_for_no_streak(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    closed, answer = await world.reply(user_id, "skip", about=assignment.id)
    assert isinstance(closed, QuestionClosed)
    assert (closed.assignment_id, closed.reason) == (assignment.id, "skipped")
    assert said([answer]) == ["skipped"]
    learner = await world.learner(user_id)
    assert learner is not None
    assert learner.streak == 0


async def test_dont_know_shows_the_model_answer_and_counts_for_the_streak(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    messages = await world.reply(user_id, "dont_know", about=assignment.id)
    model = only(messages, "dont_know").values["model"]
    assert model.startswith("All three things")
    [closed] = [m for m in messages if isinstance(m, QuestionClosed)]
    assert closed.reason == "given_up"
    learner = await world.learner(user_id)
    assert learner is not None
    assert (learner.streak, learner.best_streak) == (1, 1)


async def test_the_model_answer_is_for_closed_questions_only(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    refused = await world.reply(user_id, "model_answer", about=assignment.id)
    assert only(refused, "answer_first").values == {"a": str(assignment.id)}
    await world.answer(user_id)
    shown = only(await world.reply(user_id, "model_answer", about=assignment.id), "model_answer")
    assert shown.values["model"].startswith("All three things")


@pytest.mark.parametrize("kind", BUTTONS)
async def test_a_button_of_another_persons_question_does_nothing(
    world: World, kind: ReplyKind
) -> None:
    owner, stranger = await world.person(), await world.person()
    assignment = await world.ask(owner)
    await world.ask(stranger)
    assert said(await world.reply(stranger, kind, about=assignment.id)) == ["question_closed"]
    unknown = AssignmentId(uuid4())
    assert said(await world.reply(stranger, kind, about=unknown)) == ["question_closed"]
    assert [a.state for a in await world.assignments(owner)] == ["open"]


@pytest.mark.parametrize("kind", ["hint", "skip", "dont_know"])
async def test_a_button_of_a_closed_question_says_that_it_is_closed(
    world: World, kind: ReplyKind
) -> None:
    user_id, assignment_id = await _closed_question(world)
    assert said(await world.reply(user_id, kind, about=assignment_id)) == ["question_closed"]


async def test_question_now_brings_todays_question_and_the_ticker_no_second(
    world: World,
) -> None:
    user_id = await world.person()
    messages = await world.reply(user_id, "question_now")
    assert [type(message).__name__ for message in messages] == ["QuestionAssigned", "SendMessage"]
    shown = only(messages, "question")
    assert (shown.purpose, shown.values["n"]) == ("reply", "1")
    learner = await world.learner(user_id)
    assert learner is not None
    assert learner.next_due_at == datetime(2026, 3, 3, 9, tzinfo=UTC)
    world.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert await world.ticker.tick() == 0
    world.clock.at = datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert await world.ticker.tick() == 1
    assert [a.kind for a in await world.assignments(user_id)] == ["daily", "daily"]


async def test_question_now_shows_the_open_question_again(world: World) -> None:
    user_id = await world.person()
    first = only(await world.reply(user_id, "question_now"), "question")
    second = only(await world.reply(user_id, "question_now"), "question")
    assert first.values == second.values
    assert first.message_id != second.message_id


async def test_after_todays_question_five_more_may_be_asked_for(world: World) -> None:
    user_id = await world.person()
    for _ in range(6):
        assignment = await world.ask(user_id)
        await world.reply(user_id, "skip", about=assignment.id)
    assert said(await world.reply(user_id, "question_now")) == ["no_more_questions"]
    assignments = await world.assignments(user_id)
    assert [a.kind for a in assignments] == ["daily"] + ["extra"] * 5
    assert len({a.question_id for a in assignments}) == 6
    world.clock.advance(timedelta(days=1))
    assert said(await world.reply(user_id, "question_now")) == ["question"]


async def test_a_reply_that_overtakes_the_news_of_its_person_is_tried_again(
    world: World,
) -> None:
    user_id = UserId(uuid4())
    reply = world.reply_of(user_id, "question_now")
    with pytest.raises(LearnerNotKnownYet) as early:
        await world.tell(reply)
    assert early.value.retry_after == timedelta(seconds=0.2)
    await world.tell(world.news_of(user_id, state="onboarding"))
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(LearnerNotKnownYet) as later:
        await world.tell(reply)
    assert later.value.retry_after == timedelta(seconds=2)
    await world.tell(world.news_of(user_id))
    await world.tell(reply)
    assert said(await world.published()) == ["question"]


async def test_a_score_that_is_questioned_goes_to_the_grader(world: World) -> None:
    user_id = await world.person()
    assignment = await world.ask(user_id)
    assert said(await world.reply(user_id, "dispute")) == ["dispute_refused"]
    await world.answer(user_id)
    await world.ask(user_id)
    for about in (None, assignment.id):
        [command] = await world.reply(user_id, "dispute", about=about)
        assert isinstance(command, DisputeGrade)
        [graded, _] = await world.assignments(user_id)
        assert (command.user_id, command.answer_id) == (user_id, graded.answer_id)


async def test_only_a_graded_answer_of_ones_own_can_be_questioned(world: World) -> None:
    user_id, other = await world.person(), await world.person()
    assignment = await world.ask(user_id)
    assert said(await world.reply(user_id, "dispute", about=assignment.id)) == ["dispute_refused"]
    await world.answer(user_id)
    assert said(await world.reply(other, "dispute", about=assignment.id)) == ["dispute_refused"]
