from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from common.database import metadata_for


class Tables(DeclarativeBase):
    metadata = metadata_for("gateway")


class AuditEntry(Tables):
    """Who did what to whom, through the admin API."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[UUID]
