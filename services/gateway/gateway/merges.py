"""People who were taken for one: what happened in the last weeks, and the way back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from common.bus.publisher import Publisher
from common.clock import Clock
from common.events import ListMerges, MergePage, ReverseMerge, UserView
from common.ids import UserId
from gateway.auth import RequireKey
from gateway.settings import Settings
from gateway.store import AuditLog

ANSWER_WITHIN = 5.0  # seconds
SOURCE = "admin"


def merge_routes(
    settings: Settings, publisher: Publisher, clock: Clock, audit: AuditLog
) -> APIRouter:
    router = APIRouter(tags=["merges"], dependencies=[Depends(RequireKey(settings.admin_key))])

    @router.get("")
    async def list_merges(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> MergePage:
        """The newest first."""
        return await publisher.query(ListMerges(limit=limit), MergePage)

    @router.post("/{user_id}/reverse")
    async def reverse_merge(user_id: UUID) -> UserView:
        """Bring back the person with this id, who was taken for somebody else by mistake.

        404 when nobody with this id was merged; 409 when it was taken back already, or when more
        than 30 days have passed.
        """
        now = clock.now()
        await audit.record(now, "admin-key", "reverse_merge", user_id)
        command = ReverseMerge(user_id=UserId(user_id), occurred_at=now, source=SOURCE)
        return await publisher.ask(command, UserView, timeout=ANSWER_WITHIN)

    return router
