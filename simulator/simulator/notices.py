"""Webhooks about the account, its number and its templates, and about a person's wishes."""

from typing import Literal

from pydantic import JsonValue, model_serializer

from simulator.phones import Phone
from simulator.template_records import Category, Quality, TemplateRecord
from simulator.webhooks import Account, Contact, Metadata
from simulator.wire import Wire

TemplateEvent = Literal[
    "APPROVED",
    "REJECTED",
    "PAUSED",
    "DISABLED",
    "FLAGGED",
    "REINSTATED",
    "PENDING",
    "ARCHIVED",
    "UNARCHIVED",
    "LOCKED",
    "LIMIT_EXCEEDED",
    "PENDING_DELETION",
    "DELETED",
    "IN_APPEAL",
]


class AnyValue(Wire):
    """Whatever Meta may send under a field that the simulator does not know."""

    content: dict[str, JsonValue]

    @model_serializer
    def as_it_is(self) -> dict[str, JsonValue]:
        return self.content


class _AboutTemplate(Wire):
    message_template_id: int
    message_template_name: str
    message_template_language: str


class OtherInfo(Wire):
    title: str
    description: str


class TemplateStatusUpdate(_AboutTemplate):
    event: TemplateEvent
    reason: str
    message_template_category: Category
    other_info: OtherInfo | None = None


class TemplateQualityUpdate(_AboutTemplate):
    previous_quality_score: Quality
    new_quality_score: Quality


class TemplateCategoryUpdate(_AboutTemplate):
    previous_category: Category
    new_category: Category


class PhoneQualityUpdate(Wire):
    display_phone_number: str
    event: str
    current_limit: str


class CapabilityUpdate(Wire):
    max_daily_conversations_per_business: str
    max_phone_numbers_per_business: int = 25


class AccountUpdate(Wire):
    event: str


class Preference(Wire):
    wa_id: str | None
    user_id: str | None
    detail: str
    category: Literal["marketing_messages"] = "marketing_messages"
    value: Literal["stop", "resume"]
    timestamp: int


class PreferenceValue(Wire):
    messaging_product: Literal["whatsapp"] = "whatsapp"
    metadata: Metadata
    contacts: list[Contact]
    user_preferences: list[Preference]


def preference(account: Account, phone: Phone, timestamp: int) -> PreferenceValue:
    value: Literal["stop", "resume"] = "resume" if phone.wants_marketing else "stop"
    wish = Preference(
        wa_id=phone.shown_wa_id,
        user_id=account.user_id_of(phone),
        detail=f"User requested to {value} marketing messages",
        value=value,
        timestamp=timestamp,
    )
    contacts = [account.contact(phone)]
    return PreferenceValue(metadata=account.metadata, contacts=contacts, user_preferences=[wish])


def about(record: TemplateRecord) -> dict[str, int | str]:
    return {
        "message_template_id": int(record.id),
        "message_template_name": record.name,
        "message_template_language": record.language,
    }
