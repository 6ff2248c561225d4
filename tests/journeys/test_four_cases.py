"""The four cases of the mission, in three languages, from outside only."""

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devstack.phones import Phone, is_feedback, is_question

from .conftest import SAO_PAULO, Product

pytestmark = pytest.mark.journeys

LANGUAGES = ("pt", "en", "es")
STOP_WORDS = {"pt": "PARAR", "en": "Stop.", "es": "¡Baja!"}
SCORE_WORDS = {"pt": "Nota", "en": "Score", "es": "Nota"}
ANSWERS = {
    "pt": "Acho que depende do caso: uma coisa guarda tudo na memória e a outra gera aos poucos.",
    "en": "I think it depends: one keeps everything in memory and the other makes it step by step.",
    "es": "Creo que depende: una cosa guarda todo en memoria y la otra lo genera poco a poco.",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_case_1_a_person_registers_and_confirms_once_in_the_chat(
    product: Product, language: str
) -> None:
    phone, since = product.phone(), time.time_ns()
    status, body = product.register(phone, language=language)
    assert (status, body["state"]) == (201, "pending")
    confirmation = phone.wait_for(lambda bubble: "signup:confirm" in bubble.option_ids)
    assert confirmation.template is not None
    product.wait_for_trace(since, {"gateway", "users", "messenger"}, "POST /api/users/register")
    again, second = product.register(phone, language=language)
    assert (again, second["id"]) == (200, body["id"])
    phone.tap("signup:confirm")
    phone.wait_for(lambda bubble: "question:now" in bubble.option_ids, after=1)
    assert product.user(body["id"])["state"] == "active"
    assert len(phone.received()) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_case_2_the_question_comes_at_nine_on_the_persons_own_clock(
    product: Product, language: str
) -> None:
    phone = product.phone()
    product.confirmed(phone, language=language)
    before, since = len(phone.received()), time.time_ns()
    nine = product.travel_to_next("09:00")
    arrived = phone.wait_next(before)
    assert timedelta() <= arrived.at - nine < timedelta(seconds=30)
    product.wait_for_trace(since, {"scheduler", "messenger"}, "assign question")
    assert product.question(phone, after=before).text
    assert len(phone.received()) <= before + 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_case_3_an_answer_gets_a_score_with_feedback_within_seconds(
    product: Product, language: str
) -> None:
    phone = product.phone()
    product.confirmed(phone, language=language)
    before = len(phone.received())
    product.travel_to_next("09:00")
    product.question(phone, after=before)
    since = time.time_ns()
    phone.say(ANSWERS[language])
    feedback = phone.wait_for(is_feedback, within=10)
    assert SCORE_WORDS[language] in feedback.text
    everybody = {"gateway", "users", "scheduler", "grader", "messenger"}
    product.wait_for_trace(since, everybody, "POST /webhook/whatsapp")
    time.sleep(0.5)
    assert sum(is_feedback(bubble) for bubble in phone.received()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_case_4_stop_is_confirmed_once_and_thirty_days_are_silent(
    product: Product, language: str
) -> None:
    phone = product.phone()
    user_id = product.confirmed(phone, language=language)
    before, since = len(phone.received()), time.time_ns()
    phone.say(STOP_WORDS[language])
    phone.wait_next(before, within=5)
    deadline = time.monotonic() + 1
    while product.user(user_id)["state"] != "opted_out" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert product.user(user_id)["state"] == "opted_out"
    product.wait_for_trace(since, {"gateway", "users", "messenger"}, "POST /webhook/whatsapp")
    phone.say(STOP_WORDS[language])
    for _ in range(30):
        product.clock.advance(timedelta(days=1))
        time.sleep(0.15)
    time.sleep(1)
    assert len(phone.received()) == before + 1


def test_a_lisbon_user_gets_it_at_nine_before_and_after_the_clocks_change(
    product: Product,
) -> None:
    phone = product.phone()
    product.confirmed(phone, language="pt", timezone="Europe/Lisbon")
    zone = ZoneInfo("Europe/Lisbon")
    offsets = set()
    for month, day in ((3, 20), (4, 10)):
        year = product.clock.now().year + 1
        product.clock.travel_to(datetime(year, month, day, 8, 0, tzinfo=zone))
        time.sleep(1.5)
        before = len(phone.received())
        nine = product.travel_to_next("09:00", "Europe/Lisbon")
        arrived = phone.wait_next(before)
        assert timedelta() <= arrived.at - nine < timedelta(seconds=30)
        offsets.add(nine.utcoffset())
    assert len(offsets) == 2


def test_chat_onboarding_needs_no_web_form(product: Product) -> None:
    phone = product.phone()
    phone.say("oi")
    for tap in ("lang:pt", "consent:yes", "track:ruby", "level:2", "time:09:00"):
        count = len(phone.received())
        phone.wait_for(lambda bubble, tap=tap: tap in bubble.option_ids)  # type: ignore[misc]
        phone.tap(tap)
        phone.wait_next(count)
    phone.wait_for(lambda bubble: "question:now" in bubble.option_ids)
    count = len(phone.received())
    phone.tap("question:now")
    question = phone.wait_for(is_question, after=count)
    assert "Ruby" in question.text


def test_after_three_days_away_there_is_one_question_and_not_three(product: Product) -> None:
    phone = product.phone()
    product.confirmed(phone)
    before = len(phone.received())
    for scheduler in product.stack.of_service("scheduler"):
        scheduler.stop()
    for _ in range(3):
        product.clock.advance(timedelta(days=1))
    product.travel_to_next("09:30")
    for scheduler in product.stack.of_service("scheduler"):
        scheduler.start()
        scheduler.wait_ready()
    phone.wait_next(before)
    time.sleep(1.5)
    assert len(phone.received()) == before + 1


def test_a_button_of_an_old_question_is_explained(product: Product) -> None:
    phone = product.phone()
    product.confirmed(phone)
    count = len(phone.received())
    phone.tap("question:now")
    first = phone.wait_for(is_question, after=count)
    skip = next(option for option in first.option_ids if option.startswith("skip:"))
    count = len(phone.received())
    phone.tap(skip)
    phone.wait_next(count)
    count = len(phone.received())
    phone.tap(skip) if skip in _last_options(phone) else phone.say("PULAR")
    assert phone.wait_next(count).text


def _last_options(phone: Phone) -> tuple[str, ...]:
    options: tuple[Any, ...] = ()
    for bubble in phone.received():
        options = bubble.option_ids or options
    return options


def test_ordinary_answers_with_stop_words_inside_are_answers(product: Product) -> None:
    phone = product.phone()
    product.confirmed(phone, language="en")
    count = len(phone.received())
    phone.tap("question:now")
    phone.wait_for(is_question, after=count)
    phone.say("I would stop the goroutine and cancel the context, because memory leaks otherwise.")
    phone.wait_for(lambda bubble: is_feedback(bubble) or bool(bubble.option_ids), after=count + 1)


def test_the_zone_of_the_mission_is_three_hours_behind(product: Product) -> None:
    nine = product.travel_to_next("09:00", SAO_PAULO)
    assert nine.astimezone(ZoneInfo("UTC")).hour == 12
