"""Bring a service's schema forward. Run as `python -m common.migrations <service> [revision]`.

The URL comes from SABATINA_POSTGRES_URL and logs in as the service's own role.
"""

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url


def upgrade(service: str, url: str, revision: str = "head") -> None:
    """Idempotent. Several at once are safe: the version table's row is locked."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic_environment"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(files(service) / "migrations"))
    config.attributes["schema"] = service
    config.attributes["url"] = make_url(url).set(drivername="postgresql+psycopg")
    command.upgrade(config, revision)


class Executes(Protocol):
    """`alembic.op`, or an Operations object."""

    def execute(self, sqltext: str) -> object: ...


def create_outbox_and_inbox(op: Executes, schema: str) -> None:
    """For a service's first migration. Both are queues: rows go, so vacuum must be eager."""
    op.execute(
        f"""
        CREATE TABLE {schema}.outbox (
            sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message_id uuid NOT NULL,
            subject text NOT NULL,
            traceparent text,
            body bytea NOT NULL
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01,
                autovacuum_vacuum_cost_delay = 0)
        """
    )
    op.execute(
        f"""
        CREATE TABLE {schema}.inbox (
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            received_at timestamptz NOT NULL,
            PRIMARY KEY (consumer, message_id)
        )
        """
    )
    op.execute(f"CREATE INDEX ix_inbox_received_at ON {schema}.inbox USING brin (received_at)")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    upgrade(sys.argv[1], os.environ["SABATINA_POSTGRES_URL"], *sys.argv[2:3])
