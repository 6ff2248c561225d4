"""Payloads that others recorded or documented, when a folder of them stands beside this one."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from common.events import (
    Message,
    MessageReceived,
    NoticeReceived,
    PreferenceReceived,
    StatusReceived,
)
from devstack.reference import WEBHOOKS

from .conftest import Door

FOUND = {path.stem: json.loads(path.read_text()) for path in sorted(WEBHOOKS.glob("*.json"))}
CLOUD = {name: body for name, body in FOUND.items() if "entry" in body}
WAHA = {name: body for name, body in FOUND.items() if "event" in body}

KINDS = {"interactive": "choice", "voice": "audio"}
FILES = {"image", "video", "audio", "document", "sticker"}
REACTIONS = {
    "message_ack_read": ["status read"],
    "message_ack_device": ["status delivered"],
    "message_any_from_api": [],
    "message_any_from_me_phone": [],
    "message_any_same_id": [],
    "message_group": [],
    "message_lid_sender_with_alt": ["message text"],
    "message_media_null": ["message document"],
    "message_reaction": ["message reaction"],
    "message_reply_to": ["message text"],
    "message_text": ["message text"],
    "message_voice_media": ["message audio"],
    "session_status_failed": ["notice session.status"],
    "session_status_scan_qr": ["notice session.status"],
    "session_status_working": ["notice session.status"],
}
"""What becomes of each of WAHA's, by the table in docs/whatsapp.md."""

pytestmark = pytest.mark.skipif(not FOUND, reason="no recorded payloads beside the repository")


def changes_in(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in body["entry"]:
        yield from entry["changes"]


def items_of(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [item for change in changes_in(body) for item in change["value"].get(key, [])]


def other_fields_of(body: dict[str, Any]) -> list[str]:
    conversation = {"messages", "user_preferences"}
    return [change["field"] for change in changes_in(body) if change["field"] not in conversation]


def with_own_ids(body: dict[str, Any], token: str) -> dict[str, Any]:
    """NATS stores an id once in ten minutes, and some recordings share theirs."""
    copied: dict[str, Any] = json.loads(json.dumps(body))
    for key in ("messages", "statuses"):
        for item in items_of(copied, key):
            item["id"] = f"{token}.{item['id']}"
    for item in items_of(copied, "user_preferences"):
        item["user_id"] = f"BR.{token}"
        item["wa_id"] = None
    for entry in copied["entry"]:
        entry["id"] = token
    return copied


def with_own_waha_ids(event: dict[str, Any], token: str) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(event))
    copied["id"] = f"evt_{token}"
    payload = copied["payload"]
    if "id" in payload:
        side, chat, rest = payload["id"].split("_", 2)
        payload["id"] = f"{side}_{chat}_{token}{rest}"
    if "reaction" in payload:
        payload["reaction"]["messageId"] += token
    return copied


def described(message: Message) -> str:
    if isinstance(message, MessageReceived):
        return f"message {message.kind}"
    if isinstance(message, StatusReceived):
        return f"status {message.status}"
    if isinstance(message, PreferenceReceived):
        return f"preference {message.is_wanted}"
    assert isinstance(message, NoticeReceived)
    return f"notice {message.field}"


def expected_of(body: dict[str, Any]) -> list[str]:
    kinds = [KINDS.get(item["type"], item["type"]) for item in items_of(body, "messages")]
    return [
        *(f"message {kind}" for kind in kinds),
        *(f"status {item['status']}" for item in items_of(body, "statuses")),
        *(f"preference {x['value'] == 'resume'}" for x in items_of(body, "user_preferences")),
        *(f"notice {field}" for field in other_fields_of(body)),
    ]


@pytest.mark.parametrize("name", CLOUD)
async def test_a_recorded_cloud_payload_gets_its_reaction(
    door: Door, name: str, unique: str
) -> None:
    body = with_own_ids(CLOUD[name], unique)
    assert (await door.post(body)).status_code == 200
    published = await door.published()
    assert sorted(map(described, published)) == sorted(expected_of(body))
    for message in published:
        if not isinstance(message, MessageReceived):
            continue
        assert message.sender.key
        assert message.kind not in {"choice", "button"} or message.choice_id or message.text
        assert (message.media is not None) == (message.kind in FILES)
        assert (message.target_id is not None) == (message.kind == "reaction")
        assert (message.became is not None) == (message.kind == "system")


async def test_all_of_the_cloud_in_one_shuffled_body_twice_are_stored_once(
    door: Door, unique: str
) -> None:
    bodies = [with_own_ids(body, f"{unique}.{n}") for n, body in enumerate(CLOUD.values())]
    entries = [entry for body in bodies for entry in body["entry"]]
    expected = sorted(each for body in bodies for each in expected_of(body))
    dice = random.Random(7)
    for _ in range(2):
        dice.shuffle(entries)
        batch = {"object": "whatsapp_business_account", "entry": entries}
        assert (await door.post(batch)).status_code == 200
        assert sorted(map(described, await door.published())) == expected


@pytest.mark.parametrize("name", WAHA)
async def test_a_recorded_waha_payload_gets_its_reaction(
    door: Door, name: str, unique: str
) -> None:
    event = with_own_waha_ids(WAHA[name], unique)
    assert (await door.post_waha(event)).status_code == 200
    published = await door.published()
    assert [described(each) for each in published] == REACTIONS[name.split("__")[1]]
    for message in published:
        if isinstance(message, MessageReceived):
            assert message.sender.wa_id == "5511999990000"
            assert message.chat_id
            assert unique in message.provider_id


async def test_all_of_waha_shuffled_and_twice_are_stored_once(door: Door, unique: str) -> None:
    events = [
        with_own_waha_ids(event, f"{unique}{number}") for number, event in enumerate(WAHA.values())
    ]
    expected = sorted(each for name in WAHA for each in REACTIONS[name.split("__")[1]])
    dice = random.Random(7)
    for _ in range(2):
        dice.shuffle(events)
        for event in events:
            assert (await door.post_waha(event)).status_code == 200
        assert sorted(map(described, await door.published())) == expected
