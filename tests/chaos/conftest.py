"""Three hundred people with an open question, and a way to break things under them."""

import itertools
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from devstack.phones import Phone, TimeMachine, is_question
from devstack.servers import passing_folder
from devstack.stack import Stack, StackOptions

PEOPLE = int(os.environ.get("CHAOS_PEOPLE", "300"))
SAO_PAULO = "America/Sao_Paulo"

_numbers = itertools.count(1)


def seeds() -> list[int]:
    """SEED repeats one run; `make chaos` takes CHAOS_RUNS fresh ones; otherwise a fixed one."""
    if "SEED" in os.environ:
        return [int(os.environ["SEED"])]
    runs = int(os.environ.get("CHAOS_RUNS", "0"))
    return [random.SystemRandom().randrange(10**6) for _ in range(runs)] or [20_261_121]


@dataclass
class Crowd:
    stack: Stack
    phones: list[Phone] = field(default_factory=list)

    @property
    def clock(self) -> TimeMachine:
        return TimeMachine(self.stack.simulator_url)

    def gather(self, number: int) -> None:
        """Register that many people and let each confirm in the chat."""
        self.phones = [
            Phone(self.stack.simulator_url, f"+55119{60_000_000 + next(_numbers):08}")
            for _ in range(number)
        ]
        url = self.stack.gateway_url
        self.each(lambda phone: phone.sign_up(url, name="Ana", language="pt", tracks=["python"]))

    def each(self, act: Callable[[Phone], object]) -> None:
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(act, self.phones))

    def ask_everybody(self) -> None:
        """Travel to the next nine o'clock and wait until everybody has the question."""
        counts = {phone.number: len(phone.received()) for phone in self.phones}
        self.clock.travel_to_next("09:00", SAO_PAULO)

        def take(phone: Phone) -> None:
            after = counts[phone.number]
            first = phone.wait_next(after, within=60)
            if not is_question(first):
                phone.tap("question:now")
                phone.wait_for(is_question, after=after, within=60)

        self.each(take)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    logs = tmp_path_factory.mktemp("logs")
    with passing_folder() as folder:
        yield from _gathered(StackOptions(folder=folder, log_folder=logs, is_durable=False))


def _gathered(options: StackOptions) -> Iterator[Crowd]:
    stack = Stack(options)
    options.environment = {
        "SABATINA_REGISTER_LIMIT": "100000",
        "SABATINA_WHATSAPP_RATE": "400",
        "SABATINA_LOG_FORMAT": "json",
        "OPENAI_API_KEY": "simulated-openai-key",
        "OPENAI_BASE_URL": f"{stack.simulator_url}/openai/v1",
    }
    stack.start()
    try:
        gathered = Crowd(stack)
        gathered.gather(PEOPLE)
        yield gathered
    finally:
        stack.stop()
