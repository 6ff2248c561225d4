"""The values that the rules work on: a learner and an assignment, as they were read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from common.events import Channel, Language, Track, UserState
from common.ids import AnswerId, AssignmentId, UserId

AssignmentKind = Literal["daily", "extra"]
AssignmentState = Literal["open", "answered", "graded", "skipped", "given_up", "expired"]


@dataclass(frozen=True, slots=True)
class Learner:
    """What the scheduler knows of a person: a projection of UserChanged, and their progress."""

    user_id: UserId
    revision: int
    state: UserState
    language: Language
    tracks: Sequence[Track]
    level: int
    timezone: str
    time_of_day: time
    next_due_at: datetime | None = None
    streak: int = 0
    best_streak: int = 0
    last_answered_on: date | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """One question asked of one learner. `number` counts the learner's questions from 1."""

    id: AssignmentId
    user_id: UserId
    question_id: str
    question_version: int
    number: int
    local_date: date
    kind: AssignmentKind
    state: AssignmentState
    created_at: datetime
    announced: bool = False
    shown_at: datetime | None = None
    failed_at: datetime | None = None
    hints_used: int = 0
    answer_id: AnswerId | None = None
    answer_text: str | None = None
    submitted_at: datetime | None = None
    inbound_id: str | None = None
    inbound_at: datetime | None = None
    inbound_channel: Channel = "cloud"
    inbound_number: str = ""
    score: int | None = None
    closed_at: datetime | None = None

    @property
    def is_unseen(self) -> bool:
        """A template announced it, or it never arrived: the person has not read the question."""
        return self.shown_at is None and (self.announced or self.failed_at is not None)
