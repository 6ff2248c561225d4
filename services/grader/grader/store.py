"""Every query of the grader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.database import Transaction
from common.events import GradeAnswer
from common.ids import AnswerId, UserId, new_id
from common.telemetry import current_traceparent
from grader.answer_text import without_nul
from grader.examiners import Examination
from grader.feedback import Feedback
from grader.models import Answer, DeletedPerson, Grading


@dataclass(frozen=True)
class Outcome:
    """What became of an answer. `score` and `feedback` are None when it was not gradable."""

    examination: Examination
    score: int | None
    feedback: Feedback | None
    latency: timedelta


@dataclass(frozen=True)
class Waiting:
    """An answer whose message was lost, and the trace that it belongs to."""

    command: GradeAnswer
    traceparent: str | None


MOST_TRIES = 50


class Store:
    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    async def receive(self, command: GradeAnswer, now: datetime) -> bool:
        """Keep the answer if it is new. False when it needs no grading any more."""
        await self._lock_person(command.user_id)
        if await self._is_deleted(command.user_id):
            return False
        values = {
            **command.model_dump(mode="json", include={"question", "inbound"}),
            **command.model_dump(
                include={"user_id", "assignment_id", "language", "level", "streak", "submitted_at"}
            ),
            "id": command.answer_id,
            "question_id": command.question.question_id,
            "question_version": command.question.version,
            "text": without_nul(command.text),
            "state": "received",
            "failed_tries": 0,
            "received_at": now,
            "traceparent": current_traceparent(),
        }
        await self._connection.execute(insert(Answer).values(values).on_conflict_do_nothing())
        query = select(Answer.state).where(Answer.id == command.answer_id)
        return (await self._connection.execute(query)).scalar_one() == "received"

    async def record_failed_try(self, answer_id: AnswerId) -> int:
        """How often the first examiner has failed for this answer; 0 when the answer is gone."""
        statement = (
            update(Answer)
            .where(Answer.id == answer_id)
            .values(failed_tries=Answer.failed_tries + 1)
            .returning(Answer.failed_tries)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() or 0

    async def claim_outcome(self, answer_id: AnswerId, outcome: Outcome) -> bool:
        """True for one caller only, and for none when the person was deleted meanwhile."""
        state = "not_gradable" if outcome.score is None else "graded"
        statement = (
            update(Answer)
            .where(Answer.id == answer_id, Answer.state == "received")
            .values(state=state)
            .returning(Answer.id)
        )
        return (await self._connection.execute(statement)).one_or_none() is not None

    async def record_grading(self, answer_id: AnswerId, outcome: Outcome, now: datetime) -> None:
        found = outcome.examination
        points = [
            {"id": mark.point_id, "verdict": mark.verdict, "quote": mark.quote}
            for mark in found.marks
        ]
        await self._connection.execute(
            insert(Grading).values(
                id=new_id(),
                answer_id=answer_id,
                kind="first",
                examiner=found.examiner,
                model=found.model,
                prompt_version=found.prompt_version,
                score=outcome.score,
                is_gradable=found.is_gradable,
                is_provisional=found.is_provisional,
                points=points,
                feedback=outcome.feedback.model_dump() if outcome.feedback else {},
                tokens_in=found.tokens_in,
                tokens_out=found.tokens_out,
                cost_usd=found.cost_usd,
                latency_ms=round(outcome.latency.total_seconds() * 1000),
                created_at=now,
            )
        )

    async def claim_waiting(self, received_before: datetime, limit: int) -> Sequence[Waiting]:
        """Answers without an outcome. Each claim counts as a try: one that nobody can grade is
        left alone in the end, and never holds up the others."""
        chosen = (
            select(Answer.id)
            .where(
                Answer.state == "received",
                Answer.received_at < received_before,
                Answer.failed_tries < MOST_TRIES,
            )
            .order_by(Answer.failed_tries, Answer.received_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(Answer)
            .where(Answer.id.in_(chosen))
            .values(failed_tries=Answer.failed_tries + 1)
            .returning(*Answer.__table__.columns)
        )
        rows = (await self._connection.execute(statement)).mappings().all()
        return [Waiting(_command_of(row), row["traceparent"]) for row in rows]

    async def delete_person(self, user_id: UserId, now: datetime) -> None:
        await self._lock_person(user_id)
        await self._connection.execute(
            insert(DeletedPerson).values(user_id=user_id, deleted_at=now).on_conflict_do_nothing()
        )
        await self._connection.execute(delete(Answer).where(Answer.user_id == user_id))

    async def _is_deleted(self, user_id: UUID) -> bool:
        query = select(DeletedPerson.user_id).where(DeletedPerson.user_id == user_id)
        return (await self._connection.execute(query)).one_or_none() is not None

    async def _lock_person(self, user_id: UUID) -> None:
        """Until the transaction ends: an answer and its person's deletion exclude each other."""
        key = func.hashtextextended(str(user_id), text("0"))
        await self._connection.execute(select(func.pg_advisory_xact_lock(key)))


def _command_of(row: RowMapping) -> GradeAnswer:
    return GradeAnswer.model_validate(
        {**row, "answer_id": row["id"], "occurred_at": row["received_at"]}
    )
