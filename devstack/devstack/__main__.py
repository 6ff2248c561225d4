"""`python -m devstack [--state FOLDER] [--port N] [--simulator-port N]`: what `make run` runs."""

import argparse
import fcntl
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO

from devstack.processes import ProgramDidNotStart
from devstack.servers import PortTaken, ServerDidNotStart, require_free
from devstack.stack import ADMIN_KEY, Stack, StackOptions

BANNER = """
  Sabatina is ready ({seconds:.1f} s).

    Phone page    {simulator}
    Start page    {gateway}/
    API           {gateway}/docs   admin key: {key}
    PostgreSQL    {postgres}
    NATS          {nats}
    Redis         {redis}
    Metrics       {metrics}
    Grader        {grader}

  Register:  curl {gateway}/api/users/register -H 'Content-Type: application/json' -d '{{
               "name": "Ana", "phone": "+5511987654321", "language": "pt", "tracks": ["python"],
               "level": 1, "timezone": "America/Sao_Paulo", "time": "09:00", "consent": true}}'
  Or just write to the bot on the phone page.
  Ctrl-C stops; the state stays in {state} until `make reset`.
"""


class AlreadyRunning(Exception):
    pass


def main() -> int:
    arguments = _arguments()
    try:
        lock = _lock(arguments.state)
        stack = _stack(arguments)
        _run(stack, arguments.state)
        lock.close()
    except (AlreadyRunning, PortTaken, ServerDidNotStart, ProgramDidNotStart) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="devstack", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".sabatina"))
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--simulator-port", type=int, default=8090)
    return parser.parse_args()


def _lock(state: Path) -> IO[str]:
    state.mkdir(parents=True, exist_ok=True)
    file = (state / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise AlreadyRunning(f"Sabatina already runs on {state}; stop that one first.") from error
    return file


def _stack(arguments: argparse.Namespace) -> Stack:
    with_simulator = "SABATINA_WHATSAPP_API_URL" not in os.environ
    options = StackOptions(
        folder=arguments.state.resolve(),
        gateway_port=require_free(arguments.port, "PORT"),
        with_simulator=with_simulator,
        environment={
            "SABATINA_SIMULATOR_STATE": str(arguments.state.resolve() / "simulator.json"),
            "SABATINA_LOG_COLORS": str(sys.stdout.isatty()).lower(),
        },
    )
    if with_simulator:
        options.simulator_port = require_free(arguments.simulator_port, "SIMULATOR_PORT")
    return Stack(options)


def _run(stack: Stack, state: Path) -> None:
    started = time.monotonic()
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    stack.start()
    (state / "nats.url").write_text(stack.nats.url)
    try:
        print(_banner(stack, state, time.monotonic() - started), flush=True)
        while not stop.wait(1.0):
            _report_deaths(stack)
    finally:
        print("\n  Stopping ...", flush=True)
        stack.stop()


def _report_deaths(stack: Stack) -> None:
    for program in stack.programs.values():
        if not program.is_running:
            print(f"  {program.name} has ended; starting it again", flush=True)
            program.start()


def _banner(stack: Stack, state: Path, seconds: float) -> str:
    probes = stack.probe_ports.items()
    has_key = bool(os.environ.get("OPENAI_API_KEY"))
    return BANNER.format(
        seconds=seconds,
        simulator=_phone_page(stack),
        gateway=stack.gateway_url,
        key="your SABATINA_ADMIN_KEY" if "SABATINA_ADMIN_KEY" in os.environ else ADMIN_KEY,
        postgres=stack.postgres.url,
        nats=stack.nats.url,
        redis=stack.valkey.url,
        metrics=", ".join(f"{name} http://127.0.0.1:{port}/metrics" for name, port in probes),
        grader="OpenAI-compatible" if has_key else "local (set OPENAI_API_KEY for a model)",
        state=state,
    )


def _phone_page(stack: Stack) -> str:
    if not stack.options.with_simulator:
        return "none: a real number is connected"
    return f"{stack.simulator_url}/     be the WhatsApp user; its clock travels in time"


if __name__ == "__main__":
    sys.exit(main())
