import re
import zlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Quality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN"]
Category = Literal["UTILITY", "MARKETING", "AUTHENTICATION"]


class TemplateStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"
    IN_APPEAL = "IN_APPEAL"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    LOCKED = "LOCKED"
    PENDING_DELETION = "PENDING_DELETION"
    DELETED = "DELETED"


class Translation(BaseModel):
    model_config = ConfigDict(frozen=True)

    body: str
    header: str | None = None
    footer: str | None = None
    buttons: tuple[str, ...] = ()

    @field_validator("buttons", mode="before")
    @classmethod
    def titles_only(cls, buttons: Sequence[object]) -> list[object]:
        return [b["text"] if isinstance(b, dict) and "text" in b else b for b in buttons or ()]

    @property
    def is_named(self) -> bool:
        """Placeholders are numbers or names; Meta does not mix them."""
        return any(not name.isdigit() for name in PLACEHOLDER.findall(self.body))


class TemplateRecord(BaseModel):
    """One template in one language, which is what Meta moderates."""

    model_config = ConfigDict(frozen=True)

    name: str
    language: str
    category: Category = "UTILITY"
    translation: Translation
    status: TemplateStatus = TemplateStatus.APPROVED
    quality: Quality = "UNKNOWN"
    rated_at: datetime | None = None
    reason: str = "NONE"
    edited_at: tuple[datetime, ...] = ()

    @property
    def id(self) -> str:
        """The same template has the same id in every run."""
        return str(10**14 + zlib.crc32(f"{self.name}/{self.language}".encode()))
