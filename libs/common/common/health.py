"""Probes and metrics, served from a thread: they answer, and tell, when the event loop is stuck."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from common import metrics

FROZEN_AFTER = 5.0  # seconds without a turn of the event loop


class Health:
    """The state that the probes show. `beat` is called by the event loop, the rest by threads."""

    def __init__(self) -> None:
        self._beat_at = time.monotonic()
        self.problems: tuple[str, ...] = ("starting",)
        self.has_started = False
        self.is_draining = False

    def beat(self, lag: float) -> None:
        self._beat_at = time.monotonic()
        metrics.LOOP_LAG.set(lag)

    def report(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        self.has_started = self.has_started or not problems

    @property
    def is_alive(self) -> bool:
        return time.monotonic() - self._beat_at < FROZEN_AFTER

    @property
    def is_ready(self) -> bool:
        return self.is_alive and not self.problems and not self.is_draining

    def describe(self) -> str:
        if not self.is_alive:
            return "event loop frozen"
        if self.is_draining:
            return "draining"
        return ", ".join(self.problems) or "ok"


class ProbeServer:
    """`/livez` looks at the process only, `/readyz` at its servers too. Close it last."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(health))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, daemon=True, name="probes"
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    checks: dict[str, Callable[[], bool]] = {
        "/livez": lambda: health.is_alive,
        "/health": lambda: health.is_alive,
        "/readyz": lambda: health.is_ready,
        "/startupz": lambda: health.has_started,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0].rstrip("/")
            if path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
            elif path in checks:
                code = 200 if checks[path]() else 503
                self._answer(code, health.describe().encode(), "text/plain; charset=utf-8")
            else:
                self._answer(404, b"not found", "text/plain; charset=utf-8")

        def _answer(self, code: int, body: bytes, content_type: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    return Handler
