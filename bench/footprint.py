"""Memory of each service when idle, and the time until it is ready."""

import time

from bench.measure import resident_mb, running_stack
from devstack.stack import Stack

TARGET_MB = 120
TARGET_READY_S = 3.0
SETTLE_S = 3.0


def run() -> dict[str, object]:
    with running_stack() as stack:
        return _measure(stack)


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
