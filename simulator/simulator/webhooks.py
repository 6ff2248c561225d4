"""The bodies that WhatsApp posts to a business."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.cloud_errors import HELP, meaning_of
from simulator.phones import Phone
from simulator.transcript import DeliveryStatus


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class Metadata(Wire):
    display_phone_number: str
    phone_number_id: str


class Profile(Wire):
    name: str


class Contact(Wire):
    profile: Profile
    wa_id: str


class Context(Wire):
    sender: str = Field(serialization_alias="from")
    id: str


class Text(Wire):
    body: str


class Button(Wire):
    payload: str
    text: str


class Choice(Wire):
    id: str
    title: str
    description: str | None = None


class Interactive(Wire):
    type: Literal["button_reply", "list_reply"]
    button_reply: Choice | None = None
    list_reply: Choice | None = None


class Media(Wire):
    id: str
    mime_type: str
    sha256: str
    caption: str | None = None
    voice: bool | None = None
    animated: bool | None = None


class Location(Wire):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Reaction(Wire):
    message_id: str
    emoji: str | None = None


class ErrorData(Wire):
    details: str


class Problem(Wire):
    code: int
    title: str
    message: str
    error_data: ErrorData
    href: str = HELP


class InboundMessage(Wire):
    context: Context | None = None
    sender: str = Field(serialization_alias="from")
    id: str
    timestamp: str
    type: str
    text: Text | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    audio: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    reaction: Reaction | None = None
    errors: list[Problem] | None = None


class Pricing(Wire):
    billable: bool
    pricing_model: Literal["PMP"] = "PMP"
    category: str
    type: Literal["regular", "free_customer_service"]


class Status(Wire):
    id: str
    status: DeliveryStatus
    timestamp: str
    recipient_id: str
    pricing: Pricing | None = None
    errors: list[Problem] | None = None
    biz_opaque_callback_data: str | None = None


class Value(Wire):
    messaging_product: Literal["whatsapp"] = "whatsapp"
    metadata: Metadata
    contacts: list[Contact] | None = None
    messages: list[InboundMessage] | None = None
    statuses: list[Status] | None = None


class Change(Wire):
    value: Value
    field: Literal["messages"] = "messages"


class Entry(Wire):
    id: str
    changes: list[Change]


class Envelope(Wire):
    object: Literal["whatsapp_business_account"] = "whatsapp_business_account"
    entry: list[Entry]

    def to_bytes(self) -> bytes:
        """Non-ASCII leaves as \\uXXXX, as Meta escapes it before signing."""
        text = self.model_dump_json(by_alias=True, exclude_none=True, ensure_ascii=True)
        return text.encode("ascii")


class Account(Wire):
    """The business number, as webhooks name it."""

    business_account_id: str
    metadata: Metadata

    def with_message(self, phone: Phone, message: InboundMessage) -> Value:
        contact = Contact(profile=Profile(name=phone.name), wa_id=phone.wa_id)
        return Value(metadata=self.metadata, contacts=[contact], messages=[message])

    def with_status(self, status: Status) -> Value:
        return Value(metadata=self.metadata, statuses=[status])

    def envelope(self, values: list[Value]) -> Envelope:
        changes = [Change(value=value) for value in values]
        return Envelope(entry=[Entry(id=self.business_account_id, changes=changes)])


def unix_seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def problem(code: int) -> Problem:
    meaning = meaning_of(code)
    return Problem(
        code=code,
        title=meaning.title,
        message=meaning.title,
        error_data=ErrorData(details=meaning.details),
    )
