from datetime import datetime
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


class Channel(Tables):
    """A row means that all sending from this number is paused."""

    __tablename__ = "channels"

    number_id: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime]
    error_code: Mapped[int]
    probe_at: Mapped[datetime]
    probes: Mapped[int] = mapped_column(default=0)


class Notice(Tables):
    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    field: Mapped[str]
    original: Mapped[str]
    received_at: Mapped[datetime]


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
