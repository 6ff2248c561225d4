"""The merges of people, as an operator sees them and takes them back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from common.bus.publisher import Publisher
from common.database import Database, Transaction
from common.errors import CommandRefused
from common.events import ListMerges, MergePage, MergeView, Query, ReverseMerge, UserView
from common.ids import UserId
from common.topology import USERS_COMMANDS
from devstack.pytest_plugin import Migrated

from .conftest import ADMIN_KEY, consuming

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
AT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Merges:
    """The users service, as far as merges are concerned."""

    views: dict[UUID, MergeView] = field(default_factory=dict)

    def add(self) -> UUID:
        loser = UserId(uuid4())
        self.views[loser] = MergeView(
            user_id=loser,
            into=UserId(uuid4()),
            merged_at=AT,
            reversible_until=AT + timedelta(days=30),
        )
        return loser

    async def list(self, query: Query) -> MergePage:
        assert isinstance(query, ListMerges)
        return MergePage(items=tuple(self.views.values())[: query.limit])

    async def reverse(self, command: ReverseMerge, _: Transaction) -> UserView:
        if command.user_id not in self.views:
            raise CommandRefused("user_not_found", "nobody with this id was merged")
        if self.views[command.user_id].reversed_at is not None:
            raise CommandRefused("merge_reversed", "this merge was taken back already")
        found = self.views[command.user_id]
        self.views[command.user_id] = found.model_copy(update={"reversed_at": command.occurred_at})
        return UserView(
            user_id=command.user_id,
            name=None,
            phone=None,
            state="onboarding",
            language="pt",
            preferences=None,
            created_at=AT,
            updated_at=AT,
        )


@pytest.fixture
async def merges(publisher: Publisher, database: Database) -> AsyncIterator[Merges]:
    stand_in = Merges()
    await publisher.serve(ListMerges, stand_in.list, group=uuid4().hex)
    async with consuming(USERS_COMMANDS, {ReverseMerge: stand_in.reverse}, publisher, database):
        yield stand_in


async def test_merges_can_be_listed(client: httpx.AsyncClient, merges: Merges) -> None:
    ids = [merges.add() for _ in range(3)]
    answer = await client.get("/api/v1/merges", params={"limit": 2}, headers=KEY)
    assert answer.status_code == 200
    assert [item["user_id"] for item in answer.json()["items"]] == [str(i) for i in ids[:2]]
    assert answer.json()["items"][0]["reversed_at"] is None


async def test_a_merge_is_taken_back_once_and_the_audit_log_tells_who_did_it(
    client: httpx.AsyncClient, merges: Merges, migrated: Migrated
) -> None:
    loser = merges.add()
    path = f"/api/v1/merges/{loser}/reverse"
    answers = [await client.post(path, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].json()["state"] == "onboarding"
    assert answers[1].headers["content-type"] == "application/problem+json"
    with psycopg.connect(migrated.url("gateway")) as connection:
        rows = connection.execute("SELECT action, target FROM gateway.audit_log").fetchall()
    assert rows == [("reverse_merge", loser), ("reverse_merge", loser)]


async def test_a_merge_that_never_was_is_not_found(
    client: httpx.AsyncClient, merges: Merges
) -> None:
    answer = await client.post(f"/api/v1/merges/{uuid4()}/reverse", headers=KEY)
    assert answer.status_code == 404


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer x"}, 403)])
async def test_merges_need_the_key(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    for answer in (
        await client.get("/api/v1/merges", headers=headers),
        await client.post(f"/api/v1/merges/{uuid4()}/reverse", headers=headers),
    ):
        assert answer.status_code == status
