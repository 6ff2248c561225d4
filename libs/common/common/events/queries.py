"""Short reads between services: core request/reply, no effect, no history."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from common.events.base import Language, Value
from common.events.people import Preferences, UserState
from common.events.practice import QuestionSnapshot
from common.ids import UserId


class Query(Value):
    subject: ClassVar[str]


class UserView(Value):
    user_id: UserId
    name: str | None
    phone: str | None
    state: UserState
    language: Language
    preferences: Preferences | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class GetUser(Query):
    subject: ClassVar[str] = "user.get"

    user_id: UserId


class ListUsers(Query):
    subject: ClassVar[str] = "user.list"

    state: UserState | None = None
    after: UserId | None = None
    limit: int = 50


class UserPage(Value):
    items: tuple[UserView, ...]
    next_after: UserId | None


class MergeView(Value):
    user_id: UserId
    into: UserId
    merged_at: AwareDatetime
    reversible_until: AwareDatetime
    reversed_at: AwareDatetime | None = None


class ListMerges(Query):
    subject: ClassVar[str] = "merge.list"

    limit: int = 50


class MergePage(Value):
    """Newest first."""

    items: tuple[MergeView, ...]


class PointView(Value):
    point_id: str
    verdict: str
    quote: str


class ExaminationView(Value):
    """What one examiner found."""

    examiner: str
    model: str
    prompt_version: str
    score: int | None
    points: tuple[PointView, ...]
    examined_at: AwareDatetime


ReviewReason = Literal["dispute", "evidence"]
"""The person questioned the score and two examiners differ; or the evidence was thin."""


class ReviewView(Value):
    """An answer that somebody of ours should look at. It does not tell who wrote it."""

    review_id: UUID
    reason: ReviewReason
    question: QuestionSnapshot
    answer: str
    language: Language
    score: int
    """The one that the person was told last."""
    examinations: tuple[ExaminationView, ...]
    """In the order in which they were made."""
    opened_at: AwareDatetime
    decided_at: AwareDatetime | None = None
    decided_score: int | None = None
    decided_by: str | None = None


class ListReviews(Query):
    subject: ClassVar[str] = "review.list"

    is_decided: bool = False
    limit: int = 20


class ReviewPage(Value):
    """Oldest first."""

    items: tuple[ReviewView, ...]
