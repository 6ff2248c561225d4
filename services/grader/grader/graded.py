"""An answer that has a score, with everything that was found about it so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping, select

from common.connection import Connection
from common.events import ExaminationView, GradeAnswer, InboundRef, PointView
from grader.examiners import ExaminerName
from grader.feedback import Feedback
from grader.models import Answer, Dispute, Grading
from grader.store import command_of

Kind = Literal["first", "regrade", "dispute"]


@dataclass(frozen=True)
class Found:
    """What one examination found."""

    kind: Kind
    examiner: ExaminerName
    model: str
    prompt_version: str
    score: int | None
    points: tuple[PointView, ...]
    feedback: Feedback | None
    at: datetime

    @property
    def view(self) -> ExaminationView:
        return ExaminationView(
            examiner=self.examiner,
            model=self.model,
            prompt_version=self.prompt_version,
            score=self.score,
            points=self.points,
            examined_at=self.at,
        )


@dataclass(frozen=True)
class GradedAnswer:
    command: GradeAnswer
    score: int
    """The one that the person was told last."""
    found: tuple[Found, ...]
    """In the order in which it was found."""
    inbound: InboundRef
    """What a message about it replies to: the person's objection, otherwise the answer."""

    @property
    def in_effect(self) -> Found:
        """What the score rests on: a second opinion changes it only through people."""
        regraded = [one for one in self.found if one.kind == "regrade" and one.score is not None]
        return regraded[0] if regraded else self.first

    @property
    def first(self) -> Found:
        return next(one for one in self.found if one.kind == "first")

    def nearest_to(self, score: int) -> Found:
        scored = [(abs(one.score - score), one.at, one) for one in self.found if one.score]
        return min(scored, key=lambda one: one[:2])[2]


async def find_graded(
    connection: Connection,
    answer_id: UUID,
    *,
    user_id: UUID | None = None,
    for_update: bool = True,
) -> GradedAnswer | None:
    """None when it is gone, has no score, or is not this person's."""
    of_person = () if user_id is None else (Answer.user_id == user_id,)
    query = select(*Answer.__table__.columns).where(
        Answer.id == answer_id, Answer.state == "graded", *of_person
    )
    if for_update:
        query = query.with_for_update()
    answer = (await connection.execute(query)).mappings().one_or_none()
    if answer is None:
        return None
    objection = select(Dispute.inbound).where(Dispute.answer_id == answer_id)
    inbound = (await connection.execute(objection)).scalar_one_or_none()
    return _graded(answer, await _found(connection, answer_id), inbound)


def _graded(answer: RowMapping, found: Sequence[Found], inbound: object) -> GradedAnswer | None:
    first = next((one.score for one in found if one.kind == "first"), None)
    if first is None:
        return None
    return GradedAnswer(
        command=command_of(answer),
        score=answer["corrected_score"] or first,
        found=tuple(found),
        inbound=InboundRef.model_validate(inbound or answer["inbound"]),
    )


async def _found(connection: Connection, answer_id: UUID) -> list[Found]:
    query = (
        select(*Grading.__table__.columns)
        .where(Grading.answer_id == answer_id)
        .order_by(Grading.created_at, Grading.id)
    )
    return [_one_found(row) for row in (await connection.execute(query)).mappings()]


def _one_found(row: RowMapping) -> Found:
    points = [
        PointView(point_id=point["id"], verdict=point["verdict"], quote=point["quote"])
        for point in row["points"]
    ]
    return Found(
        kind=row["kind"],
        examiner=row["examiner"],
        model=row["model"],
        prompt_version=row["prompt_version"],
        score=row["score"],
        points=tuple(points),
        feedback=Feedback.model_validate(row["feedback"]) if row["feedback"] else None,
        at=row["created_at"],
    )
