"""The rules of time, choice and streaks."""

import random
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from common.database import Database
from common.events import Track
from common.ids import UserId
from scheduler.planning import (
    Candidate,
    History,
    Library,
    Streak,
    choose,
    end_of_day,
    instant_of,
    local_date,
    next_occurrence,
    seed_of,
)

ZONES = (
    "Europe/Lisbon",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "UTC",
)
instants = st.integers(0, 25 * 525_600).map(
    lambda minutes: datetime(2012, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
times = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
zones = st.sampled_from(ZONES)


@given(instants, times, zones)
def test_the_next_occurrence_is_later_and_at_most_a_day_and_a_shift_away(
    after: datetime, at: time, zone: str
) -> None:
    found = next_occurrence(after, at, zone)
    assert after < found <= after + timedelta(hours=26)


@given(instants, times, zones)
def test_following_the_occurrences_visits_every_local_date_once(
    after: datetime, at: time, zone: str
) -> None:
    dates = []
    for _ in range(10):
        after = next_occurrence(after, at, zone)
        dates.append(local_date(after, zone))
    assert dates == [dates[0] + timedelta(days=number) for number in range(10)]


@given(instants, times, zones)
def test_an_occurrence_shows_the_time_asked_for_unless_the_clocks_skip_it(
    after: datetime, at: time, zone: str
) -> None:
    found = next_occurrence(after, at, zone).astimezone(ZoneInfo(zone))
    shift = timedelta() if found.time() == at else _shift_on(found.date(), zone)
    wanted = datetime.combine(found.date(), at) + shift
    assert found.replace(tzinfo=None, fold=0) == wanted


def _shift_on(day: date, zone: str) -> timedelta:
    start, end = instant_of(day, time(), zone), end_of_day(day, zone)
    return timedelta(days=1) - (end - start)


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:30:00+00:00"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T06:30:00+00:00"),
        ("Europe/Lisbon", date(2026, 3, 29), time(1, 30), "2026-03-29T01:30:00+00:00"),
        ("Europe/Lisbon", date(2026, 10, 25), time(1, 30), "2026-10-25T01:30:00+00:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), time(0, 30), "2018-11-04T03:30:00+00:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:45:00+00:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-04T15:15:00+00:00"),
    ],
)
def test_a_skipped_time_comes_later_and_a_repeated_one_the_second_time(
    zone: str, day: date, at: time, expected: str
) -> None:
    assert instant_of(day, at, zone) == datetime.fromisoformat(expected)


async def test_postgres_and_python_agree_over_thousands_of_instants(database: Database) -> None:
    chance = random.Random(7)
    cases = [
        (
            datetime(2015, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(20 * 525_600)),
            time(chance.randrange(24), chance.choice((0, 15, 30, 45))),
            chance.choice(ZONES),
        )
        for _ in range(6_000)
    ] + [
        (moment + timedelta(minutes=15 * step), at, zone)
        for moment, zone in (
            (datetime(2026, 3, 8, tzinfo=UTC), "America/New_York"),
            (datetime(2026, 11, 1, tzinfo=UTC), "America/New_York"),
            (datetime(2026, 10, 24, 20, tzinfo=UTC), "Europe/Lisbon"),
            (datetime(2018, 11, 3, 18, tzinfo=UTC), "America/Sao_Paulo"),
            (datetime(2018, 2, 17, 18, tzinfo=UTC), "America/Sao_Paulo"),
            (datetime(2026, 4, 4, 8, tzinfo=UTC), "Australia/Lord_Howe"),
            (datetime(2026, 10, 3, 8, tzinfo=UTC), "Australia/Lord_Howe"),
        )
        for step in range(64)
        for at in (time(0, 0), time(1, 30), time(1, 45), time(2, 15), time(23, 45))
    ]
    query = text(
        "SELECT scheduler.next_occurrence(moment, at, zone) AS found FROM unnest("
        "CAST(:moments AS timestamptz[]), CAST(:times AS time[]), CAST(:zones AS text[]))"
        " WITH ORDINALITY AS cases (moment, at, zone, place) ORDER BY place"
    )
    moments, slots, places = zip(*cases, strict=True)
    async with database.transaction() as tx:
        rows = await tx.connection.execute(
            query, {"moments": list(moments), "times": list(slots), "zones": list(places)}
        )
        answers = [row.found for row in rows]
    differing = [
        case
        for case, answer in zip(cases, answers, strict=True)
        if next_occurrence(*case) != answer
    ]
    assert differing == []


days = st.integers(0, 400).map(lambda number: date(2026, 1, 1) + timedelta(days=number))


@given(st.sets(days, max_size=60), days)
def test_a_streak_is_the_run_of_answered_dates_that_ends_today_or_yesterday(
    answered: set[date], today: date
) -> None:
    past = sorted(day for day in answered if day <= today)
    streak = Streak()
    for day in past:
        streak = streak.counting(day).counting(day)  # the second answer of a date adds nothing
    run, day = 0, today if today in answered else today - timedelta(days=1)
    while day in answered:
        run, day = run + 1, day - timedelta(days=1)
    assert streak.as_of(today) == run
    assert streak.best >= run


