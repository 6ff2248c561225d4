"""What WAHA sends, written by hand, and how the tests read it."""

from datetime import UTC, datetime
from typing import Any

from common.events import Message, MessageReceived
from common.waha import events_in, message_in

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SENT = 1795340000
ANA, ANA_HIDDEN = "5511912345678@c.us", "70011122233344@lid"


def payload(**changes: Any) -> dict[str, Any]:
    """A text of Ana's, as the `message` event holds it."""
    return {
        "id": f"false_{ANA}_3EB0A1",
        "timestamp": SENT,
        "from": ANA,
        "fromMe": False,
        "source": "app",
        "to": "5511900000000@c.us",
        "body": "a list keeps order",
        "hasMedia": False,
        "media": None,
        "replyTo": None,
        "_data": {"pushName": "Ana"},
    } | changes


def raw(**message: Any) -> dict[str, Any]:
    """A message without a body: all that is said lies in the engine's own form."""
    return payload(body=None, _data={"message": message})


def go(**message: Any) -> dict[str, Any]:
    """The same of the engine that is written in Go."""
    return payload(body=None, _data={"Info": {"PushName": "Ana"}, "Message": message})


def event(name: str, content: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_01",
        "timestamp": SENT * 1000 + 500,
        "event": name,
        "session": "default",
        "payload": content,
    } | changes


def read(content: Any) -> MessageReceived:
    found = message_in(content, session="default", now=NOW)
    assert isinstance(found, MessageReceived)
    return found


def all_of(whole: Any) -> list[Message]:
    return list(events_in(whole, session="default", now=NOW))


def one(whole: Any) -> Any:
    [found] = all_of(whole)
    return found
