"""Every query of the grader."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.database import Transaction
from common.events import GradeAnswer
from common.ids import AnswerId, UserId, new_id
from common.telemetry import current_traceparent
from grader.answer_text import without_nul
from grader.models import Answer, DeletedPerson, LlmPersonDay
from grader.outcomes import Outcome


@dataclass(frozen=True)
class Waiting:
    """An answer whose message was lost, and the trace that it belongs to."""

    command: GradeAnswer
    traceparent: str | None


SecondLook = Literal["regrade", "dispute"]
MOST_TRIES = 50

LOCK_PERSON = text("SELECT pg_advisory_xact_lock(hashtextextended(:user_id, 0))")

KEEP_ANSWER = text(
    """
    INSERT INTO grader.answers (id, user_id, assignment_id, question_id, question_version, question,
        text, language, level, streak, inbound, state, failed_tries, submitted_at, received_at,
        traceparent)
    SELECT :id, :user_id, :assignment_id, :question_id, :question_version, :question,
        :text, :language, :level, :streak, :inbound, 'received', 0, :submitted_at, :received_at,
        :traceparent
    WHERE NOT EXISTS (
        SELECT FROM grader.deleted_people WHERE user_id = CAST(:user_id AS uuid))
    ON CONFLICT DO NOTHING RETURNING id
    """
)

IS_WAITING = text("SELECT 1 FROM grader.answers WHERE id = :id AND state = 'received'")

# Claiming and recording are one statement: of two examinations, the one that claims is kept.
RECORD_GRADING = text(
    """
    WITH claimed AS (
        UPDATE grader.answers SET state = :state
        WHERE id = :answer_id AND state = 'received' RETURNING id
    )
    INSERT INTO grader.gradings (id, answer_id, kind, examiner, model, prompt_version, score,
        is_gradable, is_provisional, is_suspicious, is_cached, points, feedback, tokens_in,
        tokens_out, cost_usd, latency_ms, created_at)
    SELECT :id, id, 'first', :examiner, :model, :prompt_version, :score,
        :is_gradable, :is_provisional, :is_suspicious, :is_cached, :points, :feedback, :tokens_in,
        :tokens_out, :cost_usd, :latency_ms, :created_at
    FROM claimed RETURNING id
    """
)

RECORD_SECOND = text(
    """
    INSERT INTO grader.gradings (id, answer_id, kind, examiner, model, prompt_version, score,
        is_gradable, is_provisional, is_suspicious, is_cached, points, feedback, tokens_in,
        tokens_out, cost_usd, latency_ms, created_at)
    SELECT :id, id, :kind, :examiner, :model, :prompt_version, :score,
        :is_gradable, :is_provisional, :is_suspicious, :is_cached, :points, :feedback, :tokens_in,
        :tokens_out, :cost_usd, :latency_ms, :created_at
    FROM grader.answers WHERE id = :answer_id
    ON CONFLICT DO NOTHING RETURNING id
    """
)


class Store:
    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    async def receive(self, command: GradeAnswer, now: datetime) -> bool:
        """Keep the answer if it is new. False when it needs no grading any more."""
        await self._lock_person(command.user_id)
        question = command.question
        values = {
            "id": command.answer_id,
            "user_id": command.user_id,
            "assignment_id": command.assignment_id,
            "question_id": question.question_id,
            "question_version": question.version,
            "question": question.model_dump_json(),
            "text": without_nul(command.text),
            "language": command.language,
            "level": command.level,
            "streak": command.streak,
            "inbound": command.inbound.model_dump_json(),
            "submitted_at": command.submitted_at,
            "received_at": now,
            "traceparent": current_traceparent(),
        }
        if (await self._connection.execute(KEEP_ANSWER, values)).first() is not None:
            return True
        known = await self._connection.execute(IS_WAITING, {"id": command.answer_id})
        return known.first() is not None

    async def record_failed_try(self, answer_id: AnswerId) -> int:
        """How often the first examiner has failed for this answer; 0 when the answer is gone."""
        statement = (
            update(Answer)
            .where(Answer.id == answer_id)
            .values(failed_tries=Answer.failed_tries + 1)
            .returning(Answer.failed_tries)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() or 0

    async def record_grading(self, answer_id: AnswerId, outcome: Outcome, now: datetime) -> bool:
        """True for one caller only, and for none when the person was deleted meanwhile."""
        state = "not_gradable" if outcome.score is None else "graded"
        values = _grading_values(answer_id, outcome, now) | {"state": state}
        return (await self._connection.execute(RECORD_GRADING, values)).first() is not None

    async def record_second(
        self, answer_id: AnswerId, kind: SecondLook, outcome: Outcome, now: datetime
    ) -> bool:
        """False when there is one of this kind already, or the answer is gone."""
        values = _grading_values(answer_id, outcome, now) | {"kind": kind}
        return (await self._connection.execute(RECORD_SECOND, values)).first() is not None

    async def correct_score(self, answer_id: AnswerId, score: int) -> None:
        await self._connection.execute(
            update(Answer).where(Answer.id == answer_id).values(corrected_score=score)
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
        return [Waiting(command_of(row), row["traceparent"]) for row in rows]

    async def delete_person(self, user_id: UserId, now: datetime) -> None:
        await self._lock_person(user_id)
        await self._connection.execute(
            insert(DeletedPerson).values(user_id=user_id, deleted_at=now).on_conflict_do_nothing()
        )
        for table in (Answer, LlmPersonDay):
            await self._connection.execute(delete(table).where(table.user_id == user_id))

    async def _lock_person(self, user_id: UUID) -> None:
        """Until the transaction ends: an answer and its person's deletion exclude each other."""
        await self._connection.execute(LOCK_PERSON, {"user_id": str(user_id)})


def command_of(row: RowMapping) -> GradeAnswer:
    return GradeAnswer.model_validate(
        {**row, "answer_id": row["id"], "occurred_at": row["received_at"]}
    )


def _grading_values(answer_id: AnswerId, outcome: Outcome, now: datetime) -> dict[str, object]:
    found = outcome.examination
    points = [
        {"id": mark.point_id, "verdict": mark.verdict, "quote": mark.quote} for mark in found.marks
    ]
    return {
        "id": new_id(),
        "answer_id": answer_id,
        "examiner": found.examiner,
        "model": found.model,
        "prompt_version": found.prompt_version,
        "score": outcome.score,
        "is_gradable": found.is_gradable,
        "is_provisional": found.is_provisional,
        "is_suspicious": outcome.is_suspicious,
        "is_cached": found.is_cached,
        "points": json.dumps(points),
        "feedback": outcome.feedback.model_dump_json() if outcome.feedback else "{}",
        "tokens_in": found.tokens_in,
        "tokens_out": found.tokens_out,
        "cost_usd": found.cost_usd,
        "latency_ms": round(outcome.latency.total_seconds() * 1000),
        "created_at": now,
    }
