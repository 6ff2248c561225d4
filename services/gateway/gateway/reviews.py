"""Answers that somebody of ours should look at, and what was decided about them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from common.bus.publisher import Publisher
from common.clock import Clock
from common.events import DecideReview, ListReviews, ReviewPage, ReviewView
from gateway.auth import RequireKey
from gateway.settings import Settings
from gateway.store import AuditLog

ANSWER_WITHIN = 5.0  # seconds
ACTOR = "admin-key"


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    score: Annotated[int, Field(ge=1, le=10)]
    note: Annotated[str, Field(max_length=600)] = ""
    """For the person, in their language."""


def review_routes(
    settings: Settings, publisher: Publisher, clock: Clock, audit: AuditLog
) -> APIRouter:
    router = APIRouter(tags=["reviews"], dependencies=[Depends(RequireKey(settings.admin_key))])

    @router.get("")
    async def list_reviews(
        is_decided: bool = False, limit: Annotated[int, Query(ge=1, le=50)] = 20
    ) -> ReviewPage:
        """The oldest first: the question with its rubric, the answer, and both examinations."""
        return await publisher.query(ListReviews(is_decided=is_decided, limit=limit), ReviewPage)

    @router.post("/{review_id}/decision")
    async def decide_review(review_id: UUID, decision: Decision) -> ReviewView:
        """The score that holds from now on; the person is told it, with the note.

        404 when there is no such review; 409 when it was decided already.
        """
        now = clock.now()
        await audit.record(now, ACTOR, "decide_review", review_id)
        command = DecideReview(
            review_id=review_id,
            occurred_at=now,
            score=decision.score,
            note=decision.note.strip(),
            decided_by=ACTOR,
        )
        return await publisher.ask(command, ReviewView, timeout=ANSWER_WITHIN)

    return router
