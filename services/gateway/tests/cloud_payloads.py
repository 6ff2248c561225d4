"""What the Cloud API sends, written by hand, and how the tests read it."""

from datetime import UTC, datetime
from typing import Any

from common.events import Message, MessageReceived
from gateway.payloads import messages_in

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
METADATA = {"display_phone_number": "15550001111", "phone_number_id": "42"}
ANA = "5511912345678"


def change(field: str, value: Any) -> dict[str, Any]:
    entry = {"id": "waba-7", "time": 1795340000, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def all_in(body: dict[str, Any]) -> list[Message]:
    return list(messages_in(body, NOW))


def in_conversation(**parts: Any) -> list[Message]:
    return all_in(
        change("messages", {"messaging_product": "whatsapp", "metadata": METADATA} | parts)
    )


def read(people: Any = None, **item: Any) -> MessageReceived:
    whole = {"from": ANA, "id": "wamid.1", "timestamp": "1795340000"} | item
    contacts = {} if people is None else {"contacts": people}
    [found] = in_conversation(messages=[whole], **contacts)
    assert isinstance(found, MessageReceived), found
    return found
