"""Payloads that others recorded or documented, when a folder of them stands beside this one."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from common.events import MessageReceived, NoticeReceived, StatusReceived

from .conftest import Door

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "webhooks"
RECORDED = {
    path.stem: json.loads(path.read_text())
    for path in sorted(FOLDER.glob("*.json"))
    if "entry" in json.loads(path.read_text())
}
KINDS = {"interactive": "choice", "voice": "audio"}

pytestmark = pytest.mark.skipif(not RECORDED, reason="no recorded payloads beside the repository")


def items_of(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    changes = [change for entry in body["entry"] for change in entry["changes"]]
    return [item for change in changes for item in change["value"].get(key, [])]


def with_own_ids(body: dict[str, Any], token: str) -> dict[str, Any]:
    """NATS stores an id once in ten minutes, and some recordings share theirs."""
    copied: dict[str, Any] = json.loads(json.dumps(body))
    for key in ("messages", "statuses"):
        for item in items_of(copied, key):
            item["id"] = f"{token}.{item['id']}"
    return copied


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_payload_loses_nothing_and_keeps_its_kinds(
    door: Door, name: str, unique: str
) -> None:
    body = with_own_ids(RECORDED[name], unique)
    assert (await door.post(body)).status_code == 200
    published = await door.published()
    received = [m for m in published if isinstance(m, MessageReceived)]
    statuses = [m.status for m in published if isinstance(m, StatusReceived)]
    kinds = [KINDS.get(item["type"], item["type"]) for item in items_of(body, "messages")]
    assert sorted(m.kind for m in received) == sorted(kinds)
    assert statuses == [item["status"] for item in items_of(body, "statuses")]
    for message in received:
        assert message.sender.key
        assert message.kind not in {"choice", "button"} or message.choice_id or message.text


async def test_all_of_them_in_one_shuffled_batch_twice_are_stored_once(
    door: Door, unique: str
) -> None:
    bodies = [with_own_ids(body, f"{unique}.{n}") for n, body in enumerate(RECORDED.values())]
    entries = [entry for body in bodies for entry in body["entry"]]
    expected = sum(len(items_of(body, key)) for body in bodies for key in ("messages", "statuses"))
    dice = random.Random(7)
    for _ in range(2):
        dice.shuffle(entries)
        batch = {"object": "whatsapp_business_account", "entry": entries}
        assert (await door.post(batch)).status_code == 200
        published = await door.published()
        notices = [m for m in published if isinstance(m, NoticeReceived)]
        items = [m for m in published if not isinstance(m, NoticeReceived)]
        assert len(items) == len({m.message_id for m in items}) == expected
        assert not [notice for notice in notices if notice.field == "messages"]
