"""A Python program of ours as a child process, its output prefixed or in a file."""

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

COLOURS = (36, 33, 35, 32, 34, 31, 96, 93)
STOP_WITHIN = 25.0  # seconds for a service to finish what it has in hand
_PR_SET_PDEATHSIG = 1


class ProgramDidNotStart(Exception):
    pass


def die_with_parent() -> None:
    """Runs in the child: no server outlives us, even when we are killed.

    The kernel means the thread that started the child: start children from a thread that stays.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Program:
    """`python -m <module>`. `kill` is SIGKILL: what a crash does."""

    def __init__(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        ready_url: str,
        *,
        log_folder: Path | None = None,
    ) -> None:
        self.name = name
        self.module = module
        self.environment = dict(environment)
        self.ready_url = ready_url
        self._log_folder = log_folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self._open_log()
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", self.module],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl call, no locks
        )
        if log is subprocess.PIPE:
            threading.Thread(target=self._echo, daemon=True).start()
        elif not isinstance(log, int):
            log.close()

    def wait_ready(self, within: float = 30.0) -> None:
        """Raises ProgramDidNotStart with the end of its log."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            if self.is_ready():
                return
            time.sleep(0.05)
        raise ProgramDidNotStart(f"{self.name} did not become ready.\n{self.log_tail()}")

    def is_ready(self) -> bool:
        try:
            with urlopen(self.ready_url, timeout=1) as answer:  # noqa: S310  # loopback
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def terminate(self) -> None:
        if self.is_running and self.process is not None:
            self.process.terminate()

    def stop(self) -> None:
        self.terminate()
        if self.process is not None:
            try:
                self.process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()

    def log_tail(self) -> str:
        if self._log_folder is None:
            return ""
        path = self._log_folder / f"{self.name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-20:])

    def _open_log(self) -> "int | IO[bytes]":
        if self._log_folder is None:
            return subprocess.PIPE
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return (self._log_folder / f"{self.name}.log").open("ab")

    def _echo(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        colour = COLOURS[sum(self.name.encode()) % len(COLOURS)]
        prefix = f"{self.name:>10} | "
        if sys.stdout.isatty():
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        for line in self.process.stdout:
            sys.stdout.write(prefix + line.decode(errors="replace"))
            sys.stdout.flush()
