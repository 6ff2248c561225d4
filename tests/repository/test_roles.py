"""Each service's role sees its own schema and no other."""

import psycopg
import pytest

from common.provision import SERVICES
from devstack.pytest_plugin import Migrated, Servers

OWNERS = tuple(name for name in SERVICES if name != "jobs")


@pytest.mark.parametrize("role", OWNERS)
@pytest.mark.parametrize("schema", OWNERS)
def test_a_role_is_refused_on_every_schema_but_its_own(
    migrated: Migrated, role: str, schema: str
) -> None:
    migrated.url(schema)
    with psycopg.connect(migrated.url(role), autocommit=True) as connection:
        if role == schema:
            connection.execute(f"SELECT count(*) FROM {schema}.outbox")
            return
        for statement in (
            f"SELECT count(*) FROM {schema}.outbox",
            f"INSERT INTO {schema}.inbox VALUES ('x', gen_random_uuid(), now())",
            f"CREATE TABLE {schema}.intruder (id int)",
            f"DROP TABLE {schema}.outbox",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("role", OWNERS)
def test_a_role_can_neither_read_public_nor_create_anything_global(
    migrated: Migrated, role: str
) -> None:
    with psycopg.connect(migrated.url(role), autocommit=True) as connection:
        for statement in (
            "CREATE TABLE public.intruder (id int)",
            "CREATE SCHEMA intruder",
            "CREATE ROLE intruder",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_wrong_password_is_refused(servers: Servers) -> None:
    wrong = servers.postgres.url_for("users", "simulated-guess")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(wrong)


@pytest.mark.parametrize("service", OWNERS)
def test_migrations_run_again_without_harm(migrated: Migrated, service: str) -> None:
    from common import migrations

    url = migrated.url(service)
    migrations.upgrade(service, url)
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {service}.alembic_version").fetchone()
    assert row == (1,)
