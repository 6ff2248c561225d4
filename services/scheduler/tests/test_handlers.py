"""What the news of other services changes, in whatever order and however often it comes."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from common.errors import SabatinaError
from common.events import (
    AnswerRegraded,
    GradeAnswer,
    MessageFailed,
    QuestionClosed,
    SendMessage,
    UserDeleted,
)
from common.ids import AnswerId, MessageId, UserId
from scheduler.handlers import record_grade
from scheduler.practice import Learner
from scheduler.testing import World, is_grading, said


async def learner_of(world: World, user_id: UserId) -> Learner:
    found = await world.learner(user_id)
    assert found is not None
    return found


async def graded(world: World, user_id: UserId) -> GradeAnswer:
    [found] = await world.reply(user_id, "text", "An answer.")
    assert isinstance(found, GradeAnswer)
    return found


async def test_a_new_person_is_due_at_their_next_time(world: World) -> None:
    user_id = await world.person(timezone="Asia/Kolkata", time="13:29")
    learner = await learner_of(world, user_id)
    assert learner.next_due_at == datetime(2026, 3, 3, 7, 59, tzinfo=UTC)


async def test_an_older_revision_is_ignored_in_every_order(world: World) -> None:
    user_id = UserId(uuid4())
    newest = world.news_of(user_id, language="es", revision=3, time="07:00")
    older = world.news_of(user_id, language="pt", revision=2, state="opted_out")
    await world.tell(newest, older, older, newest)
    learner = await learner_of(world, user_id)
    assert (learner.language, learner.state, learner.revision) == ("es", "active", 3)


async def test_two_pieces_of_news_of_a_new_person_at_once_leave_the_newer(world: World) -> None:
    for _ in range(10):
        user_id = UserId(uuid4())
        news = [world.news_of(user_id, level=n, revision=n) for n in (1, 2, 3)]
        await asyncio.gather(*(world.tell(one) for one in news))
        assert (await learner_of(world, user_id)).level == 3


async def test_a_stop_unschedules_and_a_start_schedules_again(world: World) -> None:
    user_id = await world.person()
    await world.tell(world.news_of(user_id, state="opted_out"))
    assert (await learner_of(world, user_id)).next_due_at is None
    await world.tell(world.news_of(user_id))
    due = (await learner_of(world, user_id)).next_due_at
    assert due == datetime(2026, 3, 2, 9, tzinfo=UTC)


async def test_a_change_beside_the_schedule_does_not_lose_a_question_that_is_due(
    world: World,
) -> None:
    user_id = await world.person()
    world.clock.at = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
    await world.tell(world.news_of(user_id, language="pt"))
    assert await world.ticker.tick() == 1


async def test_a_pause_with_an_end_is_kept_to(world: World) -> None:
    until = datetime(2026, 3, 10, 12, tzinfo=UTC)
    user_id = await world.person(paused_until=until)
    assert (await learner_of(world, user_id)).next_due_at == datetime(2026, 3, 11, 9, tzinfo=UTC)


@pytest.mark.parametrize("schedule", [{"timezone": "Mars/Olympus"}, {"time": "25:99"}])
async def test_a_schedule_that_cannot_be_is_refused_and_the_old_one_stays(
    world: World, schedule: dict[str, str]
) -> None:
    user_id = await world.person()
    with pytest.raises(SabatinaError):
        await world.tell(world.news_of(user_id, **schedule))  # type: ignore[arg-type]
    assert (await learner_of(world, user_id)).revision == 1


async def test_a_deleted_person_leaves_nothing_and_old_news_does_not_bring_them_back(
    world: World,
) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    late = world.news_of(user_id)
    deleted = UserDeleted(occurred_at=world.clock.now(), user_id=user_id)
    await world.tell(deleted, deleted, late)
    assert await world.learner(user_id) is None
    assert await world.assignments(user_id) == []


async def test_the_open_question_of_a_merged_person_is_closed_and_their_history_stays(
    world: World,
) -> None:
    user_id = await world.person()
    asked = await world.ask(user_id)
    await world.published()
    news = world.news_of(user_id, state="merged")
    await world.tell(news, news)
    [closed] = await world.published()
    assert isinstance(closed, QuestionClosed)
    assert (closed.assignment_id, closed.reason) == (asked.id, "merged")
    assert (await learner_of(world, user_id)).next_due_at is None
    await world.tell(world.news_of(user_id, state="active"))
    assert (await learner_of(world, user_id)).next_due_at is not None
    assert [a.state for a in await world.assignments(user_id)] == ["expired"]


async def test_an_answer_of_a_merged_person_that_is_being_graded_is_still_counted(
    world: World,
) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    grading = await graded(world, user_id)
    await world.tell(world.news_of(user_id, state="merged"))
    assert await world.published() == []
    await world.tell(world.grade_of(grading, 8))
    assert (await world.assignments(user_id))[0].score == 8


async def test_a_grade_closes_the_question_and_counts_for_the_streak(world: World) -> None:
    user_id = await world.person()
    for day in range(3):
        world.clock.at = datetime(2026, 3, 2 + day, 9, tzinfo=UTC)
        await world.ticker.tick()
        grading = await graded(world, user_id)
        assert grading.streak == day + 1
        news = world.grade_of(grading, 8)
        await world.tell(news, news)
        [closed] = await world.published()
        assert isinstance(closed, QuestionClosed)
        assert closed.reason == "graded"
    learner = await learner_of(world, user_id)
    assert (learner.streak, learner.best_streak) == (3, 3)
    last = (await world.assignments(user_id))[-1]
    assert (last.state, last.score, last.answer_text) == ("graded", 8, None)


async def test_a_grade_that_waits_for_the_same_grade_counts_nothing_more(world: World) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    grade = world.grade_of(await graded(world, user_id), 7)
    async with world.database.transaction() as tx:
        await record_grade(grade, tx, world.clock)
        waiting = asyncio.create_task(world.tell(grade))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await waiting
    assert [type(message) for message in await world.published()] == [QuestionClosed]
    assert (await learner_of(world, user_id)).streak == 1


async def test_a_missed_day_ends_the_streak_but_not_the_best_one(world: World) -> None:
    user_id = await world.person()
    for day in (2, 3, 6):
        world.clock.at = datetime(2026, 3, day, 9, tzinfo=UTC)
        await world.ticker.tick()
        await world.answer(user_id)
    learner = await learner_of(world, user_id)
    assert (learner.streak, learner.best_streak) == (1, 2)


async def test_an_answer_that_could_not_be_graded_leaves_the_question_open(world: World) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    await world.answer(user_id, None)
    [assignment] = await world.assignments(user_id)
    assert (assignment.state, assignment.score) == ("open", None)
    assert (await learner_of(world, user_id)).streak == 0
    await world.answer(user_id, 5)
    [assignment] = await world.assignments(user_id)
    assert (assignment.state, assignment.score) == ("graded", 5)


async def test_an_ungradable_answer_does_not_reopen_beside_the_next_question(
    world: World,
) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    grading = await graded(world, user_id)
    world.clock.at = datetime(2026, 3, 3, 9, tzinfo=UTC)
    await world.ticker.tick()
    await world.tell(world.grade_of(grading, None))
    assert [a.state for a in await world.assignments(user_id)] == ["expired", "open"]


async def test_a_final_grade_replaces_a_provisional_one_and_counts_once(world: World) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    grading = await graded(world, user_id)
    await world.tell(world.grade_of(grading, 4), world.grade_of(grading, 9))
    [assignment] = await world.assignments(user_id)
    assert assignment.score == 9
    assert (await learner_of(world, user_id)).streak == 1


async def test_a_grade_of_another_answer_or_person_changes_nothing(world: World) -> None:
    user_id, stranger = await world.person(), await world.person()
    await world.ask(user_id)
    grade = world.grade_of(await graded(world, user_id), 9)
    await world.tell(
        grade.model_copy(update={"answer_id": AnswerId(uuid4())}),
        grade.model_copy(update={"user_id": stranger}),
    )
    assert [a.state for a in await world.assignments(user_id)] == ["answered"]


async def daily_of(world: World, user_id: UserId) -> SendMessage:
    world.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await world.ticker.tick()
    [daily] = [m for m in await world.published() if isinstance(m, SendMessage)]
    assert daily.user_id == user_id
    return daily


async def test_an_accepted_question_has_been_shown_and_is_answered_at_once(world: World) -> None:
    user_id = await world.person()
    daily = await daily_of(world, user_id)
    await world.tell(world.accepted(daily, is_template=False))
    [assignment] = await world.assignments(user_id)
    assert (assignment.shown_at, assignment.announced) == (world.clock.now(), False)
    assert is_grading((await world.reply(user_id, "text", "An answer."))[0])


async def test_acceptance_of_something_else_changes_nothing(world: World) -> None:
    user_id = await world.person()
    daily = await daily_of(world, user_id)
    accepted = world.accepted(daily, is_template=True)
    await world.tell(
        accepted.model_copy(update={"kind": "hint"}),
        accepted.model_copy(update={"sent_id": MessageId(uuid4())}),
    )
    [assignment] = await world.assignments(user_id)
    assert (assignment.shown_at, assignment.announced) == (None, False)


async def test_a_question_that_failed_is_shown_before_an_answer_is_taken(world: World) -> None:
    user_id = await world.person()
    daily = await daily_of(world, user_id)
    await world.tell(
        MessageFailed(
            occurred_at=world.clock.now(),
            user_id=user_id,
            sent_id=MessageId(daily.message_id),
            kind="question",
            reason="undeliverable",
        )
    )
    assert said(await world.reply(user_id, "text", "hello")) == ["question"]


async def test_an_answer_without_a_grade_is_sent_to_grading_again(world: World) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    first = await graded(world, user_id)
    assert await world.reconciler.reconcile() == 0
    world.clock.advance(timedelta(minutes=10, seconds=1))
    assert await world.reconciler.reconcile() == 1
    [again] = await world.published()
    assert again.model_copy(update={"occurred_at": first.occurred_at}) == first
    assert await world.reconciler.reconcile() == 0
    world.clock.advance(timedelta(minutes=11))
    assert await world.reconciler.reconcile() == 1
    await world.tell(world.grade_of(first, 6))
    world.clock.advance(timedelta(minutes=11))
    assert await world.reconciler.reconcile() == 0


async def test_a_question_of_whose_sending_nothing_was_heard_is_sent_again(world: World) -> None:
    user_id = await world.person()
    daily = await daily_of(world, user_id)
    world.clock.advance(timedelta(minutes=11))
    assert await world.reconciler.reconcile() == 1
    [again] = await world.published()
    assert again.model_copy(update={"occurred_at": daily.occurred_at}) == daily
    await world.tell(world.accepted(daily, is_template=True))
    world.clock.advance(timedelta(minutes=11))
    assert await world.reconciler.reconcile() == 0


async def test_a_question_from_long_ago_and_one_of_a_person_who_stopped_is_not_sent_again(
    world: World,
) -> None:
    user_id = await world.person()
    await daily_of(world, user_id)
    await world.tell(world.news_of(user_id, state="opted_out"))
    world.clock.advance(timedelta(minutes=11))
    await world.reconciler.reconcile()
    world.clock.advance(timedelta(hours=12))
    assert await world.reconciler.reconcile() == 0
    assert await world.published() == []


async def test_a_corrected_score_changes_the_progress_and_not_the_streak(world: World) -> None:
    user_id = await world.person()
    grading = await graded(world, user_id) if await world.ask(user_id) else None
    assert grading is not None
    correction = AnswerRegraded(
        occurred_at=world.clock.now(),
        user_id=user_id,
        answer_id=grading.answer_id,
        assignment_id=grading.assignment_id,
        old_score=4,
        score=8,
        examiner="openai",
    )
    await world.tell(correction)  # before the grade itself: there is nothing to correct
    await world.tell(world.grade_of(grading, 4))
    streak = (await learner_of(world, user_id)).streak
    await world.tell(correction, correction)
    [assignment] = await world.assignments(user_id)
    assert (assignment.state, assignment.score) == ("graded", 8)
    assert (await learner_of(world, user_id)).streak == streak == 1
