import base64
import secrets
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


class Message(BaseModel):
    """One bubble of a chat. The status is the only thing about it that changes."""

    id: str
    channel: ChannelName = "cloud"
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
    status: DeliveryStatus = DeliveryStatus.ACCEPTED
    error: MessageError | None = None


def new_message_id(wa_id: str, sender: Literal["user", "bot"]) -> str:
    """Shaped as WhatsApp's own ids are: the number and a random part, in base64."""
    direction = b"\x12\x18\x14" if sender == "user" else b"\x11\x18\x14"
    random_part = secrets.token_hex(10).upper().encode()
    number = wa_id.encode()
    raw = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00" + direction
    return "wamid." + base64.b64encode(raw + random_part + b"\x00").decode()
