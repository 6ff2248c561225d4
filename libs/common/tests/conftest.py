from collections.abc import AsyncIterator

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from common.database import Database
from common.migrations import create_outbox_and_inbox
from devstack.pytest_plugin import Servers


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
