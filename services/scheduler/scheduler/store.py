"""Every query about learners and assignments. Those about questions are in `question_store`;
the claim of due ones is in `due`."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common import inbox
from common.connection import Connection
from common.events import InboundRef
from common.ids import AnswerId, AssignmentId, UserId, derived_id
from scheduler.models import AssignmentRow, LearnerRow
from scheduler.planning import History, Streak
from scheduler.practice import Assignment, AssignmentKind, AssignmentState, Learner

SCHEMA = "scheduler"
LEARNER_COLUMNS = [getattr(LearnerRow, field.name) for field in fields(Learner)]
ASSIGNMENT_COLUMNS = [getattr(AssignmentRow, field.name) for field in fields(Assignment)]
CURRENT: tuple[AssignmentState, ...] = ("open", "answered")

LEARNER_FIELDS = ", ".join(f"learner.{field.name}" for field in fields(Learner))
ASSIGNMENT_FIELDS = ", ".join(f"assignment.{field.name}" for field in fields(Assignment))

LOCK_LEARNER = text(
    f"SELECT {LEARNER_FIELDS} FROM scheduler.learners AS learner"  # noqa: S608
    " WHERE user_id = :user_id FOR UPDATE"
)

LOCK_ANSWERED = text(
    f"""
    SELECT {LEARNER_FIELDS}, {ASSIGNMENT_FIELDS}
    FROM scheduler.learners AS learner JOIN scheduler.assignments AS assignment USING (user_id)
    WHERE user_id = :user_id AND assignment.id = :assignment_id
        AND assignment.answer_id = :answer_id
    FOR UPDATE OF learner, assignment
    """  # noqa: S608
)

# "open" comes before "answered".
FIND_CURRENT = text(
    f"""
    SELECT {ASSIGNMENT_FIELDS} FROM scheduler.assignments AS assignment
    WHERE user_id = :user_id AND state IN ('open', 'answered')
    ORDER BY state DESC, created_at DESC LIMIT 1
    """  # noqa: S608
)

RECORD_SUBMISSION = text(
    """
    UPDATE scheduler.assignments SET state = 'answered', answer_id = :answer_id,
        answer_text = :answer_text, submitted_at = :submitted_at, inbound_id = :inbound_id,
        inbound_at = :inbound_at, inbound_channel = :inbound_channel,
        inbound_number = :inbound_number, nudged_at = NULL
    WHERE id = :id
    """
)

RECORD_GRADE = text(
    """
    WITH closed AS (
        UPDATE scheduler.assignments
        SET state = 'graded', score = :score, closed_at = :now, answer_text = NULL
        WHERE id = :assignment_id
    )
    UPDATE scheduler.learners
    SET streak = :streak, best_streak = :best_streak, last_answered_on = :last_on
    WHERE user_id = :user_id
    """
)


def learner_from(row: Sequence[Any]) -> Learner:
    return Learner(*row)


def assignment_from(row: Sequence[Any]) -> Assignment:
    return Assignment(*row)


class LearnerStore:
    """Whoever changes a learner's assignments locks the learner first, the ticker included."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, user_id: UserId) -> Learner | None:
        row = (await self._connection.execute(LOCK_LEARNER, {"user_id": user_id})).one_or_none()
        return learner_from(row) if row else None

    async def save(self, learner: Learner) -> None:
        """Insert, or replace an older revision; progress stays as it is."""
        values = {
            field.name: getattr(learner, field.name)
            for field in fields(learner)
            if field.name not in ("streak", "best_streak", "last_answered_on")
        }
        statement = insert(LearnerRow).values(values)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[LearnerRow.user_id],
                set_={name: statement.excluded[name] for name in values},
                where=LearnerRow.revision < statement.excluded.revision,
            )
        )

    async def record_streak(self, user_id: UserId, streak: Streak) -> None:
        await self._connection.execute(
            update(LearnerRow)
            .where(LearnerRow.user_id == user_id)
            .values(streak=streak.length, best_streak=streak.best, last_answered_on=streak.last_on)
        )

    async def postpone(self, user_id: UserId, until: datetime) -> None:
        await self._connection.execute(
            update(LearnerRow)
            .where(LearnerRow.user_id == user_id, LearnerRow.next_due_at < until)
            .values(next_due_at=until)
        )

    async def forget(self, user_id: UserId, now: datetime) -> None:
        """Only a token remains, made from the id, and only for as long as old news may come."""
        for table in (AssignmentRow, LearnerRow):
            await self._connection.execute(delete(table).where(table.user_id == user_id))
        token = derived_id("deleted", user_id)
        await inbox.record(self._connection, SCHEMA, "scheduler-deleted", [token], now)

    async def is_forgotten(self, user_id: UserId) -> bool:
        query = text(
            "SELECT 1 FROM scheduler.inbox"
            " WHERE consumer = 'scheduler-deleted' AND message_id = :token"
        )
        token = derived_id("deleted", user_id)
        return (await self._connection.execute(query, {"token": token})).first() is not None


class AssignmentStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, assignment_id: AssignmentId, user_id: UserId) -> Assignment | None:
        """None too when the assignment is somebody else's."""
        return await self._find(
            and_(AssignmentRow.id == assignment_id, AssignmentRow.user_id == user_id)
        )

    async def find_current(self, user_id: UserId) -> Assignment | None:
        """The open one; without any, the one whose answer is being graded."""
        row = (await self._connection.execute(FIND_CURRENT, {"user_id": user_id})).one_or_none()
        return assignment_from(row) if row else None

    async def lock_answered(
        self, assignment_id: AssignmentId, answer_id: AnswerId, user_id: UserId
    ) -> tuple[Learner, Assignment] | None:
        """None when either is gone, the assignment is somebody else's, or the answer another."""
        ids = {"assignment_id": assignment_id, "answer_id": answer_id, "user_id": user_id}
        row = (await self._connection.execute(LOCK_ANSWERED, ids)).one_or_none()
        if row is None:
            return None
        width = len(LEARNER_COLUMNS)
        return learner_from(row[:width]), assignment_from(row[width:])

    async def find_last(self, user_id: UserId) -> Assignment | None:
        return await self._find(AssignmentRow.user_id == user_id)

    async def find_last_graded(self, user_id: UserId) -> Assignment | None:
        return await self._find(
            and_(AssignmentRow.user_id == user_id, AssignmentRow.state == "graded")
        )

    async def record_score(
        self, assignment_id: AssignmentId, answer_id: AnswerId, score: int
    ) -> None:
        """Of an answer that was graded before; otherwise nothing changes."""
        await self._connection.execute(
            update(AssignmentRow)
            .where(
                AssignmentRow.id == assignment_id,
                AssignmentRow.answer_id == answer_id,
                AssignmentRow.state == "graded",
            )
            .values(score=score)
        )

    async def _find(self, condition: ColumnElement[bool]) -> Assignment | None:
        query = (
            select(*ASSIGNMENT_COLUMNS)
            .where(condition)
            .order_by(AssignmentRow.created_at.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return assignment_from(row) if row else None

    async def history(self, user_id: UserId) -> History:
        query = (
            select(AssignmentRow.question_id, AssignmentRow.score)
            .where(AssignmentRow.user_id == user_id)
            .order_by(AssignmentRow.created_at)
        )
        rows = (await self._connection.execute(query)).all()
        return History([row.question_id for row in rows], [row.score for row in rows])

    async def count_on(self, user_id: UserId, day: date) -> dict[AssignmentKind, int]:
        query = (
            select(AssignmentRow.kind, func.count().label("total"))
            .where(AssignmentRow.user_id == user_id, AssignmentRow.local_date == day)
            .group_by(AssignmentRow.kind)
        )
        rows = await self._connection.execute(query)
        return {row.kind: row.total for row in rows}

    async def add(self, assignment: Assignment) -> None:
        values = {field.name: getattr(assignment, field.name) for field in fields(assignment)}
        await self._connection.execute(insert(AssignmentRow).values(values))

    async def change(self, assignment_id: AssignmentId, **values: object) -> None:
        await self._connection.execute(
            update(AssignmentRow).where(AssignmentRow.id == assignment_id).values(**values)
        )

    async def ids_of_current(self, user_ids: set[UserId]) -> list[AssignmentId]:
        query = select(AssignmentRow.id).where(
            AssignmentRow.user_id.in_(user_ids), AssignmentRow.state.in_(CURRENT)
        )
        return [AssignmentId(row.id) for row in await self._connection.execute(query)]

    async def change_all(self, ids: set[AssignmentId], **values: object) -> None:
        """Locked in the order of the ids, as by whoever else changes several."""
        if not ids:
            return
        in_order = (
            select(AssignmentRow.id)
            .where(AssignmentRow.id.in_(sorted(ids)))
            .order_by(AssignmentRow.id)
            .with_for_update()
        )
        await self._connection.execute(
            update(AssignmentRow)
            .where(AssignmentRow.id.in_(in_order.scalar_subquery()))
            .values(**values)
        )

    async def record_submission(
        self,
        assignment: Assignment,
        answer: AnswerId,
        said: str,
        inbound: InboundRef,
        now: datetime,
    ) -> Assignment:
        changes: dict[str, Any] = {
            "answer_id": answer,
            "answer_text": said,
            "submitted_at": now,
            "inbound_id": inbound.provider_id,
            "inbound_at": inbound.at,
            "inbound_channel": inbound.channel,
            "inbound_number": inbound.number_id,
        }
        await self._connection.execute(RECORD_SUBMISSION, {"id": assignment.id, **changes})
        return replace(assignment, state="answered", **changes)

    async def record_grade(
        self, assignment: Assignment, score: int, streak: Streak, now: datetime
    ) -> None:
        """Closes the assignment; the text of the answer goes."""
        await self._connection.execute(
            RECORD_GRADE,
            {
                "assignment_id": assignment.id,
                "user_id": assignment.user_id,
                "score": score,
                "now": now,
                "streak": streak.length,
                "best_streak": streak.best,
                "last_on": streak.last_on,
            },
        )

    async def close(
        self, assignment_id: AssignmentId, state: AssignmentState, now: datetime
    ) -> None:
        """The text of an answer is kept only until it is graded."""
        await self.change(assignment_id, state=state, closed_at=now, answer_text=None)

    async def claim_stuck(
        self, now: datetime, patience: timedelta, oldest: timedelta, limit: int
    ) -> list[tuple[Assignment, Learner]]:
        """Those whose grading, or whose question's sending, has had no end for too long."""
        is_patience_over = or_(
            AssignmentRow.nudged_at.is_(None), AssignmentRow.nudged_at < now - patience
        )
        is_ungraded = and_(
            AssignmentRow.state == "answered", AssignmentRow.submitted_at < now - patience
        )
        is_unsent = and_(
            AssignmentRow.state == "open",
            AssignmentRow.shown_at.is_(None),
            AssignmentRow.failed_at.is_(None),
            ~AssignmentRow.announced,
            AssignmentRow.created_at < now - patience,
            AssignmentRow.created_at > now - oldest,
        )
        stuck = (
            select(AssignmentRow.id)
            .where(or_(is_ungraded, is_unsent), is_patience_over)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        nudged = await self._connection.execute(
            update(AssignmentRow)
            .where(AssignmentRow.id.in_(stuck.scalar_subquery()))
            .values(nudged_at=now)
            .returning(*ASSIGNMENT_COLUMNS)
        )
        assignments = [assignment_from(row) for row in nudged]
        learners = await self._learners({a.user_id for a in assignments})
        return [(a, learners[a.user_id]) for a in assignments if a.user_id in learners]

    async def _learners(self, user_ids: set[UserId]) -> dict[UUID, Learner]:
        query = select(*LEARNER_COLUMNS).where(LearnerRow.user_id.in_(user_ids))
        rows = await self._connection.execute(query)
        return {row.user_id: learner_from(row) for row in rows}
