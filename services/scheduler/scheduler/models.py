"""The tables of the schema `scheduler`. The migrations create them, with their indexes."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Text, Time
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.database import metadata_for

Instant = DateTime(timezone=True)


class Tables(DeclarativeBase):
    metadata = metadata_for("scheduler")


class QuestionRow(Tables):
    __tablename__ = "questions"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    track: Mapped[str]
    level: Mapped[int]
    topic: Mapped[str]
    minutes: Mapped[int]
    status: Mapped[str]
    status_at: Mapped[datetime] = mapped_column(Instant)
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    """For the last time; None: it was never asked."""
    origin: Mapped[str]
    is_withdrawn: Mapped[bool] = mapped_column(default=False)
    """Retired by somebody: the packs do not bring it back."""
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(Instant)


class LearnerRow(Tables):
    __tablename__ = "learners"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int]
    state: Mapped[str]
    language: Mapped[str]
    tracks: Mapped[list[str]] = mapped_column(ARRAY(Text))
    level: Mapped[int]
    timezone: Mapped[str]
    time_of_day: Mapped[time] = mapped_column(Time)
    next_due_at: Mapped[datetime | None] = mapped_column(Instant)
    streak: Mapped[int]
    best_streak: Mapped[int]
    last_answered_on: Mapped[date | None] = mapped_column(Date)


class AssignmentRow(Tables):
    __tablename__ = "assignments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    question_id: Mapped[str]
    question_version: Mapped[int]
    number: Mapped[int]
    local_date: Mapped[date] = mapped_column(Date)
    kind: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    announced: Mapped[bool]
    shown_at: Mapped[datetime | None] = mapped_column(Instant)
    failed_at: Mapped[datetime | None] = mapped_column(Instant)
    hints_used: Mapped[int]
    answer_id: Mapped[UUID | None]
    answer_text: Mapped[str | None]
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    inbound_id: Mapped[str | None]
    inbound_at: Mapped[datetime | None] = mapped_column(Instant)
    inbound_channel: Mapped[str] = mapped_column(default="cloud")
    inbound_number: Mapped[str] = mapped_column(default="")
    score: Mapped[int | None]
    disputed_at: Mapped[datetime | None] = mapped_column(Instant)
    nudged_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
