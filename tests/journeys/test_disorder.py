"""Webhooks that come twice, in another order, late, or with a wrong signature change nothing."""

import time
from collections import Counter

import pytest

from devstack.phones import call, is_feedback, is_question

from .conftest import Product

pytestmark = pytest.mark.journeys

FAULTS = (
    {"target": "webhook", "kind": "duplicate", "rate": 1.0},
    {"target": "webhook", "kind": "bad_signature", "rate": 0.3},
    {"target": "status", "kind": "duplicate", "rate": 0.7},
    {"target": "status", "kind": "reorder", "rate": 0.7},
)


def test_a_whole_conversation_survives_duplicates_disorder_and_forgeries(product: Product) -> None:
    faults = f"{product.stack.simulator_url}/control/faults"
    for fault in FAULTS:
        status, answer = call("POST", faults, fault | {"times": None})
        assert status < 300, answer
    try:
        phone = product.phone()
        product.confirmed(phone)
        count = len(phone.received())
        phone.tap("question:now")
        phone.wait_for(is_question, after=count)
        phone.say("Acho que um guarda tudo na memória e o outro gera um valor de cada vez.")
        phone.wait_for(is_feedback)
        count = len(phone.received())
        phone.say("PARAR")
        phone.wait_next(count)
        time.sleep(2)
    finally:
        call("DELETE", faults)
    texts = Counter(bubble.text for bubble in phone.received())
    assert max(texts.values()) == 1, texts
    assert sum(is_feedback(bubble) for bubble in phone.received()) == 1
    assert {bubble.status for bubble in phone.received()} == {"read"}


def test_messages_in_one_burst_are_understood_in_their_order(product: Product) -> None:
    phone = product.phone()
    product.confirmed(phone, language="en")
    count = len(phone.received())
    for said in ("menu", "help", "menu", "help", "menu"):
        phone.say(said)
    time.sleep(3)
    answers = phone.received()[count:]
    kinds = ["menu" if "question:now" in answer.option_ids else "text" for answer in answers]
    assert kinds == ["menu", "text", "menu", "text", "menu"]
