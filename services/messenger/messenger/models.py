from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.database import metadata_for


class Tables(DeclarativeBase):
    metadata = metadata_for("messenger")
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, str]: JSONB,
    }


class Contact(Tables):
    """A deleted person's row stays, with nothing in it but the fact: late news is ignored."""

    __tablename__ = "contacts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int]
    state: Mapped[str]
    language: Mapped[str]
    channel: Mapped[str]
    address: Mapped[str | None]
    name: Mapped[str | None]
    last_inbound_at: Mapped[datetime | None]
    last_inbound_number: Mapped[str | None]
    hold_until: Mapped[datetime | None]
    strikes: Mapped[int] = mapped_column(default=0)
    no_daily_until: Mapped[datetime | None]
    undelivered_days: Mapped[int] = mapped_column(default=0)
    undelivered_on: Mapped[date | None]
    learned_names: Mapped[str | None]
    chat_id: Mapped[str | None]
    chat_for: Mapped[str | None]
    lid_asked_at: Mapped[datetime | None]


class Message(Tables):
    __tablename__ = "messages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(default="cloud")
    kind: Mapped[str]
    purpose: Mapped[str]
    priority: Mapped[int]
    values: Mapped[dict[str, str]]
    attachment: Mapped[dict[str, str] | None]
    inbound_provider_id: Mapped[str | None]
    inbound_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    state: Mapped[str]
    not_before: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    waits: Mapped[int] = mapped_column(default=0)
    resends: Mapped[int] = mapped_column(default=0)
    traceparent: Mapped[str | None]
    provider_id: Mapped[str | None]
    refused_provider_id: Mapped[str | None]
    is_template: Mapped[bool] = mapped_column(default=False)
    must_be_template: Mapped[bool] = mapped_column(default=False)
    is_forgotten: Mapped[bool] = mapped_column(default=False)
    is_fallback_language: Mapped[bool] = mapped_column(default=False)
    template: Mapped[str | None]
    held_for: Mapped[str | None]
    error_code: Mapped[int | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    sending_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


class Attempt(Tables):
    __tablename__ = "attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error_code: Mapped[int | None]
    http_status: Mapped[int | None]


class Pause(Tables):
    """A row means that nothing of this scope leaves from this number."""

    __tablename__ = "pauses"

    number_id: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime]
    error_code: Mapped[int | None]
    probe_at: Mapped[datetime | None]
    probes: Mapped[int] = mapped_column(default=0)
    first_pause: Mapped[timedelta]
    longest_pause: Mapped[timedelta]


class ConversationStart(Tables):
    """When somebody was last reached outside their window."""

    __tablename__ = "conversation_starts"

    number_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    reached_at: Mapped[datetime]


class Limit(Tables):
    """What WhatsApp told of how many people may be reached in a day."""

    __tablename__ = "limits"

    channel: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str | None]
    told_at: Mapped[datetime | None]
    steady_since: Mapped[datetime]


class WahaSession(Tables):
    __tablename__ = "waha_sessions"

    session: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="UNKNOWN")
    first_working_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    unanswered_since: Mapped[datetime | None]
    mended_at: Mapped[datetime | None]
    mendings: Mapped[int] = mapped_column(default=0)
    read_until: Mapped[datetime | None]
    fetched_until: Mapped[datetime | None]
    supervisor: Mapped[UUID | None]
    supervised_until: Mapped[datetime | None]


class Outreach(Tables):
    """When the next message may leave, where WhatsApp watches for machines."""

    __tablename__ = "outreach"

    number_id: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    next_proactive_at: Mapped[datetime]


class Notice(Tables):
    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    field: Mapped[str]
    original: Mapped[str]
    received_at: Mapped[datetime]


class Template(Tables):
    """One translation; an empty status means that nobody has told it."""

    __tablename__ = "templates"

    name: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    category: Mapped[str | None]
    quality: Mapped[str | None]
    reason: Mapped[str | None]
    updated_at: Mapped[datetime]


class EarlyStatus(Tables):
    """Came before we knew which message it is about."""

    __tablename__ = "early_statuses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[str]
    tracker: Mapped[UUID | None]
    status: Mapped[str]
    status_at: Mapped[datetime]
    error_code: Mapped[int | None]
    received_at: Mapped[datetime]
