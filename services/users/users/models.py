"""The tables of the schema `users`. The outbox and the inbox are described in `common`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text, Uuid

from common.database import metadata_for

Instant = TIMESTAMP(timezone=True)


class Tables(DeclarativeBase):
    metadata = metadata_for("users")


class User(Tables):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    revision: Mapped[int]
    name: Mapped[str | None] = mapped_column(Text)
    tracks: Mapped[list[str]] = mapped_column(ARRAY(Text))
    level: Mapped[int | None]
    timezone: Mapped[str | None] = mapped_column(Text)
    time_of_day: Mapped[str | None] = mapped_column(Text)
    paused_until: Mapped[datetime | None] = mapped_column(Instant)
    channel: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    consented_at: Mapped[datetime | None] = mapped_column(Instant)
    last_confirmation_at: Mapped[datetime | None] = mapped_column(Instant)
    last_still_stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    paused_by: Mapped[str | None] = mapped_column(Text)
    preference_at: Mapped[datetime | None] = mapped_column(Instant)
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("users.users.id"))


class Identity(Tables):
    __tablename__ = "identities"
    __table_args__ = (
        Index(
            "uq_identities_current",
            "kind_group",
            "canonical",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    kind_group: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    canonical: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class Merge(Tables):
    """People taken for one. The ids stay; the snapshot goes once nothing can be taken back."""

    __tablename__ = "merges"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    loser: Mapped[UUID] = mapped_column(Uuid)
    winner: Mapped[UUID] = mapped_column(Uuid)
    source: Mapped[str] = mapped_column(Text)
    merged_at: Mapped[datetime] = mapped_column(Instant)
    reversible_until: Mapped[datetime] = mapped_column(Instant)
    reversed_at: Mapped[datetime | None] = mapped_column(Instant)
    reversed_by: Mapped[str | None] = mapped_column(Text)
    snapshot: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))


class ConsentRow(Tables):
    __tablename__ = "consents"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    purpose: Mapped[str] = mapped_column(Text)
    is_granted: Mapped[bool]
    version: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    source_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(Instant)


class DialogueRow(Tables):
    __tablename__ = "dialogues"

    user_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    step: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, str]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = mapped_column(Instant)


class OpenQuestion(Tables):
    """Closed ones stay for a while: their assignment may be told of after their end."""

    __tablename__ = "open_questions"

    assignment_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    assigned_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)


class BlockedSignup(Tables):
    """Numbers whose owner said "not me", as keyless hashes, for as long as the form may not
    send them another confirmation."""

    __tablename__ = "blocked_signups"

    number_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    until: Mapped[datetime] = mapped_column(Instant)
