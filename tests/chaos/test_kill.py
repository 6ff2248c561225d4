"""Kill everything in turn while answers are in flight; afterwards nothing is lost or doubled."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import nats
import psycopg
import pytest

from common.bus import dead_letters
from common.ids import derived_id
from common.topology import STREAMS
from devstack.phones import Phone, call, is_feedback

from .conftest import Crowd, seeds

pytestmark = pytest.mark.chaos

HEALED_WITHIN = 180  # seconds
ANSWERS = (
    "Guarda tudo na memória, então gasta mais quando a lista é grande.",
    "Acho que um gera os valores sob demanda e o outro cria todos de uma vez.",
    "Depende: para arquivos grandes eu leria linha por linha, sem carregar tudo.",
)


@pytest.mark.parametrize("seed", seeds())
def test_every_answer_has_one_grading_and_one_feedback_whatever_is_killed(
    crowd: Crowd, seed: int
) -> None:
    print(f"\nchaos seed {seed} (SEED={seed} repeats it)")
    dice = random.Random(seed)
    before = feedbacks(crowd)
    crowd.ask_everybody()
    call("POST", f"{crowd.stack.simulator_url}/control/faults", SLOW_MODEL)
    answering = Thread(target=answer_all, args=(crowd, dice))
    answering.start()
    kill_everything(crowd, dice)
    answering.join()
    call("DELETE", f"{crowd.stack.simulator_url}/control/faults")
    wait_until_healed(crowd, before)
    assert_nothing_lost_or_doubled(crowd, before)


SLOW_MODEL = {"target": "llm", "kind": "delay", "delay": "PT1S", "times": None, "rate": 0.5}


def answer_all(crowd: Crowd, dice: random.Random) -> None:
    def answer(phone: Phone) -> None:
        time.sleep(dice.random() * 0.5)
        phone.say(dice.choice(ANSWERS))

    crowd.each(answer)


def kill_everything(crowd: Crowd, dice: random.Random) -> None:
    stack = crowd.stack
    parts: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        name: (program.kill, program.start)
        for name, program in stack.programs.items()
        if name != "simulator"
    }
    for server in stack.servers:
        parts[server.name] = (server.kill, server.start)
    names = sorted(parts)
    dice.shuffle(names)
    for name in names:
        kill, start = parts[name]
        time.sleep(dice.uniform(0.2, 0.8))
        kill()
        time.sleep(dice.uniform(0.2, 1.0))
        start()
    for program in stack.programs.values():
        program.wait_ready()


def feedbacks(crowd: Crowd) -> Counter[str]:
    return Counter(
        {p.number: sum(is_feedback(bubble) for bubble in p.received()) for p in crowd.phones}
    )


def wait_until_healed(crowd: Crowd, before: Counter[str]) -> None:
    """Time travels while it heals: what waits for a time-out of minutes need not take minutes."""
    deadline = time.monotonic() + HEALED_WITHIN
    travelled = 0
    while time.monotonic() < deadline:
        if unfinished(crowd) == 0 and all(feedbacks(crowd)[n] > before[n] for n in before):
            return
        time.sleep(2)
        if travelled < 12:
            crowd.clock.advance(timedelta(minutes=2))
            travelled += 1
    pytest.fail(f"not healed: {unfinished(crowd)} unfinished, {missing(crowd, before)} without")


def missing(crowd: Crowd, before: Counter[str]) -> int:
    after = feedbacks(crowd)
    return sum(after[number] <= before[number] for number in before)


def unfinished(crowd: Crowd) -> int:
    """What is still on its way, in any queue or table."""
    waiting = asyncio.run(_queued(crowd.stack.nats.url))
    return waiting + sum(count(crowd, query) for query in UNFINISHED)


UNFINISHED = (
    *(f"SELECT count(*) FROM {s}.outbox" for s in ("users", "scheduler", "grader", "messenger")),
    "SELECT count(*) FROM scheduler.assignments WHERE state = 'answered'",
    "SELECT count(*) FROM grader.answers WHERE state = 'received'",
    "SELECT count(*) FROM messenger.messages WHERE state IN ('queued', 'sending', 'unknown')",
)


async def _queued(url: str) -> int:
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    queues = [stream.name for stream in STREAMS if stream.is_work_queue]
    total = sum([(await jetstream.stream_info(name)).state.messages for name in queues])
    await connection.close()
    return total


def count(crowd: Crowd, query: str) -> int:
    with psycopg.connect(crowd.stack.postgres.url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return int(row[0])


def assert_nothing_lost_or_doubled(crowd: Crowd, before: Counter[str]) -> None:
    after = feedbacks(crowd)
    assert Counter(after[n] - before[n] for n in before) == {1: len(before)}
    assert count(crowd, "SELECT count(*) FROM grader.answers") == count(
        crowd, "SELECT count(DISTINCT answer_id) FROM grader.gradings"
    )
    assert count(crowd, DOUBLE_GRADINGS) == 0
    assert count(crowd, DOUBLE_QUESTIONS) == 0
    assert unterminated_webhooks(crowd) == []
    assert asyncio.run(_dead(crowd.stack.nats.url)) == []


DOUBLE_GRADINGS = (
    "SELECT count(*) FROM (SELECT answer_id FROM grader.gradings GROUP BY 1 HAVING count(*) > 1) x"
)
DOUBLE_QUESTIONS = (
    "SELECT count(*) FROM (SELECT user_id, local_date FROM scheduler.assignments"
    " WHERE kind = 'daily' GROUP BY 1, 2 HAVING count(*) > 1) x"
)


async def _dead(url: str) -> list[str]:
    connection = await nats.connect(url)
    letters = [letter.reason async for letter in dead_letters.read_all(connection.jetstream())]
    await connection.close()
    return letters


def unterminated_webhooks(crowd: Crowd) -> list[str]:
    """Messages that the gateway answered with 200 and the users service never ended."""
    said: list[Any] = []
    for phone in crowd.phones:
        _, transcript = call("GET", phone.transcript_url)
        said += [item["id"] for item in transcript if item["from"] == "user"]
    with psycopg.connect(crowd.stack.postgres.url) as connection:
        rows = connection.execute(
            "SELECT message_id FROM users.inbox WHERE consumer = 'users-understand'"
        ).fetchall()
    ended = {row[0] for row in rows}
    return [provider_id for provider_id in said if derived_id("cloud", provider_id) not in ended]
