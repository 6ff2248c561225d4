"""The whole product on one machine: servers, schemas, streams, services, simulator."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nats

from common import migrations, provision, topology
from devstack.processes import Program
from devstack.servers import Nats, Postgres, Server, Valkey, free_port

SERVICES = ("gateway", "users", "scheduler", "grader", "messenger")
ROLE_PASSWORD = "local-role"  # noqa: S105
ADMIN_KEY = "simulated-admin-key"
APP_SECRET = "simulated-app-secret"  # noqa: S105
PASSED_ON = ("SABATINA_", "OPENAI_", "OTEL_")
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class StackOptions:
    folder: Path
    gateway_port: int = 0
    simulator_port: int = 0
    replicas: int = 1
    log_folder: Path | None = None
    """Where the output of the programs goes; the terminal when None."""
    is_durable: bool = True
    with_simulator: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = SERVICES


class Stack:
    """Start it, use it, stop it. Every part can be killed and started again on its own."""

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.gateway_port = options.gateway_port or free_port()
        self.simulator_port = options.simulator_port or free_port()
        self.postgres = Postgres(options.folder / "postgres", is_durable=options.is_durable)
        self.nats = Nats(options.folder / "nats")
        self.valkey = Valkey(options.folder / "valkey")
        self.programs: dict[str, Program] = {}
        self.probe_ports: dict[str, int] = {}

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.postgres, self.nats, self.valkey

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"

    def role_url(self, service: str) -> str:
        return self.postgres.url_for(service, ROLE_PASSWORD)

    def start(self) -> None:
        """Returns when everything is ready; stops what it started when something is not."""
        try:
            self.start_servers()
            self.start_programs()
        except BaseException:
            self.stop()
            raise

    def start_servers(self) -> None:
        self.options.folder.mkdir(parents=True, exist_ok=True)
        for server in self.servers:
            server.start()
        passwords = dict.fromkeys(provision.SERVICES, ROLE_PASSWORD)
        provision.create_roles(self.postgres.url, passwords)
        for service in self.options.services:
            migrations.upgrade(service, self.role_url(service))
        asyncio.run(self._apply_topology())

    def start_programs(self) -> None:
        if self.options.with_simulator:
            self._add_simulator()
        for service in self.options.services:
            for replica in range(self.options.replicas):
                self._add_service(service, replica)
        for program in self.programs.values():
            program.start()
        for program in self.programs.values():
            program.wait_ready()

    def of_service(self, service: str) -> list[Program]:
        return [program for program in self.programs.values() if program.module == service]

    def stop(self) -> None:
        for program in self.programs.values():
            program.terminate()
        for program in self.programs.values():
            program.stop()
        for server in self.servers:
            server.stop()

    def _add_simulator(self) -> None:
        environment = self.environment() | {
            "SABATINA_SIMULATOR_PORT": str(self.simulator_port),
            "SABATINA_GATEWAY_URL": self.gateway_url,
            "SABATINA_SIMULATOR_TEMPLATES": str(REPOSITORY / "content" / "templates"),
        }
        url = f"{self.simulator_url}/health"
        self._add(Program("simulator", "simulator", environment, url, log_folder=self._logs))

    def _add_service(self, service: str, replica: int) -> None:
        name = service if self.options.replicas == 1 else f"{service}-{replica + 1}"
        port = self.probe_ports[name] = free_port()
        environment = self.environment() | {
            "SABATINA_POSTGRES_URL": self.role_url(service),
            "SABATINA_PROBE_PORT": str(port),
            "SABATINA_MESSENGER_REPLICAS": str(self.options.replicas),
        }
        url = f"http://127.0.0.1:{port}/readyz"
        self._add(Program(name, service, environment, url, log_folder=self._logs))

    def _add(self, program: Program) -> None:
        self.programs[program.name] = program

    @property
    def _logs(self) -> Path | None:
        return self.options.log_folder

    def environment(self) -> dict[str, str]:
        """The defaults of a simulated number; what the caller has set wins."""
        defaults = {
            "SABATINA_SIMULATION": str(self.options.with_simulator).lower(),
            "SABATINA_NATS_URL": self.nats.url,
            "SABATINA_REDIS_URL": self.valkey.url,
            "SABATINA_PORT": str(self.gateway_port),
            "SABATINA_CONTENT": str(REPOSITORY / "content"),
            "SABATINA_SIMULATOR_URL": self.simulator_url,
            "SABATINA_ADMIN_KEY": ADMIN_KEY,
            "SABATINA_LOG_FORMAT": "console",
        }
        if self.options.with_simulator:
            defaults |= {
                "SABATINA_WHATSAPP_API_URL": f"{self.simulator_url}/v23.0",
                "SABATINA_WHATSAPP_PHONE_NUMBER_ID": "100000000000001",
                "SABATINA_WHATSAPP_ACCESS_TOKEN": "simulated-access-token",
                "SABATINA_WHATSAPP_APP_SECRET": APP_SECRET,
                "SABATINA_WHATSAPP_VERIFY_TOKEN": "simulated-verify-token",
                "SABATINA_WHATSAPP_BUSINESS_ACCOUNT_ID": "100000000000002",
                "SABATINA_WAHA_URL": f"{self.simulator_url}/waha",
                "SABATINA_WAHA_API_KEY": "simulated-waha-key",
                "SABATINA_WAHA_HMAC_KEY": "simulated-waha-hmac-key",
                "SABATINA_WAHA_HUMAN_PACE": "0",
            }
        given = {key: value for key, value in os.environ.items() if key.startswith(PASSED_ON)}
        return {**_basics(), **defaults, **given, **self.options.environment}

    async def _apply_topology(self) -> None:
        connection = await nats.connect(self.nats.url)
        simulation = self.options.with_simulator
        await topology.apply(connection.jetstream(), simulation=simulation)
        await connection.close()


def _basics() -> dict[str, str]:
    """What any program needs, and nothing that could change how ours behave."""
    kept = ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {key: os.environ[key] for key in kept if key in os.environ}
