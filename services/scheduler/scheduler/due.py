"""The daily wave: sets of learners in, sets of assignments out. No statement is for one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import text

from common.connection import Connection
from common.events import Language, Track
from common.ids import AssignmentId, UserId
from scheduler.planning import MAX_LATENESS, Candidate, History, Streak

# Claiming and advancing are one statement. The date of the time that comes next tells the date
# of the last one, so that an outage of three days brings one question and not three.
CLAIM = text(
    """
    WITH due AS (
        SELECT user_id, next_due_at AS due_at FROM scheduler.learners
        WHERE next_due_at <= :now ORDER BY next_due_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), advanced AS (
        UPDATE scheduler.learners AS learner
        SET next_due_at = scheduler.next_occurrence(:now, time_of_day, timezone)
        FROM due WHERE learner.user_id = due.user_id
        RETURNING learner.user_id, language, tracks, level, streak, best_streak, last_answered_on,
            due.due_at, time_of_day, timezone,
            (next_due_at AT TIME ZONE timezone)::date - 1 AS slot_on,
            (CAST(:now AS timestamptz) AT TIME ZONE timezone)::date AS today
    )
    SELECT user_id, language, tracks, level, streak, best_streak, last_answered_on, due_at,
        slot_on, today, (slot_on + time_of_day) AT TIME ZONE timezone AS slot_at,
        (slot_on + 1)::timestamp AT TIME ZONE timezone AS day_ends_at
    FROM advanced
    """
)

HISTORIES = text(
    """
    SELECT wanted.user_id, bool_or(kind = 'daily' AND local_date = slot_on) AS is_asked,
        array_agg(question_id ORDER BY created_at) AS question_ids,
        array_agg(score ORDER BY created_at) AS scores
    FROM unnest(CAST(:users AS uuid[]), CAST(:days AS date[])) AS wanted (user_id, slot_on)
    JOIN scheduler.assignments USING (user_id)
    GROUP BY wanted.user_id
    """
)

# Locked in the order of the ids, as by whoever else changes several.
EXPIRE = text(
    """
    WITH closing AS (
        SELECT id FROM scheduler.assignments
        WHERE user_id = ANY(CAST(:users AS uuid[])) AND state = 'open' ORDER BY id FOR UPDATE)
    UPDATE scheduler.assignments AS a SET state = 'expired', closed_at = :now
    FROM closing WHERE a.id = closing.id RETURNING a.id, a.user_id
    """
)

INSERT = text(
    """
    INSERT INTO scheduler.assignments
        (id, user_id, question_id, question_version, number, local_date, kind, state, created_at)
    SELECT *, 'daily', 'open', CAST(:now AS timestamptz) FROM unnest(
        CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:questions AS text[]),
        CAST(:versions AS integer[]), CAST(:numbers AS integer[]), CAST(:days AS date[]))
    ON CONFLICT DO NOTHING RETURNING id
    """
)


class DueLearner(NamedTuple):
    """A learner whose time has come; the columns of CLAIM, in order."""

    user_id: UserId
    language: Language
    tracks: Sequence[Track]
    level: int
    streak: int
    best_streak: int
    last_answered_on: date | None
    due_at: datetime
    slot_on: date
    today: date
    slot_at: datetime
    day_ends_at: datetime

    def is_too_late(self, now: datetime) -> bool:
        """The local day is over, or it would be night."""
        return self.slot_on < self.today or now - self.slot_at > MAX_LATENESS

    @property
    def current_streak(self) -> int:
        return Streak(self.streak, self.best_streak, self.last_answered_on).as_of(self.today)


class Past(NamedTuple):
    is_asked: bool
    history: History


@dataclass(frozen=True, slots=True)
class DailyAssignment:
    id: AssignmentId
    learner: DueLearner
    question: Candidate
    number: int


class DueStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, now: datetime, limit: int) -> list[DueLearner]:
        """Each due learner goes to one caller, and is due again at their next time."""
        rows = await self._connection.execute(CLAIM, {"now": now, "limit": limit})
        return [DueLearner(*row) for row in rows]

    async def pasts(self, learners: Sequence[DueLearner]) -> dict[UserId, Past]:
        """Nothing for those who were never asked."""
        rows = await self._connection.execute(
            HISTORIES,
            {
                "users": [learner.user_id for learner in learners],
                "days": [learner.slot_on for learner in learners],
            },
        )
        return {user: Past(asked, History(ids, scores)) for user, asked, ids, scores in rows}

    async def expire_open(
        self, user_ids: Sequence[UserId], now: datetime
    ) -> list[tuple[AssignmentId, UserId]]:
        rows = await self._connection.execute(EXPIRE, {"users": list(user_ids), "now": now})
        return [(row.id, row.user_id) for row in rows]

    async def add(self, assignments: Sequence[DailyAssignment], now: datetime) -> set[AssignmentId]:
        """Returns those that are there now: the unique key lets one a date through."""
        rows = await self._connection.execute(
            INSERT,
            {
                "now": now,
                "ids": [assignment.id for assignment in assignments],
                "users": [assignment.learner.user_id for assignment in assignments],
                "questions": [assignment.question.id for assignment in assignments],
                "versions": [assignment.question.version for assignment in assignments],
                "numbers": [assignment.number for assignment in assignments],
                "days": [assignment.learner.slot_on for assignment in assignments],
            },
        )
        return {row.id for row in rows}
