"""A server goes away and comes back: who needs it says so, the others work, nothing is lost."""

import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from devstack.phones import is_feedback
from devstack.servers import Server

from .conftest import Product

pytestmark = pytest.mark.journeys


def readiness(product: Product, program: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{product.stack.probe_ports[program]}/readyz"
    try:
        with urlopen(url, timeout=3) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until(product: Product, code: int, programs: list[str]) -> dict[str, str]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        seen = {program: readiness(product, program) for program in programs}
        if all(found == code for found, _ in seen.values()):
            return {program: words for program, (_, words) in seen.items()}
        time.sleep(0.1)
    raise AssertionError(f"expected {code}: {seen}")


def names_of(product: Product, *services: str) -> list[str]:
    return [p.name for service in services for p in product.stack.of_service(service)]


def test_without_postgres_the_gateway_still_takes_webhooks_and_answers_follow(
    product: Product,
) -> None:
    phone = product.phone()
    product.confirmed(phone, language="en")
    count = len(phone.received())
    phone.tap("question:now")
    phone.wait_next(count)
    postgres: Server = product.stack.postgres
    postgres.kill()
    try:
        those = names_of(product, "users", "scheduler", "grader", "messenger")
        assert set(wait_until(product, 503, those).values()) <= {
            "PostgreSQL is away",
            "PostgreSQL is slow",
        }
        assert readiness(product, names_of(product, "gateway")[0])[0] == 200
        phone.say("One keeps everything in memory, the other makes a value when it is asked for.")
        time.sleep(1)
    finally:
        postgres.start()
    wait_until(product, 200, those)
    phone.wait_for(is_feedback, within=30)


def test_without_nats_nobody_is_ready_and_everybody_returns(product: Product) -> None:
    everybody = [name for name in product.stack.programs if name != "simulator"]
    product.stack.nats.kill()
    try:
        assert set(wait_until(product, 503, everybody).values()) == {"NATS is away"}
    finally:
        product.stack.nats.start()
    wait_until(product, 200, everybody)
    phone = product.phone()
    phone.say("oi")
    phone.wait_next(0, within=20)


def test_without_redis_everything_works(product: Product) -> None:
    product.stack.valkey.kill()
    try:
        phone = product.phone()
        product.confirmed(phone)
    finally:
        product.stack.valkey.start()
