"""Real servers for the tests, started once a run, on free ports, in a folder of their own."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import nats
import psycopg
import pytest

from common import migrations, provision, topology
from common.database import Database
from devstack.servers import Nats, Postgres, Valkey, passing_folder

ROLE_PASSWORD = "local-role"  # noqa: S105


@dataclass(frozen=True)
class Servers:
    postgres: Postgres
    nats: Nats
    valkey: Valkey

    def role_url(self, service: str) -> str:
        """The URL with which `service` logs in: it sees its own schema only."""
        return self.postgres.url_for(service, ROLE_PASSWORD)

    @contextlib.contextmanager
    def database_at(self, service: str, revision: str) -> Iterator[str]:
        """The URL of a database of its own, with the service's schema as it was at `revision`."""
        name = f"{service}_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.postgres.url, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
            there = self.postgres.url.rsplit("/", 1)[0] + f"/{name}"
            provision.create_roles(there, {service: ROLE_PASSWORD})
            found = self.postgres.url_for(service, ROLE_PASSWORD, name)
            migrations.upgrade(service, found, revision)
            yield found
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Empty servers with roles and schemas, streams and consumers, but no tables."""
    with passing_folder() as folder:
        found = Servers(
            Postgres(folder / "postgres", is_durable=False),
            Nats(folder / "nats"),
            Valkey(folder / "valkey"),
        )
        yield from _running(found)


def _running(found: Servers) -> Iterator[Servers]:
    started = (found.postgres, found.nats, found.valkey)
    try:
        for server in started:
            server.start()
        provision.create_roles(found.postgres.url, dict.fromkeys(provision.SERVICES, ROLE_PASSWORD))
        asyncio.run(_apply_topology(found.nats.url))
        yield found
    finally:
        for server in started:
            server.stop()


async def _apply_topology(url: str) -> None:
    connection = await nats.connect(url)
    await topology.apply(connection.jetstream(), simulation=True)
    await connection.close()


@pytest.fixture(scope="session")
def migrated(servers: Servers) -> "Migrated":
    return Migrated(servers)


class Migrated:
    """Brings a service's schema to its newest revision the first time somebody asks."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._done: set[str] = set()

    def url(self, service: str) -> str:
        url = self.servers.role_url(service)
        if service not in self._done:
            migrations.upgrade(service, url)
            self._done.add(service)
        return url

    def empty(self, service: str) -> None:
        """Remove every row of the service's tables."""
        with psycopg.connect(self.url(service), autocommit=True) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s"
                " AND tablename <> 'alembic_version'",
                [service],
            ).fetchall()
            names = ", ".join(f'{service}."{row[0]}"' for row in tables)
            connection.execute(f"TRUNCATE {names} CASCADE")


@pytest.fixture
async def database(request: pytest.FixtureRequest, migrated: Migrated) -> AsyncIterator[Database]:
    """An empty database of the service whose tests these are (`services/<name>/tests`)."""
    service = _service_of(request)
    url = migrated.url(service)
    migrated.empty(service)
    opened = Database(url, service, pool_size=5)
    yield opened
    await opened.close()


def _service_of(request: pytest.FixtureRequest) -> str:
    parts = request.path.parts
    return parts[parts.index("tests") - 1]


@pytest.fixture
def unique() -> str:
    """A token that no other test uses."""
    return uuid.uuid4().hex[:12]
