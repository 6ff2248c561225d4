"""A model that fails in every way: who answers gets one graded feedback, and never two."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from devstack.phones import Phone, is_feedback

from .conftest import Product, running_product

pytestmark = pytest.mark.journeys

ANSWER = "One keeps every value in memory, the other makes each value when somebody asks for it."
PATIENCE = "PT1S"
SILENT = "PT3S"  # longer than the grader waits
FAULTS: dict[str, dict[str, Any]] = {
    "no JSON": {"kind": "garbage"},
    "another schema": {"kind": "wrong_schema"},
    "cut off": {"kind": "truncated"},
    "refused": {"kind": "refusal"},
    "filtered": {"kind": "filtered"},
    "429": {"kind": "error", "code": 429},
    "500": {"kind": "error", "code": 500},
    "never answered": {"kind": "timeout_after_acceptance", "delay": SILENT},
    "drop by drop": {"kind": "slow_body", "delay": SILENT},
}
GRADINGS = """
    SELECT grading.examiner, grading.is_provisional, grading.score
    FROM grader.gradings AS grading JOIN grader.answers AS answer ON answer.id = answer_id
    WHERE answer.user_id = %s ORDER BY grading.created_at
"""


@pytest.fixture(scope="module", params=["chat", "responses"])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """With a grader that waits no longer than a test may."""
    impatient = {
        "SABATINA_GRADER_API": str(request.param),
        "SABATINA_GRADER_TIMEOUT": PATIENCE,
        "SABATINA_GRADER_DEADLINE": PATIENCE,
        "SABATINA_GRADER_MAX_RETRIES": "0",
    }
    logs = tmp_path_factory.mktemp("logs")
    with running_product(logs, environment=impatient) as running:
        yield running


def gradings(product: Product, user_id: str) -> list[tuple[str, bool, int]]:
    with psycopg.connect(product.stack.postgres.url) as connection:
        return connection.execute(GRADINGS, [user_id]).fetchall()


def answer(product: Product, phone: Phone) -> None:
    """Asks for a question and answers it, as nobody has before, since the same answer to the same
    question is examined once; returns when there is feedback."""
    before = len(phone.received())
    time.sleep(0.5)  # until it is known everywhere that the last question is closed
    phone.say("question")
    product.question(phone, after=before)
    phone.say(f"{ANSWER} That is what {phone.number} thinks.")
    phone.wait_for(is_feedback, after=before)


def test_whatever_the_model_does_each_answer_gets_one_grade_and_one_feedback(
    product: Product,
) -> None:
    people = {name: (phone := product.phone(), product.confirmed(phone, language="en"))
              for name in FAULTS}  # fmt: skip
    for name, (phone, user_id) in people.items():
        product.control("POST", "/faults", {"target": "llm", "times": None, **FAULTS[name]})
        answer(product, phone)
        product.control("DELETE", "/faults")
        [(examiner, is_provisional, score)] = gradings(product, user_id)
        assert (examiner, is_provisional) == ("local", True), name
        assert 1 <= score <= 10, name
        answer(product, phone)
        assert gradings(product, user_id)[1][:2] == ("openai", False), name
    time.sleep(1)  # for a feedback too many
    for name, (phone, _) in people.items():
        assert sum(is_feedback(bubble) for bubble in phone.received()) == 2, name


def test_a_model_that_needs_a_second_try_is_believed(product: Product) -> None:
    phone = product.phone()
    user_id = product.confirmed(phone, language="en")
    product.control("POST", "/faults", {"target": "llm", "kind": "garbage", "times": 1})
    answer(product, phone)
    assert [row[:2] for row in gradings(product, user_id)] == [("openai", False)]
