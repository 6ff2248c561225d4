"""What happens to people and to our number on WhatsApp, from outside only."""

import time
from datetime import timedelta

import pytest

from devstack.phones import Phone, is_feedback, is_question

from .conftest import Product

pytestmark = pytest.mark.journeys

ANSWER = "One keeps every value in memory, the other makes each value when somebody asks for it."


def asked(product: Product, phone: Phone) -> int:
    """A question is open; returns how many messages there were before it."""
    count = len(phone.received())
    phone.tap("question:now")
    phone.wait_for(is_question, after=count)
    return count


def path(phone: Phone) -> str:
    return f"/phones/{phone.number.lstrip('+')}"


def test_a_voice_note_is_written_down_shown_and_graded_when_the_person_agrees(
    product: Product,
) -> None:
    phone = product.phone()
    product.confirmed(phone, language="en")
    count = asked(product, phone)
    time.sleep(0.5)
    phone.send(type="audio", text=ANSWER)
    heard = phone.wait_for(lambda b: any("voice:send" in o for o in b.option_ids), after=count)
    assert ANSWER in heard.text
    assert not any(is_feedback(bubble) for bubble in phone.received()[count:])
    phone.tap(next(option for option in heard.option_ids if option.startswith("voice:send")))
    phone.wait_for(is_feedback, after=count)


def test_a_person_who_changes_their_number_goes_on(product: Product) -> None:
    phone = product.phone()
    user_id = product.confirmed(phone)
    moved = product.phone()
    product.control("POST", f"{path(phone)}/number", {"number": moved.number})
    before = len(moved.received())
    moved.say("menu")
    moved.wait_next(before)
    deadline = time.monotonic() + 5
    while product.user(user_id)["phone"] != moved.number and time.monotonic() < deadline:
        time.sleep(0.05)
    assert product.user(user_id)["phone"] == moved.number
    before = len(moved.received())
    product.travel_to_next("09:00")
    assert product.question(moved, after=before).text


def test_somebody_who_hides_their_number_is_served_by_their_user_name(product: Product) -> None:
    phone = product.phone()
    product.control("PUT", path(phone), {"username": "ana.dev", "hides_number": True})
    phone.say("oi")
    for tap in ("lang:pt", "consent:yes", "track:python", "level:1", "time:09:00"):
        count = len(phone.received())
        phone.wait_for(lambda bubble, tap=tap: tap in bubble.option_ids)  # type: ignore[misc]
        phone.tap(tap)
        phone.wait_next(count)
    phone.wait_for(lambda bubble: "question:now" in bubble.option_ids)
    asked(product, phone)


def test_whatsapps_own_switch_stops_and_resumes_the_daily_question(product: Product) -> None:
    phone = product.phone()
    user_id = product.confirmed(phone)
    for wanted, state in ((False, "paused"), (True, "active")):
        product.clock.advance(timedelta(seconds=2))  # of two in one second the stop counts
        product.control("POST", f"{path(phone)}/marketing", {"wanted": wanted})
        deadline = time.monotonic() + 5
        while product.user(user_id)["state"] != state and time.monotonic() < deadline:
            time.sleep(0.05)
        assert product.user(user_id)["state"] == state


def test_a_locked_account_keeps_its_queue_and_goes_on_by_itself(product: Product) -> None:
    phone = product.phone()
    product.confirmed(phone)
    before = len(phone.received())
    product.control("POST", "/account", {"problem": 131031})
    try:
        phone.say("menu")
        time.sleep(2)
        assert len(phone.received()) == before
    finally:
        product.control("POST", "/account", {"problem": None})
    product.clock.advance(timedelta(minutes=11))
    phone.wait_next(before, within=20)
    time.sleep(1)
    assert len(phone.received()) == before + 1


def test_a_hidden_waha_sender_turns_out_to_be_somebody_who_registered(product: Product) -> None:
    phone = product.phone()
    user_id = product.confirmed(phone)
    waha = phone.on("waha")
    product.control("PUT", path(phone), {"lid": "resolvable"})
    count = len(waha.received())
    waha.say("oi")
    waha.wait_next(count)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        merges = product.merges()
        if any(merge["into"] == user_id for merge in merges):
            break
        time.sleep(0.2)
        product.clock.advance(timedelta(seconds=30))
    assert any(merge["into"] == user_id for merge in merges)
