"""The queue of answers to look at, as an operator sees it and decides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from common.bus.publisher import Publisher
from common.database import Database, Transaction
from common.errors import CommandRefused
from common.events import (
    DecideReview,
    ListReviews,
    Query,
    QuestionSnapshot,
    ReviewPage,
    ReviewView,
)
from common.topology import GRADER_DISPUTES
from devstack.pytest_plugin import Migrated

from .conftest import ADMIN_KEY, consuming

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
AT = datetime(2026, 11, 1, tzinfo=UTC)
QUESTION = QuestionSnapshot(
    question_id="q",
    version=1,
    track="dsa",
    level=1,
    topic="stacks",
    language="pt",
    text="O que é uma pilha?",
    points=(),
    reference="LIFO.",
)


@dataclass
class Reviews:
    """The grader, as far as reviews are concerned."""

    views: dict[UUID, ReviewView] = field(default_factory=dict)
    commands: list[DecideReview] = field(default_factory=list)

    def add(self) -> UUID:
        review_id = uuid4()
        self.views[review_id] = ReviewView(
            review_id=review_id,
            reason="dispute",
            question=QUESTION,
            answer="O último a entrar sai primeiro.",
            language="pt",
            score=4,
            examinations=(),
            opened_at=AT,
        )
        return review_id

    async def list(self, query: Query) -> ReviewPage:
        assert isinstance(query, ListReviews)
        found = [v for v in self.views.values() if (v.decided_at is not None) == query.is_decided]
        return ReviewPage(items=tuple(found[: query.limit]))

    async def decide(self, command: DecideReview, _: Transaction) -> ReviewView:
        if command.review_id not in self.views:
            raise CommandRefused("review_not_found", "there is no review with this id")
        found = self.views[command.review_id]
        if found.decided_at is not None:
            raise CommandRefused("review_decided", "this review was decided already")
        self.commands.append(command)
        decided = {"decided_at": command.occurred_at, "decided_score": command.score}
        self.views[command.review_id] = found.model_copy(update=decided)
        return self.views[command.review_id]


@pytest.fixture
async def reviews(publisher: Publisher, database: Database) -> AsyncIterator[Reviews]:
    await publisher.jetstream.purge_stream("ANSWERS")
    stand_in = Reviews()
    await publisher.serve(ListReviews, stand_in.list, group=uuid4().hex)
    async with consuming(GRADER_DISPUTES, {DecideReview: stand_in.decide}, publisher, database):
        yield stand_in


async def test_the_queue_shows_open_reviews_or_decided_ones(
    client: httpx.AsyncClient, reviews: Reviews
) -> None:
    ids = [reviews.add() for _ in range(3)]
    answer = await client.get("/api/v1/reviews", params={"limit": 2}, headers=KEY)
    assert answer.status_code == 200
    assert [item["review_id"] for item in answer.json()["items"]] == [str(i) for i in ids[:2]]
    decided = await client.get("/api/v1/reviews", params={"is_decided": True}, headers=KEY)
    assert decided.json() == {"items": []}


async def test_a_review_is_decided_once_and_the_audit_log_tells_it(
    client: httpx.AsyncClient, reviews: Reviews, migrated: Migrated
) -> None:
    review = reviews.add()
    path = f"/api/v1/reviews/{review}/decision"
    body = {"score": 8, "note": " Faltou um exemplo. "}
    answers = [await client.post(path, json=body, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].json()["decided_score"] == 8
    [command] = reviews.commands
    assert (command.score, command.note) == (8, "Faltou um exemplo.")
    with psycopg.connect(migrated.url("gateway")) as connection:
        rows = connection.execute("SELECT action, target FROM gateway.audit_log").fetchall()
    assert rows == [("decide_review", review), ("decide_review", review)]


async def test_a_review_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, reviews: Reviews
) -> None:
    path = f"/api/v1/reviews/{uuid4()}/decision"
    assert (await client.post(path, json={"score": 8}, headers=KEY)).status_code == 404


@pytest.mark.parametrize("body", [{}, {"score": 0}, {"score": 11}, {"score": 5, "mood": "x"}])
async def test_a_decision_needs_a_score_from_1_to_10(
    client: httpx.AsyncClient, reviews: Reviews, body: dict[str, object]
) -> None:
    path = f"/api/v1/reviews/{reviews.add()}/decision"
    assert (await client.post(path, json=body, headers=KEY)).status_code == 422
    assert reviews.commands == []


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer x"}, 403)])
async def test_reviews_need_the_key(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    path = f"/api/v1/reviews/{uuid4()}/decision"
    for answer in (
        await client.get("/api/v1/reviews", headers=headers),
        await client.post(path, json={"score": 8}, headers=headers),
    ):
        assert answer.status_code == status
