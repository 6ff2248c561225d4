"""The same product over WAHA: no buttons, no templates, no window, and a server that forgets."""

import time
from datetime import timedelta

import pytest

from devstack.phones import Bubble, Phone, is_feedback

from .conftest import SAO_PAULO, Product

pytestmark = pytest.mark.journeys

MINUTES = 25  # a question may come this much after the chosen time
WELCOME_NUMBERS = {"pt": "1", "en": "2", "es": "3"}
STOPS = {"pt": "PARAR", "en": "STOP", "es": "BAJA"}
SKIP_WORDS = {"pt": "pular", "en": "skip", "es": "saltar"}
ANSWERS = {
    "pt": "Uma guarda todos os valores na memória de uma vez, a outra produz cada um quando pedem.",
    "en": "One keeps all values in memory at once, the other makes each one when it is asked for.",
    "es": "Una guarda todos los valores en memoria, la otra produce cada uno cuando se lo piden.",
}


def change(product: Product, phone: Phone, **changes: str) -> None:
    product.control("PUT", f"/phones/{phone.number.lstrip('+')}", changes)


def says_and_hears(phone: Phone, text: str) -> Bubble:
    count = len(phone.received())
    phone.say(text)
    return phone.wait_next(count)


def onboarded(product: Product, language: str = "pt") -> Phone:
    """By numbers only: language, consent, area, level; then a time."""
    person = product.phone(channel="waha")
    says_and_hears(person, "oi")
    says_and_hears(person, WELCOME_NUMBERS[language])
    for answer in ("1", "1", "1"):
        says_and_hears(person, answer)
    says_and_hears(person, "09:00")
    return person


@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_a_day_on_waha_from_the_first_word_to_stop(product: Product, language: str) -> None:
    phone = onboarded(product, language)
    assert all(not bubble.options for bubble in phone.received())
    before = len(phone.received())
    product.travel_to_next("09:00", SAO_PAULO)
    product.let_minutes_pass(MINUTES)
    question = phone.wait_for(lambda b: SKIP_WORDS[language] in b.text.lower(), after=before)
    assert question.template is None
    since = time.time_ns()
    phone.say(ANSWERS[language])
    feedback = phone.wait_for(is_feedback, after=before)
    assert "/10" in feedback.text
    everybody = {"gateway", "users", "scheduler", "grader", "messenger"}
    product.wait_for_trace(since, everybody, "POST /webhook/waha")
    before = len(phone.received())
    phone.say(STOPS[language])
    phone.wait_next(before)
    for _ in range(30):
        product.clock.advance(timedelta(days=1))
        time.sleep(0.1)
    time.sleep(1)
    assert len(phone.received()) == before + 1


def test_one_person_on_both_channels_is_one_person(product: Product) -> None:
    cloud = product.phone()
    user_id = product.confirmed(cloud)
    waha = Phone(product.stack.simulator_url, cloud.number, channel="waha")
    assert says_and_hears(waha, "menu").text
    assert product.user(user_id)["state"] == "active"
    count = len(waha.received())
    waha.say("PARAR")
    waha.wait_next(count)
    assert product.user(user_id)["state"] == "opted_out"


def test_what_is_asked_for_in_one_chat_comes_in_that_chat(product: Product) -> None:
    cloud = product.phone()
    product.confirmed(cloud, language="pt")
    waha = cloud.on("waha")
    here = cloud.on("cloud")
    before, elsewhere = len(waha.received()), len(here.received())
    waha.say("pergunta agora")
    waha.wait_for(lambda bubble: "pular" in bubble.text, after=before)
    for chat in (here, waha, here):
        count = len(chat.received())
        chat.say("dica")
        chat.wait_for(lambda bubble: "Dica" in bubble.text, after=count)
    assert len(here.received()) == elsewhere + 2


def test_a_hidden_number_is_a_person_like_any_other(product: Product) -> None:
    phone = product.phone(channel="waha")
    change(product, phone, lid="hidden")
    says_and_hears(phone, "oi")
    for answer in ("1", "1", "1", "1"):
        says_and_hears(phone, answer)
    assert says_and_hears(phone, "09:00").text
    count = len(phone.received())
    phone.say("PARAR")
    phone.wait_next(count)


def test_a_gateway_that_is_away_for_ten_minutes_loses_no_message(product: Product) -> None:
    phone = onboarded(product)
    count = len(phone.received())
    gateways = product.stack.of_service("gateway")
    for gateway in gateways:
        gateway.kill()
    try:
        phone.say("menu")
        product.let_minutes_pass(10)
    finally:
        for gateway in gateways:
            gateway.start()
            gateway.wait_ready()
    product.clock.advance(timedelta(minutes=2))
    phone.wait_next(count, within=30)
    time.sleep(2)
    assert len(phone.received()) == count + 1


def test_a_session_that_works_but_is_silent_is_restarted_and_caught_up(product: Product) -> None:
    phone = onboarded(product)
    product.control("POST", "/waha/session", {"silent": True})
    try:
        count = len(phone.received())
        phone.say("menu")
        other = onboarded_elsewhere(product)
        other.say("menu")
        product.let_minutes_pass(45)
        phone.wait_next(count, within=30)
    finally:
        product.control("POST", "/waha/session", {"silent": False})


def onboarded_elsewhere(product: Product) -> Phone:
    """Somebody on the Cloud API, so that the product is busy meanwhile."""
    phone = product.phone()
    product.confirmed(phone)
    return phone
