"""Every query about objections, and about answers that people look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.database import Transaction
from common.events import DecideReview, DisputeGrade, ReviewReason
from common.ids import AnswerId, new_id
from grader.answer_text import without_nul
from grader.models import Dispute, Review

Ending = Literal["kept", "in_review"]

OPEN_REVIEW = text(
    """
    INSERT INTO grader.reviews (id, answer_id, reason, opened_at)
    SELECT :id, id, :reason, :now FROM grader.answers WHERE id = :answer_id
    ON CONFLICT DO NOTHING
    """
)


@dataclass(frozen=True)
class ReviewRow:
    id: UUID
    answer_id: AnswerId
    reason: ReviewReason
    opened_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    score: int | None


class ReviewStore:
    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    async def open(self, answer_id: AnswerId, reason: ReviewReason, now: datetime) -> None:
        """One at a time for an answer."""
        values = {"id": new_id(), "answer_id": answer_id, "reason": reason, "now": now}
        await self._connection.execute(OPEN_REVIEW, values)

    async def is_open(self, answer_id: AnswerId) -> bool:
        query = select(Review.id).where(Review.answer_id == answer_id, Review.decided_at.is_(None))
        return (await self._connection.execute(query)).first() is not None

    async def find(self, review_id: UUID) -> ReviewRow | None:
        query = select(*Review.__table__.columns).where(Review.id == review_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _review(row) if row is not None else None

    async def page(self, *, is_decided: bool, limit: int) -> Sequence[ReviewRow]:
        state = Review.decided_at.is_not(None) if is_decided else Review.decided_at.is_(None)
        query = select(*Review.__table__.columns).where(state).order_by(Review.opened_at)
        return [
            _review(row) for row in (await self._connection.execute(query.limit(limit))).mappings()
        ]

    async def decide(self, command: DecideReview, now: datetime) -> ReviewRow | None:
        """None when it was decided before."""
        statement = (
            update(Review)
            .where(Review.id == command.review_id, Review.decided_at.is_(None))
            .values(
                decided_at=now,
                decided_by=command.decided_by,
                score=command.score,
                note=without_nul(command.note),
            )
            .returning(*Review.__table__.columns)
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _review(row) if row is not None else None

    async def raise_dispute(self, command: DisputeGrade, now: datetime) -> bool:
        """Whether there is something to do: not when it was raised before by another message, or
        has had its end."""
        row = {
            "answer_id": command.answer_id,
            "message_id": command.message_id,
            "inbound": command.inbound.model_dump(mode="json"),
            "raised_at": now,
        }
        await self._connection.execute(insert(Dispute).values(row).on_conflict_do_nothing())
        return await self.ending_of(command) == "none"

    async def ending_of(self, command: DisputeGrade) -> Ending | Literal["none", "another's"]:
        query = select(Dispute.message_id, Dispute.outcome).where(
            Dispute.answer_id == command.answer_id
        )
        found = (await self._connection.execute(query)).one_or_none()
        if found is None or found.message_id != command.message_id:
            return "another's"
        ending: Ending | None = found.outcome
        return ending or "none"

    async def end_dispute(self, answer_id: AnswerId, ending: Ending) -> bool:
        """True for one caller only, and for none when the person was deleted meanwhile."""
        statement = (
            update(Dispute)
            .where(Dispute.answer_id == answer_id, Dispute.outcome.is_(None))
            .values(outcome=ending)
            .returning(Dispute.answer_id)
        )
        return (await self._connection.execute(statement)).first() is not None


def _review(row: RowMapping) -> ReviewRow:
    return ReviewRow(
        id=row["id"],
        answer_id=AnswerId(row["answer_id"]),
        reason=row["reason"],
        opened_at=row["opened_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        score=row["score"],
    )
