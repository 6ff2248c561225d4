"""A database with people in it is brought forward, as on a running system."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from common import migrations
from common.database import Database
from devstack.pytest_plugin import Servers

from .conftest import ANA, Town, intent, said

BEFORE = "0001"


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    """As it was before people could be merged."""
    with servers.database_at("users", BEFORE) as found:
        yield found


def fill(url: str) -> UUID:
    user_id = uuid4()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO users (id, state, language, created_at, updated_at, revision, name,"
            " tracks, level, timezone, time_of_day, channel, address, consented_at)"
            " VALUES (%s, 'active', 'pt', now(), now(), 6, 'Ana', '{python}', 2,"
            " 'America/Sao_Paulo', '09:00', 'cloud', %s, now())",
            [user_id, ANA],
        )
        connection.execute(
            "INSERT INTO identities (id, user_id, kind_group, kind, value, canonical, since)"
            " VALUES (%s, %s, 'number', 'wa_id', %s, %s, now())",
            [uuid4(), user_id, ANA, ANA],
        )
    return user_id


async def test_people_of_the_version_before_go_on_as_they_were(url: str) -> None:
    user_id = fill(url)
    migrations.upgrade("users", url)
    migrations.upgrade("users", url)
    database = Database(url, "users", pool_size=2)
    town = Town(database)
    news = await town.hear("menu", scoped="BR.1")
    assert (said(news), intent(news)) == (["menu"], "menu")
    stranger = await town.hear("oi", wa_id=None, lid="1@lid", chat="1@lid", channel="waha")
    assert said(stranger) == ["welcome"]
    await town.hear("menu", lid="1@lid", chat="1@lid", channel="waha")
    states = await town.query("SELECT state FROM users.users ORDER BY state")
    assert states == [("active",), ("merged",)]
    assert await town.query("SELECT DISTINCT user_id FROM users.identities") == [(user_id,)]
    await database.close()


async def test_the_version_before_can_still_write_its_rows(url: str) -> None:
    """While replicas are replaced one by one."""
    migrations.upgrade("users", url)
    fill(url)
