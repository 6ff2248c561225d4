"""Statuses, preferences and every other field of the Cloud API."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from common.events import (
    Message,
    MessageReceived,
    NoticeReceived,
    PreferenceReceived,
    Sender,
    StatusReceived,
)

from .cloud_payloads import ANA, METADATA, all_in, change, in_conversation


@pytest.mark.parametrize(
    ("told", "code", "detail"),
    [
        ([{"code": 131047, "title": "T", "error_data": {"details": "D"}}], 131047, "D"),
        ([{"code": 131047, "title": "T", "error_data": "D"}], 131047, "D"),
        ([{"code": 131047, "title": "T"}], 131047, "T"),
        ([{"code": 131047}], 131047, None),
        ([{"code": "131047", "error_data": {"messaging_product": "whatsapp"}}], 131047, None),
        ([], None, None),
        (None, None, None),
        ("garbage", None, None),
    ],
)
def test_a_failure_says_why_in_every_form(told: Any, code: int | None, detail: str | None) -> None:
    status = {"id": "wamid.1", "status": "failed", "timestamp": "1795340000", "errors": told}
    [found] = in_conversation(statuses=[status])
    assert isinstance(found, StatusReceived)
    assert (found.status, found.error_code, found.error_detail) == ("failed", code, detail)


@pytest.mark.parametrize("timestamp", [1795340000, "1795340000", 1795340000000, "1795340000000"])
@pytest.mark.parametrize("word", ["sent", "delivered", "read", "played", "deleted", "tomorrow"])
def test_a_status_of_any_word_has_its_time(word: str, timestamp: Any) -> None:
    [found] = in_conversation(statuses=[{"id": "wamid.1", "status": word, "timestamp": timestamp}])
    assert isinstance(found, StatusReceived)
    assert (found.status, found.number_id) == (word, "42")
    assert found.status_at == datetime.fromtimestamp(1795340000, UTC)


def preferences(*items: Any, contacts: Any = ()) -> list[Message]:
    value = {"metadata": METADATA, "contacts": list(contacts), "user_preferences": list(items)}
    return all_in(change("user_preferences", value))


def test_each_preference_is_one_event_of_that_person() -> None:
    stop = {
        "wa_id": ANA,
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1795340000,
    }
    resume = {"user_id": "BR.2", "category": "marketing_messages", "value": "resume"}
    contacts = [{"wa_id": "5511900000002", "user_id": "BR.2"}, {"wa_id": "1", "user_id": "US.1"}]
    first, second = preferences(stop, resume, contacts=contacts)
    assert isinstance(first, PreferenceReceived)
    assert isinstance(second, PreferenceReceived)
    assert (first.sender, first.is_wanted, first.number_id) == (Sender(wa_id=ANA), False, "42")
    assert first.set_at == datetime.fromtimestamp(1795340000, UTC)
    assert second.sender.key == "5511900000002"
    assert second.is_wanted
    [again] = preferences(stop)
    assert again.message_id == first.message_id
    [later] = preferences(stop | {"timestamp": 1795340009})
    assert later.message_id != first.message_id


@pytest.mark.parametrize(
    "item",
    [
        {"wa_id": ANA, "category": "tomorrow", "value": "stop"},
        {"wa_id": ANA, "category": "marketing_messages", "value": "maybe"},
        {"category": "marketing_messages", "value": "stop"},
        {"wa_id": ANA},
        "garbage",
        None,
    ],
)
def test_another_preference_is_a_notice(item: Any) -> None:
    good = {"wa_id": ANA, "category": "marketing_messages", "value": "stop"}
    notice, preference = preferences(item, good)
    assert isinstance(notice, NoticeReceived)
    assert notice.field == "user_preferences"
    assert json.loads(notice.original)["value"]["metadata"] == METADATA
    assert isinstance(preference, PreferenceReceived)


FIELDS = ["message_template_status_update", "message_template_quality_update"]
FIELDS += ["template_category_update", "phone_number_quality_update", "account_update"]
FIELDS += ["business_capability_update", "account_alerts", "security", "smb_message_echoes", "x"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_other_field_is_a_notice_with_its_account(field: str) -> None:
    value = {"event": "PAUSED", "metadata": METADATA}
    [found] = all_in(change(field, value))
    assert isinstance(found, NoticeReceived)
    assert found.field == field
    assert json.loads(found.original) == {
        "field": field,
        "value": value,
        "entry": {"id": "waba-7", "time": 1795340000},
    }


def test_the_same_news_at_another_time_is_other_news() -> None:
    first = change("account_update", {"event": "PAUSED"})
    second = json.loads(json.dumps(first))
    assert all_in(first)[0].message_id == all_in(second)[0].message_id
    second["entry"][0]["time"] += 3600
    assert all_in(first)[0].message_id != all_in(second)[0].message_id


def test_each_change_has_the_number_that_it_came_to() -> None:
    item = {"from": ANA, "id": "wamid.1", "type": "text", "text": {"body": "x"}}
    body = change("messages", {"metadata": {"phone_number_id": "1"}, "messages": [item]})
    second = {"metadata": {"phone_number_id": "2"}, "messages": [item | {"id": "wamid.2"}]}
    body["entry"][0]["changes"].append({"field": "messages", "value": second})
    found = [each for each in all_in(body) if isinstance(each, MessageReceived)]
    assert [each.ref.number_id for each in found] == ["1", "2"]


def test_a_huge_notice_is_cut_to_what_nats_takes() -> None:
    [found] = all_in(change("history", {"blob": "x" * 3_000_000}))
    assert len(found.model_dump_json()) < 500_000
