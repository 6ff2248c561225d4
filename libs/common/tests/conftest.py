from collections.abc import AsyncIterator

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from common.bus.publisher import Publisher, connect
from common.database import Database
from common.migrations import create_outbox_and_inbox
from common.topology import Stream
from devstack.pytest_plugin import Servers

from .rig import DoThing, Rig, ThingHappened


@pytest.fixture
async def common_database(servers: Servers) -> AsyncIterator[Database]:
    """A schema that holds only what every service has."""
    with psycopg.connect(servers.postgres.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS common CASCADE")
        connection.execute("CREATE SCHEMA common")
    engine = create_engine(make_url(servers.postgres.url).set(drivername="postgresql+psycopg"))
    with engine.begin() as synchronous:
        create_outbox_and_inbox(Operations(MigrationContext.configure(synchronous)), "common")
    engine.dispose()
    opened = Database(servers.postgres.url, "common", pool_size=10)
    yield opened
    await opened.close()


@pytest.fixture
async def publisher(servers: Servers) -> AsyncIterator[Publisher]:
    connected = await connect(
        servers.nats.url, "test", on_reconnect=lambda: None, on_closed=lambda: None
    )
    yield connected
    await connected.client.close()


@pytest.fixture
async def stream(publisher: Publisher) -> AsyncIterator[Stream]:
    declared = Stream("THINGS", (ThingHappened, DoThing), is_work_queue=True)
    await publisher.jetstream.add_stream(declared.config(1))
    await publisher.jetstream.purge_stream("DEAD_LETTERS")
    yield declared
    await publisher.jetstream.delete_stream("THINGS")


@pytest.fixture
async def rig(publisher: Publisher, common_database: Database, stream: Stream) -> Rig:
    return Rig(publisher, common_database)