def test_an_answer_to_an_older_date_changes_no_streak() -> None:
    streak = Streak().counting(date(2026, 1, 2))
    assert streak.counting(date(2026, 1, 1)) == streak


def library(*sizes: tuple[Track, int]) -> Library:
    return Library(
        [
            Candidate(f"{track}-{number:02}", 1, track, number % 3 + 1)
            for track, size in sizes
            for number in range(size)
        ]
    )


@given(st.integers(1, 3), st.integers(0, 2**32), st.integers(0, 11))
def test_the_choice_is_unseen_and_as_near_to_the_level_as_any_unseen_one(
    level: int, seed: int, asked: int
) -> None:
    shelf = library(("python", 12), ("ruby", 12))
    seen = [f"python-{number:02}" for number in range(asked)]
    found = choose(shelf, ["python"], level, History(seen, [5] * asked), seed)
    assert found is not None
    assert (found.track, found.id in seen) == ("python", False)
    unseen = [c for c in shelf.candidates if c.track == "python" and c.id not in seen]
    assert abs(found.level - level) == min(abs(c.level - level) for c in unseen)


def test_of_several_tracks_the_one_asked_least_recently_is_next() -> None:
    shelf = library(("python", 5), ("ruby", 5), ("dsa", 5))
    tracks: list[Track] = ["python", "ruby", "dsa"]
    asked: list[str] = []
    order = []
    for day in range(9):
        found = choose(shelf, tracks, 1, History(asked, [None] * len(asked)), day)
        assert found is not None
        asked.append(found.id)
        order.append(found.track)
    assert [set(order[start : start + 3]) for start in (0, 3, 6)] == [set(tracks)] * 3


def test_a_track_with_unseen_questions_goes_before_one_that_has_none() -> None:
    shelf = library(("python", 1), ("ruby", 3))
    history = History(["python-00", "ruby-00"], [5, 5])
    found = choose(shelf, ["python", "ruby"], 1, history, 0)
    assert found is not None
    assert found.track == "ruby"


def test_when_all_are_seen_the_worst_of_those_seen_longest_ago_comes_again() -> None:
    shelf = library(("python", 4))
    history = History(["python-03", "python-01", "python-00", "python-02"], [9, 4, 1, None])
    found = choose(shelf, ["python"], 3, history, 0)
    assert found is not None
    assert found.id == "python-01"


def test_the_choice_is_the_same_on_every_replica_and_differs_between_people() -> None:
    shelf = library(("python", 30))
    people = [UserId(UUID(int=number)) for number in range(40)]
    on = date(2026, 3, 2)

    def chosen() -> list[Candidate | None]:
        return [choose(shelf, ["python"], 1, History(), seed_of(p, on)) for p in people]

    assert chosen() == chosen()
    assert len(set(chosen())) > 5


def test_without_questions_in_the_tracks_there_is_no_choice() -> None:
    assert choose(library(("ruby", 3)), ["python"], 1, History(), 0) is None
    assert choose(library(), [], 1, History(), 0) is None


def about(name: str, concept: str | None, track: Track = "python", level: int = 1) -> Candidate:
    return Candidate(name, 1, track, level, concept)


@given(st.integers(0, 2**32), st.integers(0, 12))
def test_a_concept_is_not_asked_twice_within_seven_assignments(seed: int, since: int) -> None:
    shelf = Library(
        [about("first", "sorting"), about("same", "sorting"), about("far", "hashing", level=3)]
        + [about(f"other-{number:02}", f"concept-{number}", "ruby") for number in range(12)]
    )
    asked = ["first", *(f"other-{number:02}" for number in range(since))]
    found = choose(shelf, ["python"], 1, History(asked, [5] * len(asked)), seed)
    assert found is not None
    assert found.id == ("far" if since < 7 else "same")


def test_a_concept_comes_again_at_once_where_there_is_no_other_choice() -> None:
    shelf = Library([about("first", "sorting"), about("same", "sorting")])
    found = choose(shelf, ["python"], 1, History(["first"], [5]), 0)
    assert found is not None
    assert found.id == "same"


def test_questions_of_no_concept_keep_no_distance() -> None:
    shelf = Library([about("first", None), about("near", None), about("far", None, level=3)])
    found = choose(shelf, ["python"], 1, History(["first"], [5]), 0)
    assert found is not None
    assert found.id == "near"


def test_a_repetition_keeps_the_distance_too() -> None:
    names = [f"q{number:02}" for number in range(10)]
    concepts = ["sorting", *names[1:9], "sorting"]
    shelf = Library([about(n, c) for n, c in zip(names, concepts, strict=True)])
    scores = [1, 5, 5, 2, 5, 9, 9, 9, 9, 9]
    found = choose(shelf, ["python"], 1, History(names, scores), 0)
    assert found is not None
    assert found.concept != "sorting"
