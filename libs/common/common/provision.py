"""A role and a schema for each service. Run once by whoever holds the administrator's role.

Each role owns its schema, sees no other, and logs in with its own password.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

SERVICES = ("gateway", "users", "scheduler", "grader", "messenger", "jobs")


def create_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create or update a role and a schema for each service in `passwords`."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for service, password in passwords.items():
            _create_role(connection, service, password)


def _create_role(
    connection: psycopg.Connection[tuple[object, ...]], service: str, password: str
) -> None:
    role = sql.Identifier(service)
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [service]).fetchone()
    verb = sql.SQL("ALTER ROLE" if exists else "CREATE ROLE")
    connection.execute(
        sql.SQL("{} {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            verb, role, sql.Literal(password)
        )
    )
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {0} AUTHORIZATION {0}").format(role))
    connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(role))
    connection.execute(sql.SQL("ALTER ROLE {0} SET search_path = {0}").format(role))
