"""A Cloud API webhook, taken apart into one message an item. Nothing is dropped.

What cannot be read becomes a NoticeReceived with the original, so that one bad item in a batch
of a thousand harms no other, and WhatsApp is not asked to repeat the batch for days.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from common.events import Message, NoticeReceived, PreferenceReceived, StatusReceived
from common.ids import derived_id
from common.lenient import as_json, clean, dig, instant, original_of, text_at
from gateway.cloud_messages import known_as, names, received, sender_of
from gateway.cloud_parts import Item, Person, Preference, Status

WANTED = {"stop": False, "resume": True}


def messages_in(body: dict[str, Any], now: datetime) -> Iterator[Message]:
    """Every message, status, preference and notice, in the order of the body."""
    entries = body.get("entry")
    if not isinstance(entries, list) or not entries:
        yield _notice("unknown", body, now)
        return
    for entry in entries:
        changes = dig(entry, "changes")
        if not isinstance(changes, list):
            yield _notice("unknown", entry, now)
            continue
        for change in changes:
            yield from _Change(entry, change, now).messages()


@dataclass(frozen=True, slots=True)
class _Change:
    entry: Any
    change: Any
    now: datetime

    def messages(self) -> Iterator[Message]:
        field = text_at(self.change, "field") or "unknown"
        value = dig(self.change, "value")
        if field == "messages" and isinstance(value, dict):
            yield from self._conversation(value)
        elif field == "user_preferences" and _items(value, "user_preferences"):
            yield from self._preferences(value)
        else:
            yield self._news(field, self.change)

    def _conversation(self, value: dict[str, Any]) -> Iterator[Message]:
        messages, statuses = _items(value, "messages"), _items(value, "statuses")
        number_id = text_at(value, "metadata", "phone_number_id") or ""
        people = _people(value) if messages else []
        for item in messages:
            yield _message(item, number_id, people, self.now)
        for item in statuses:
            yield _status(item, number_id, self.now)
        if not messages and not statuses:
            yield self._news("messages", self.change)
        elif value.get("errors"):
            parts = {key: value.get(key) for key in ("metadata", "errors")}
            yield self._news("messages", {"field": "messages", "value": parts})

    def _preferences(self, value: object) -> Iterator[Message]:
        number_id = text_at(value, "metadata", "phone_number_id") or ""
        people = _people(value)
        for item in _items(value, "user_preferences"):
            yield _preference(item, number_id, people, self.now) or self._news(
                "user_preferences",
                {
                    "field": "user_preferences",
                    "value": {"metadata": dig(value, "metadata"), "user_preferences": [item]},
                },
            )

    def _news(self, field: str, change: Any) -> NoticeReceived:
        """The change with its account: the same news at another time is other news."""
        if isinstance(change, dict):
            account = {"id": dig(self.entry, "id"), "time": dig(self.entry, "time")}
            change = {**change, "entry": account}
        return _notice(field, change, self.now)


def _items(value: object, key: str) -> list[Any]:
    items = value.get(key) if isinstance(value, dict) else None
    return items if isinstance(items, list) else []


def _people(value: object) -> list[Person]:
    people = []
    for item in _items(value, "contacts"):
        try:
            people.append(Person.model_validate(item))
        except ValidationError:
            continue  # only names a sender: the message itself is kept without it
    return people


def _message(item: Any, number_id: str, people: list[Person], now: datetime) -> Message:
    try:
        read = Item.model_validate(item)
    except ValidationError:
        return _notice("messages", item, now)
    sender = sender_of(read, people)
    if not sender.key or read.group_id:  # we are in no group: whoever writes in one is not asking
        return _notice("messages", item, now)
    return received(read, sender, number_id=number_id, raw=item, now=now)


def _status(item: Any, number_id: str, now: datetime) -> Message:
    try:
        read = Status.model_validate(item)
    except ValidationError:
        return _notice("messages", item, now)
    error = read.errors[0] if read.errors else None
    return StatusReceived(
        message_id=derived_id("cloud-status", read.id, read.status, read.timestamp),
        occurred_at=now,
        channel="cloud",
        number_id=number_id,
        provider_id=read.id,
        status=read.status,
        status_at=instant(read.timestamp, now),
        tracker=read.biz_opaque_callback_data,
        error_code=error.code if error else None,
        error_detail=clean(error.detail) if error else None,
    )


def _preference(
    item: Any, number_id: str, people: list[Person], now: datetime
) -> PreferenceReceived | None:
    """None when it is not about what we send unasked, or not understood."""
    try:
        read = Preference.model_validate(item)
    except ValidationError:
        return None
    sender = known_as(*names(read.wa_id, read.user_id), people)
    if read.category != "marketing_messages" or read.value not in WANTED or not sender.key:
        return None
    return PreferenceReceived(
        message_id=derived_id("cloud-preference", sender.key, read.value, read.timestamp),
        occurred_at=now,
        channel="cloud",
        number_id=number_id,
        sender=sender,
        is_wanted=WANTED[read.value],
        set_at=instant(read.timestamp, now),
    )


def _notice(field: str, item: Any, now: datetime) -> NoticeReceived:
    digest = hashlib.sha256(as_json(item).encode()).hexdigest()
    return NoticeReceived(
        message_id=derived_id("cloud-notice", digest),
        occurred_at=now,
        channel="cloud",
        field=(clean(field) or "")[:100],
        original=original_of(item),
    )
