import time
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from common import health
from common.health import Health, ProbeServer


@pytest.fixture
def state() -> Health:
    return Health()


@pytest.fixture
def probes(state: Health) -> Iterator[ProbeServer]:
    server = ProbeServer(state, "127.0.0.1", 0)
    yield server
    server.close()


def ask(probes: ProbeServer, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{probes.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_starting_service_lives_but_is_not_ready(probes: ProbeServer) -> None:
    assert ask(probes, "/livez") == (200, "starting")
    assert ask(probes, "/health/")[0] == 200
    assert ask(probes, "/readyz")[0] == 503
    assert ask(probes, "/startupz")[0] == 503


def test_a_lost_server_makes_it_unready_and_says_which(state: Health, probes: ProbeServer) -> None:
    state.report(())
    assert ask(probes, "/readyz") == (200, "ok")
    state.report(("NATS is away",))
    assert ask(probes, "/readyz") == (503, "NATS is away")
    assert ask(probes, "/livez")[0] == 200
    assert ask(probes, "/startupz")[0] == 200


def test_a_frozen_loop_is_noticed_by_the_thread(
    state: Health, probes: ProbeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.report(())
    monkeypatch.setattr(health, "FROZEN_AFTER", 0.05)
    time.sleep(0.1)
    assert ask(probes, "/livez") == (503, "event loop frozen")
    state.beat(0.0)
    assert ask(probes, "/livez")[0] == 200


def test_a_draining_service_takes_no_more(state: Health, probes: ProbeServer) -> None:
    state.report(())
    state.is_draining = True
    assert ask(probes, "/readyz") == (503, "draining")
    assert ask(probes, "/livez")[0] == 200


def test_metrics_are_served_and_the_rest_is_not_found(probes: ProbeServer) -> None:
    assert "sabatina_event_loop_lag_seconds" in ask(probes, "/metrics")[1]
    assert ask(probes, "/etc/passwd")[0] == 404
