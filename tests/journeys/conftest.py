"""The whole product, started once, as a stranger would use it: HTTP and the phone."""

import itertools
import time as time_of_process
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.events import Channel
from devstack.otlp import ReceivedSpan, TraceReceiver
from devstack.phones import Bubble, Phone, TimeMachine, call, is_question, is_ready, register
from devstack.servers import passing_folder
from devstack.stack import ADMIN_KEY, Stack, StackOptions

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
SAO_PAULO = "America/Sao_Paulo"
ANA = {
    "name": "Ana",
    "language": "pt",
    "tracks": ["python"],
    "level": 1,
    "timezone": SAO_PAULO,
    "time": "09:00",
}

_numbers = itertools.count(1)


@dataclass
class Product:
    stack: Stack
    traces: TraceReceiver
    logs: Path

    def phone(self, channel: Channel = "cloud") -> Phone:
        """Somebody new, who writes to our number on `channel`."""
        number = f"+55119{70_000_000 + next(_numbers):08}"
        return Phone(self.stack.simulator_url, number, channel=channel)

    @property
    def clock(self) -> TimeMachine:
        return TimeMachine(self.stack.simulator_url)

    def register(self, phone: Phone, **changes: Any) -> tuple[int, Any]:
        return register(self.stack.gateway_url, phone=phone.number, **{**ANA, **changes})  # type: ignore[no-any-return]

    def user(self, user_id: str) -> Any:
        _, body = call("GET", f"{self.stack.gateway_url}/api/users/{user_id}", headers=KEY)
        return body

    def merges(self) -> list[dict[str, Any]]:
        _, body = call("GET", f"{self.stack.gateway_url}/api/v1/merges", headers=KEY)
        return list(body["items"])

    def confirmed(self, phone: Phone, **changes: Any) -> str:
        """Registered on the web and confirmed in the chat. Returns the user's id."""
        return phone.sign_up(self.stack.gateway_url, **{**ANA, **changes})

    def travel_to_next(self, at: str, zone: str = SAO_PAULO) -> datetime:
        return self.clock.travel_to_next(at, zone)

    def question(self, phone: Phone, *, after: int) -> Bubble:
        """The next question on the phone; a template that announces it is tapped first."""
        announced = phone.wait_for(
            lambda bubble: is_question(bubble) or is_ready(bubble), after=after
        )
        if is_question(announced):
            return announced
        phone.tap("question:now")
        return phone.wait_for(is_question, after=after)

    def wait_for_trace(self, since: int, services: set[str], name: str) -> None:
        """Some trace that began after `since` has all of `services` and a span called `name`."""
        deadline = time_of_process.monotonic() + 10
        while time_of_process.monotonic() < deadline:
            for spans in self.traces.traces().values():
                if _fits(spans, since, services, name):
                    return
            time_of_process.sleep(0.1)
        seen = [
            (sorted({span.service for span in spans}), sorted({span.name for span in spans}))
            for spans in self.traces.traces().values()
            if max(span.started_ns for span in spans) > since
        ]
        pytest.fail(f"no trace has {sorted(services)} with {name}; newest: {seen[-5:]}")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the simulator's control API."""
        status, answer = call(method, f"{self.stack.simulator_url}/control{path}", body)
        assert status < 300, answer
        return answer

    def let_minutes_pass(self, minutes: int) -> None:
        """One by one, with a moment for everybody to do what falls due."""
        for _ in range(minutes):
            self.clock.advance(timedelta(minutes=1))
            time_of_process.sleep(0.2)


def _fits(spans: list[ReceivedSpan], since: int, services: set[str], name: str) -> bool:
    is_new = min(span.started_ns for span in spans) > since
    return is_new and services <= {s.service for s in spans} and name in {s.name for s in spans}


@pytest.fixture(scope="session", params=[1, 2], ids=["one replica", "two replicas"])
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    with running_product(tmp_path_factory.mktemp("logs"), replicas=request.param) as running:
        yield running


@contextmanager
def running_product(
    logs: Path, *, replicas: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[Product]:
    """Graded by the simulator's model. `environment` is for all services."""
    traces = TraceReceiver()
    with passing_folder() as folder:
        options = StackOptions(folder, log_folder=logs, replicas=replicas, is_durable=False)
        stack = Stack(options)
        options.environment = {
            **traces.environment,
            "SABATINA_LOG_FORMAT": "json",
            "SABATINA_LOG_LEVEL": "DEBUG",
            "SABATINA_REGISTER_LIMIT": "1000",
            "OPENAI_API_KEY": "simulated-openai-key",
            "OPENAI_BASE_URL": f"{stack.simulator_url}/openai/v1",
            **(environment or {}),
        }
        stack.start()
        try:
            yield Product(stack, traces, logs)
        finally:
            stack.stop()
            traces.close()
