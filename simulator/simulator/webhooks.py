"""The bodies that WhatsApp posts to a business."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import SerializeAsAny

from simulator.inbound import ErrorData, InboundMessage, Problem
from simulator.meanings import meaning_of
from simulator.phones import Phone
from simulator.quirks import Quirks
from simulator.transcript import DeliveryStatus
from simulator.wire import Wire


class Metadata(Wire):
    display_phone_number: str
    phone_number_id: str


class Profile(Wire):
    name: str
    username: str | None = None


class Contact(Wire):
    profile: Profile
    wa_id: str | None = None
    user_id: str | None = None


class Pricing(Wire):
    billable: bool
    pricing_model: Literal["PMP", "CBP"] = "PMP"
    category: str
    type: Literal["regular", "free_customer_service"] | None = None


class Origin(Wire):
    type: str


class Conversation(Wire):
    id: str
    origin: Origin


class Status(Wire):
    id: str
    status: DeliveryStatus
    timestamp: str
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    conversation: Conversation | None = None
    pricing: Pricing | None = None
    errors: list[Problem] | None = None
    biz_opaque_callback_data: str | None = None


class Value(Wire):
    messaging_product: Literal["whatsapp"] = "whatsapp"
    metadata: Metadata
    contacts: list[Contact] | None = None
    messages: list[InboundMessage] | None = None
    statuses: list[Status] | None = None
    errors: list[Problem] | None = None


class Change(Wire):
    value: SerializeAsAny[Wire]
    field: str = "messages"


class Entry(Wire):
    id: str
    time: int | None = None
    changes: list[Change]


class Envelope(Wire):
    object: Literal["whatsapp_business_account"] = "whatsapp_business_account"
    entry: list[Entry]

    def to_bytes(self) -> bytes:
        """Non-ASCII leaves as \\uXXXX, as Meta escapes it before signing."""
        text = self.model_dump_json(by_alias=True, exclude_none=True, ensure_ascii=True)
        return text.encode("ascii")


@dataclass(slots=True)
class Account:
    """The business number, as webhooks name it, and how they are written at the moment."""

    business_account_id: str
    metadata: Metadata
    quirks: Quirks = field(default_factory=Quirks)

    def with_message(self, phone: Phone, message: InboundMessage) -> Value:
        is_system = message.system is not None
        contacts = None if is_system or not self.quirks.contacts else [self.contact(phone)]
        return Value(metadata=self.metadata, contacts=contacts, messages=[message])

    def with_status(self, phone: Phone, status: Status) -> Value:
        has_contacts = self.quirks.contacts and self.quirks.user_ids
        contacts = [self.contact(phone)] if has_contacts else None
        return Value(metadata=self.metadata, contacts=contacts, statuses=[status])

    def contact(self, phone: Phone) -> Contact:
        return Contact(
            profile=Profile(name=phone.name, username=phone.username),
            wa_id=phone.shown_wa_id,
            user_id=self.user_id_of(phone),
        )

    def user_id_of(self, phone: Phone) -> str | None:
        """Without a number there is nothing else to name the person by."""
        return phone.user_id if self.quirks.user_ids or phone.hides_number else None

    def timestamp(self, at: datetime) -> str:
        scale = 1000 if self.quirks.millisecond_timestamps else 1
        return str(int(at.timestamp() * scale))

    def problem(self, code: int) -> Problem:
        made = problem(code)
        match self.quirks.error_data:
            case "absent":
                return made.model_copy(update={"error_data": None})
            case "string":
                return made.model_copy(update={"error_data": meaning_of(code).details})
            case _:
                return made

    def envelope(self, changes: list[Change], at: datetime) -> Envelope:
        is_notice = any(change.field != "messages" for change in changes)
        time = int(at.timestamp()) if is_notice else None
        return Envelope(entry=[Entry(id=self.business_account_id, time=time, changes=changes)])


def problem(code: int) -> Problem:
    meaning = meaning_of(code)
    return Problem(
        code=code,
        title=meaning.title,
        message=meaning.title,
        error_data=ErrorData(details=meaning.details or meaning.title),
    )
