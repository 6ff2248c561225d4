"""Five thousand people due at the same minute: questions a second until WhatsApp has taken all."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import psycopg

from bench import crowd
from bench.measure import cpu_of_programs, running_stack
from devstack.phones import TimeMachine
from devstack.stack import Stack

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "5000"))
TARGET_PER_S = 1_000
RATE = 5_000  # the pace is not what is measured here
PREPARE_WITHIN = 120.0  # seconds
SEND_WITHIN = 180.0


def run() -> dict[str, object]:
    environment = {
        "SABATINA_WHATSAPP_RATE": str(RATE),
        # Names are learned from the first answer to each person; here everybody is known.
        "SABATINA_SIMULATOR_USER_IDS": "false",
        # Statuses come after the wave, as they do when phones are in pockets.
        "SABATINA_SIMULATOR_STATUS_GAP_SECONDS": "60",
    }
    with running_stack(environment=environment) as stack:
        return _measure(stack)


def _measure(stack: Stack) -> dict[str, object]:
    due = datetime.now(UTC) + timedelta(hours=1)
    everybody = crowd.people(PEOPLE)
    asyncio.run(crowd.announce(stack, everybody, time_of_day=f"{due:%H:%M}", zone="UTC"))
    _wait(stack, "SELECT count(*) FROM scheduler.learners", PREPARE_WITHIN)
    _wait(
        stack,
        "SELECT count(*) FROM messenger.contacts WHERE last_inbound_at IS NOT NULL",
        PREPARE_WITHIN,
    )
    before = cpu_of_programs(stack)
    clock = TimeMachine(stack.simulator_url)
    clock.travel_to(due.replace(second=0, microsecond=0))
    started = time.perf_counter()
    _wait(
        stack,
        "SELECT count(*) FROM messenger.messages WHERE kind = 'question'"
        " AND state NOT IN ('queued', 'sending')",
        SEND_WITHIN,
    )
    elapsed = time.perf_counter() - started
    after = cpu_of_programs(stack)
    per_s = PEOPLE / elapsed
    return {
        "people": PEOPLE,
        "questions_per_s": round(per_s),
        "target_per_s": TARGET_PER_S,
        "cpu_us_per_question": {
            name: round((after[name] - before[name]) / PEOPLE * 1e6) for name in after
        },
        "ok": per_s >= TARGET_PER_S,
    }


def _wait(stack: Stack, query: str, within: float) -> None:
    deadline = time.monotonic() + within
    with psycopg.connect(stack.postgres.url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(query).fetchone()
            if row and row[0] >= PEOPLE:
                return
            time.sleep(0.05)
    raise TimeoutError(query)
