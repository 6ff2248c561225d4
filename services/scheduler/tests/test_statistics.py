"""How questions did with people, and what somebody is told to look at."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from common.events import FlagView, ListQuestions, QuestionStatistics
from common.ids import AssignmentId, UserId
from scheduler.practice import Assignment, AssignmentState
from scheduler.reading import list_questions
from scheduler.statistics import flags_of, statistics_of
from scheduler.store import AssignmentStore
from scheduler.testing import World

TODAY = date(2026, 3, 2)
NEW = TODAY - timedelta(days=30)


async def asked(
    world: World,
    user_id: UserId,
    question_id: str,
    *,
    score: int | None = None,
    state: AssignmentState | None = None,
    is_read: bool = True,
    hints: int = 0,
    version: int = 1,
) -> AssignmentId:
    now = world.clock.now()
    assignment = Assignment(
        id=AssignmentId(uuid4()),
        user_id=user_id,
        question_id=question_id,
        question_version=version,
        number=1,
        local_date=now.date(),
        kind="extra",
        state=state or ("graded" if score else "expired"),
        created_at=now,
        shown_at=now if is_read else None,
        hints_used=hints,
        score=score,
    )
    async with world.database.transaction() as tx:
        await AssignmentStore(tx.connection).add(assignment)
    return assignment.id


async def statistics(world: World, question_id: str, version: int = 1) -> QuestionStatistics:
    async with world.database.transaction() as tx:
        found = await statistics_of(tx.connection, [question_id])
    return found[question_id, version]


def people(count: int) -> list[UserId]:
    return [UserId(uuid4()) for _ in range(count)]


async def test_rates_are_of_those_who_read_the_question(world: World) -> None:
    one, two, three, four, five = people(5)
    await asked(world, one, "q", score=4, hints=2)
    await asked(world, two, "q", score=9)
    await asked(world, three, "q", state="skipped")
    await asked(world, four, "q", state="given_up", hints=1)
    await asked(world, five, "q", state="skipped", is_read=False)
    await asked(world, five, "q", score=1, version=2)
    found = await statistics(world, "q")
    assert (found.asked, found.read, found.graded, found.mean_score) == (5, 4, 2, 6.5)
    assert (found.skip_rate, found.dont_know_rate, found.hint_rate) == (0.25, 0.25, 0.5)
    assert (await statistics(world, "q", 2)).mean_score == 1


@pytest.mark.parametrize(("turn", "expected"), [(1, 1.0), (-1, -1.0)])
async def test_discrimination_goes_with_the_persons_other_answers(
    world: World, turn: int, expected: float
) -> None:
    for place, person in enumerate(people(20)):
        level = place % 9 + 1
        await asked(world, person, "q", score=level if turn == 1 else 10 - level)
        await asked(world, person, "other", score=level)
    assert (await statistics(world, "q")).discrimination == pytest.approx(expected)


async def test_few_people_tell_nothing_about_discrimination(world: World) -> None:
    for place, person in enumerate(people(19)):
        await asked(world, person, "q", score=place % 9 + 1)
        await asked(world, person, "other", score=place % 9 + 1)
    assert (await statistics(world, "q")).discrimination is None


async def test_a_score_that_is_questioned_counts_once(world: World) -> None:
    person = await world.person()
    assignment = await world.ask(person)
    await world.answer(person, 4)
    for _ in range(2):
        await world.reply(person, "dispute")
    assert (await statistics(world, assignment.question_id)).dispute_rate == 1.0


@pytest.mark.parametrize(
    ("found", "reviewed_on", "flags"),
    [
        (QuestionStatistics(), NEW, []),
        (QuestionStatistics(), TODAY - timedelta(days=549), ["stale"]),
        (QuestionStatistics(), None, ["stale"]),
        (QuestionStatistics(graded=20, mean_score=9.3), NEW, ["too_easy"]),
        (QuestionStatistics(graded=19, mean_score=9.9), NEW, []),
        (QuestionStatistics(graded=20, mean_score=2.5), NEW, ["too_hard"]),
        (QuestionStatistics(discrimination=0.09), NEW, ["poor_discrimination"]),
        (QuestionStatistics(discrimination=0.1), NEW, []),
        (QuestionStatistics(read=20, skip_rate=0.31), NEW, ["often_skipped"]),
        (QuestionStatistics(read=20, skip_rate=0.30), NEW, []),
        (QuestionStatistics(graded=20, dispute_rate=0.06), NEW, ["often_disputed"]),
        (QuestionStatistics(graded=2, dispute_rate=0.5), NEW, []),
    ],
)
def test_a_flag_is_raised_beyond_its_limit_and_says_why(
    found: QuestionStatistics, reviewed_on: date | None, flags: list[str]
) -> None:
    raised: tuple[FlagView, ...] = flags_of(found, reviewed_on, TODAY)
    assert [each.flag for each in raised] == flags
    assert all(each.reason for each in raised)


async def test_the_list_shows_only_what_has_the_flag(world: World) -> None:
    for person in people(20):
        await asked(world, person, "python-q03", score=10)
        await asked(world, person, "python-q04", score=5)
    page = await list_questions(ListQuestions(flag="too_easy"), world.database, world.clock)
    assert [item.question_id for item in page.items] == ["python-q03"]
    assert page.items[0].statistics.asked == 20
    assert page.next_after is None
