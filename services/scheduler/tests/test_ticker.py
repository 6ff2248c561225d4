"""The daily question: once a local date, whatever happens."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from common.errors import DependencyUnavailable
from common.events import QuestionAssigned, QuestionClosed, SendMessage, UserState
from common.ids import UserId, derived_id
from scheduler.bank import QuestionBank
from scheduler.planning import local_date
from scheduler.testing import World, make_question, said
from scheduler.ticker import Ticker

Metric = Callable[..., float]


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


async def test_a_learner_gets_one_question_at_their_time(world: World) -> None:
    user_id = await world.person(language="pt", timezone="America/Sao_Paulo", time="09:00")
    world.clock.at = at(2, 11, 59)
    assert await world.ticker.tick() == 0
    world.clock.at = at(2, 12)
    assert await world.ticker.tick() == 1
    assert await world.ticker.tick() == 0
    [assignment] = await world.assignments(user_id)
    [assigned, sent] = await world.published()
    assert isinstance(assigned, QuestionAssigned)
    assert isinstance(sent, SendMessage)
    assert assigned.assignment_id == assignment.id
    assert (sent.kind, sent.purpose, sent.user_id) == ("question", "daily", user_id)
    assert sent.message_id == derived_id("question", assignment.id)
    assert sent.expires_at == at(3, 3)  # midnight in São Paulo
    question = await _question_of(world, assignment.question_id)
    assert sent.values == {
        "track": "python",
        "topic": f"{question} (pt)",
        "level": "1",
        "n": "1",
        "streak": "0",
        "question_text": f"What is {question}, version 1? (pt)",
        "minutes": "3",
        "a": str(assignment.id),
    }


async def _question_of(world: World, question_id: str) -> str:
    async with world.database.transaction() as tx:
        return (await world.bank.get(question_id, 1, tx)).topic


async def test_seven_days_bring_seven_different_questions_and_close_the_old_ones(
    world: World,
) -> None:
    user_id = await world.person()
    for day in range(2, 9):
        world.clock.at = at(day, 9)
        await world.ticker.tick()
    assignments = await world.assignments(user_id)
    assert len({assignment.question_id for assignment in assignments}) == 7
    assert [assignment.state for assignment in assignments] == ["expired"] * 6 + ["open"]
    assert [assignment.number for assignment in assignments] == list(range(1, 8))
    closed = [m for m in await world.published() if isinstance(m, QuestionClosed)]
    assert [(m.assignment_id, m.reason) for m in closed] == [
        (assignment.id, "expired") for assignment in assignments[:-1]
    ]


async def test_two_tickers_at_once_assign_each_learner_once(world: World) -> None:
    people = [await world.person() for _ in range(60)]
    world.clock.at = at(2, 9)
    other = Ticker(world.database, world.bank, world.clock)
    claimed = await asyncio.gather(*(t.tick() for t in (world.ticker, other, world.ticker)))
    assert sum(claimed) == 60
    for user_id in people:
        assert len(await world.assignments(user_id)) == 1
    assert said(await world.published()) == ["question"] * 60


async def test_an_outage_of_three_days_brings_one_question(world: World) -> None:
    user_id = await world.person()
    world.clock.at = at(5, 9, 30)
    assert await world.ticker.tick() == 1
    [assignment] = await world.assignments(user_id)
    assert assignment.local_date == at(5, 0).date()
    learner = await world.learner(user_id)
    assert learner is not None
    assert learner.next_due_at == at(6, 9)


@pytest.mark.parametrize(
    ("time", "now", "is_sent"),
    [
        ("09:00", at(2, 20, 59), True),
        ("09:00", at(2, 21, 1), False),
        ("22:00", at(2, 23, 59), True),
        ("22:00", at(3, 0, 5), False),
    ],
)
async def test_a_question_that_is_too_late_is_left_out_and_counted(
    world: World, metric: Metric, time: str, now: datetime, is_sent: bool
) -> None:
    user_id = await world.person(time=time)
    before = metric("sabatina_schedule_skipped_total", reason="late")
    world.clock.at = now
    assert await world.ticker.tick() == 1
    assert bool(await world.assignments(user_id)) is is_sent
    late = metric("sabatina_schedule_skipped_total", reason="late") - before
    assert late == (0 if is_sent else 1)
    assert bool(await world.published()) is is_sent


@pytest.mark.parametrize(
    ("zone", "start", "time"),
    [
        ("America/New_York", at(6, 0), "02:30"),
        ("America/New_York", at(30, 0, month=10), "01:30"),
        ("Europe/Lisbon", at(27, 0), "01:30"),
        ("Europe/Lisbon", at(23, 0, month=10), "01:30"),
        ("Australia/Lord_Howe", at(2, 0, month=10), "02:15"),
        ("Australia/Lord_Howe", at(3, 0, month=4), "01:45"),
    ],
)
async def test_the_days_on_which_clocks_change_bring_one_question_each(
    world: World, zone: str, start: datetime, time: str
) -> None:
    world.clock.at = start
    user_id = await world.person(timezone=zone, time=time)
    for _ in range(5 * 24 * 4):
        world.clock.advance(timedelta(minutes=15))
        await world.ticker.tick()
    dates = [assignment.local_date for assignment in await world.assignments(user_id)]
    last = local_date(world.clock.now(), zone)
    assert dates == [dates[0] + timedelta(days=number) for number in range(len(dates))]
    assert len(dates) >= 5
    assert last - dates[-1] <= timedelta(days=1)


async def test_a_clock_that_is_set_back_brings_no_second_question(
    world: World, metric: Metric
) -> None:
    user_id = await world.person(time="09:00")
    world.clock.at = at(2, 9)
    await world.ticker.tick()
    await world.published()
    world.clock.at = at(2, 8)
    await world.tell(world.news_of(user_id, time="08:30"))
    world.clock.at = at(2, 8, 30)
    before = metric("sabatina_schedule_skipped_total", reason="already_asked")
    assert await world.ticker.tick() == 1
    assert await world.published() == []
    assert metric("sabatina_schedule_skipped_total", reason="already_asked") == before + 1
    [assignment] = await world.assignments(user_id)
    assert assignment.state == "open"


@pytest.mark.parametrize(
    "state", ["opted_out", "paused", "pending", "onboarding", "declined", "unknown", "deleted"]
)
async def test_only_active_people_get_anything_in_thirty_days(
    world: World, state: UserState
) -> None:
    user_id = await world.person()
    await world.tell(world.news_of(user_id, state=state))
    world.clock.at = at(1, 9)
    for _ in range(30):
        world.clock.advance(timedelta(days=1))
        assert await world.ticker.tick() == 0
    assert await world.published() == []


async def test_who_learns_only_ruby_never_gets_python_in_two_hundred_days(world: World) -> None:
    user_id = await world.person(tracks=("ruby",))
    world.clock.at = at(1, 9)
    for _ in range(200):
        world.clock.advance(timedelta(days=1))
        await world.ticker.tick()
    assignments = await world.assignments(user_id)
    assert len(assignments) == 200
    assert {a.question_id.split("-")[0] for a in assignments} == {"ruby"}


async def test_two_people_get_different_questions_on_one_day(world: World) -> None:
    people = [await world.person() for _ in range(20)]
    world.clock.at = at(2, 9)
    await world.ticker.tick()
    asked = {(await world.assignments(user_id))[0].question_id for user_id in people}
    assert len(asked) > 1


async def test_an_answer_being_graded_does_not_expire_with_the_next_question(
    world: World,
) -> None:
    user_id = await world.person()
    await world.ask(user_id)
    await world.reply(user_id, "text", "An answer.")
    world.clock.at = at(3, 9)
    await world.ticker.tick()
    assert [a.state for a in await world.assignments(user_id)] == ["answered", "open"]


async def test_without_a_question_in_the_tracks_the_learner_is_counted_and_moves_on(
    world: World, metric: Metric
) -> None:
    await world.bank.publish([make_question("ruby", "only")])
    await world.person(tracks=("python",))
    before = metric("sabatina_schedule_skipped_total", reason="no_question")
    world.clock.at = at(2, 9)
    assert await world.ticker.tick() == 1
    assert await world.ticker.tick() == 0
    assert metric("sabatina_schedule_skipped_total", reason="no_question") == before + 1


async def test_nobody_is_claimed_before_the_questions_are_loaded(world: World) -> None:
    await world.person()
    world.clock.at = at(2, 9)
    empty = Ticker(world.database, QuestionBank.of(world.database), world.clock)
    with pytest.raises(DependencyUnavailable):
        await empty.tick()
    assert await world.ticker.tick() == 1


async def test_a_learner_in_an_unknown_zone_is_refused_by_the_table(world: World) -> None:
    statement = text(
        "INSERT INTO scheduler.learners (user_id, revision, state, language, timezone)"
        " VALUES (:id, 1, 'active', 'en', 'Mars/Olympus')"
    )
    with pytest.raises(Exception, match="Mars/Olympus"):
        async with world.database.transaction() as tx:
            await tx.connection.execute(statement, {"id": uuid4()})


async def test_an_empty_tick_reads_the_index_only(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.connection.execute(
            text(
                "INSERT INTO scheduler.learners (user_id, revision, state, language, next_due_at)"
                " SELECT gen_random_uuid(), 1, 'active', 'en', :later"
                " FROM generate_series(1, 20000)"
            ),
            {"later": at(3, 9)},
        )
    async with world.database.transaction() as tx:
        await tx.connection.execute(text("ANALYZE scheduler.learners"))
        rows = await tx.connection.execute(
            text(
                "EXPLAIN (ANALYZE, BUFFERS) SELECT user_id FROM scheduler.learners"
                " WHERE next_due_at <= :now ORDER BY next_due_at LIMIT 2000"
                " FOR UPDATE SKIP LOCKED"
            ),
            {"now": at(2, 9)},
        )
        plan = "\n".join(row[0] for row in rows)
    assert "Index Scan using ix_learners_next_due_at" in plan
    assert "Seq Scan" not in plan


async def test_a_running_ticker_wakes_when_the_clock_jumps(world: World) -> None:
    user_id = await world.person()
    ticker = world.ticker
    running = asyncio.create_task(ticker.run())
    try:
        await asyncio.sleep(0.1)
        world.clock.at = at(2, 9)
        ticker.wake()
        async with asyncio.timeout(0.7):
            while not await world.assignments(user_id):
                await asyncio.sleep(0.02)
    finally:
        running.cancel()


async def test_each_learner_has_a_trace_of_their_own(world: World) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    for _ in range(3):
        await world.person()
    world.clock.at = at(2, 9)
    await world.ticker.tick()
    async with world.database.transaction() as tx:
        rows = await tx.connection.execute(text("SELECT traceparent FROM scheduler.outbox"))
        traces = [row[0].split("-")[1] for row in rows]
    assert sorted(traces.count(one) for one in set(traces)) == [2, 2, 2]


async def test_news_of_an_unknown_person_sends_nothing(world: World) -> None:
    user_id = UserId(uuid4())
    await world.tell(world.news_of(user_id, tracks=()))
    world.clock.at = at(3, 9)
    assert await world.ticker.tick() == 0
