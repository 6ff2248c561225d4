"""Memory of each service when idle, and the time until it is ready."""

import tempfile
import time
from pathlib import Path

from bench.measure import resident_mb
from devstack.stack import Stack, StackOptions

TARGET_MB = 120
TARGET_READY_S = 3.0
SETTLE_S = 3.0


def run() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="sabatina-bench-") as folder:
        Path(folder).chmod(0o755)
        options = StackOptions(folder=Path(folder) / "state", log_folder=Path(folder) / "logs")
        stack = Stack(options)
        stack.start()
        try:
            return _measure(stack)
        finally:
            stack.stop()


def _measure(stack: Stack) -> dict[str, object]:
    services: dict[str, dict[str, float]] = {}
    for service in stack.options.services:
        [program] = stack.of_service(service)
        program.stop()
        started = time.perf_counter()
        program.start()
        program.wait_ready()
        ready = time.perf_counter() - started
        time.sleep(SETTLE_S)
        assert program.process is not None
        services[service] = {
            "resident_mb": round(resident_mb(program.process.pid), 1),
            "ready_s": round(ready, 2),
        }
    return {
        "services": services,
        "target_mb": TARGET_MB,
        "target_ready_s": TARGET_READY_S,
        "ok": all(
            found["resident_mb"] <= TARGET_MB and found["ready_s"] <= TARGET_READY_S
            for found in services.values()
        ),
    }
