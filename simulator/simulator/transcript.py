from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

ChannelName = Literal["cloud", "waha"]


class DeliveryStatus(StrEnum):
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"

    def may_become(self, later: "DeliveryStatus") -> bool:
        return self is not DeliveryStatus.FAILED and _RANK[later] > _RANK[self]


_RANK = {status: rank for rank, status in enumerate(DeliveryStatus)}


class Option(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    description: str | None = None
    section: str | None = None


class MessageError(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: int
    title: str


class Media(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str | None = None
    link: str | None = None
    filename: str | None = None
    mime_type: str | None = None
    voice: bool | None = None


class Message(BaseModel):
    """One bubble of a chat. Edits, revocations and reactions are bubbles that quote another."""

    id: str
    channel: ChannelName = "cloud"
    chat_id: str | None = None
    """WAHA: the name under which our number knows this chat."""
    sender: Literal["user", "bot"] = Field(
        validation_alias=AliasChoices("sender", "from"), serialization_alias="from"
    )
    type: str
    text: str = ""
    header: str | None = None
    footer: str | None = None
    options: tuple[Option, ...] = ()
    interactive: Literal["button", "list"] | None = None
    menu: str | None = None
    template: str | None = None
    media: Media | None = None
    quote: str | None = None
    at: datetime
    is_edited: bool | None = None
    is_revoked: bool | None = None
    status: DeliveryStatus = DeliveryStatus.ACCEPTED
    error: MessageError | None = None
