"""The grader's tables."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Numeric, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.database import metadata_for


class Tables(DeclarativeBase):
    metadata = metadata_for("grader")


class Answer(Tables):
    __tablename__ = "answers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    assignment_id: Mapped[UUID]
    question_id: Mapped[str]
    question_version: Mapped[int]
    question: Mapped[dict[str, object]] = mapped_column(JSONB)
    text: Mapped[str]
    language: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    streak: Mapped[int]
    inbound: Mapped[dict[str, object]] = mapped_column(JSONB)
    state: Mapped[str]
    failed_tries: Mapped[int] = mapped_column(SmallInteger)
    submitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    traceparent: Mapped[str | None]
    corrected_score: Mapped[int | None] = mapped_column(SmallInteger)
    """In place of the first grading's."""
    regrade_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Of a provisional grading: not to be tried again before."""


class Grading(Tables):
    __tablename__ = "gradings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    answer_id: Mapped[UUID] = mapped_column(ForeignKey(Answer.id, ondelete="CASCADE"))
    kind: Mapped[str]
    examiner: Mapped[str]
    model: Mapped[str]
    prompt_version: Mapped[str]
    score: Mapped[int | None] = mapped_column(SmallInteger)
    is_gradable: Mapped[bool]
    is_provisional: Mapped[bool]
    points: Mapped[list[dict[str, object]]] = mapped_column(JSONB)
    feedback: Mapped[dict[str, str]] = mapped_column(JSONB)
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(12, 8))
    latency_ms: Mapped[int]
    is_suspicious: Mapped[bool]
    is_cached: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DeletedPerson(Tables):
    """Keeps an answer that was still under way when the person was deleted from coming back."""

    __tablename__ = "deleted_people"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    deleted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Dispute(Tables):
    """A person's objection to a score: one an answer."""

    __tablename__ = "disputes"

    answer_id: Mapped[UUID] = mapped_column(
        ForeignKey(Answer.id, ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[UUID]
    inbound: Mapped[dict[str, object]] = mapped_column(JSONB)
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None]


class Review(Tables):
    """The queue of answers that people look at, and what they decided."""

    __tablename__ = "reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    answer_id: Mapped[UUID] = mapped_column(ForeignKey(Answer.id, ondelete="CASCADE"))
    reason: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    score: Mapped[int | None] = mapped_column(SmallInteger)
    note: Mapped[str]


class LlmDay(Tables):
    """What the model has cost on one day of UTC; what is reserved for requests under way counts."""

    __tablename__ = "llm_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    examinations: Mapped[int]
    tokens: Mapped[int]
    cost_usd: Mapped[Decimal] = mapped_column(Numeric(14, 8))


class LlmPersonDay(Tables):
    __tablename__ = "llm_person_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    examinations: Mapped[int]


class KnownExamination(Tables):
    """For equal answers. Holds no person and no words of an answer: quotes are offsets."""

    __tablename__ = "known_examinations"

    key: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
