from datetime import timedelta
from typing import get_args
from uuid import uuid4

import pytest

from common.events import Purpose, UserState
from messenger.sending import (
    Addressee,
    Fail,
    Queued,
    Send,
    Suppress,
    Wait,
    allows,
    decide,
    is_window_open,
)

from .conftest import START

USER = uuid4()


def queued(kind: str = "skipped", purpose: Purpose = "reply", **fields: object) -> Queued:
    made = Queued(uuid4(), USER, kind, purpose, {}, START)
    return Queued(**(vars(made) | fields))


def person(state: str = "active", **fields: object) -> Addressee:
    made = Addressee(USER, 1, state, "pt", "5511999999999", "Ana", START)
    return Addressee(**(vars(made) | fields))


@pytest.mark.parametrize(
    ("age", "is_open"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=54, seconds=59), True),
        (timedelta(hours=23, minutes=55), False),
        (timedelta(hours=24), False),
        (timedelta(days=30), False),
    ],
)
def test_the_window_closes_five_minutes_early(age: timedelta, is_open: bool) -> None:
    assert is_window_open(START, START + age) is is_open
    how = decide(queued("question", "daily"), person(), START + age)
    assert how == Send(is_template=not is_open)
    reply = decide(queued(), person(), START + age)
    assert reply == (Send(is_template=False) if is_open else Fail("window_closed"))


def test_somebody_who_never_wrote_has_no_window() -> None:
    assert not is_window_open(None, START)


@pytest.mark.parametrize("state", get_args(UserState))
def test_a_daily_question_is_for_the_active_only(state: UserState) -> None:
    assert allows(person(state), "daily", "question") is (state == "active")
    assert allows(person(state), "signup", "confirm_signup") is (state == "pending")
    is_there = state not in ("deleted", "merged")
    assert allows(person(state), "stop_confirmation", "stopped") is is_there
    assert allows(person(state), "reply", "help") is is_there
    expected = state not in ("deleted", "merged", "opted_out", "declined")
    assert allows(person(state), "reply", "feedback") is expected


def test_consent_is_asked_before_anything_else() -> None:
    gone = person("opted_out", address=None, hold_until=START + timedelta(hours=1))
    assert decide(queued(expires_at=START), gone, START) == Suppress("opted_out")


def test_a_deleted_person_is_not_waited_for() -> None:
    assert decide(queued(), person("deleted", revision=-1), START) == Suppress("deleted")


def test_the_wait_for_news_grows_and_ends() -> None:
    nobody = person("unknown", revision=-1, address=None)
    waits = [decide(queued(waits=n), nobody, START) for n in (0, 1, 2, 20)]
    assert waits == [Wait(START + timedelta(seconds=s)) for s in (0.2, 0.4, 0.8, 15)]
    late = START + timedelta(minutes=10)
    assert decide(queued(), nobody, late) == Fail("no_contact")


def test_a_confirmation_of_a_signup_is_always_a_template() -> None:
    how = decide(queued("confirm_signup", "signup"), person("pending"), START)
    assert how == Send(is_template=True)


def test_a_reply_waits_until_it_is_known_how_to_reach_the_person_where_they_wrote() -> None:
    known = person(last_inbound_at=START)
    assert isinstance(decide(queued(channel="waha"), known, START), Wait)
    assert decide(queued(channel="cloud"), known, START) == Send(is_template=False)
