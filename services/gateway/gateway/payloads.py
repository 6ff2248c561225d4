"""A Cloud API webhook, taken apart into one message an item. Nothing is dropped.

What cannot be read becomes a NoticeReceived with the original, so that one bad item in a batch
of a thousand harms no other, and WhatsApp is not asked to repeat the batch for days.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import from_json

from common.events import (
    InboundKind,
    Message,
    MessageReceived,
    NoticeReceived,
    Sender,
    StatusReceived,
)
from common.ids import derived_id

KNOWN_KINDS = frozenset(get_args(InboundKind))
OLDEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp began then
MILLISECONDS_FROM = 10_000_000_000  # WhatsApp has sent milliseconds where it documents seconds


class UnreadableBody(Exception):
    """Not a JSON object."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class _Text(_Part):
    body: str = ""


class _Button(_Part):
    payload: str | None = None
    text: str | None = None


class _Choice(_Part):
    id: str
    title: str | None = None


class _Interactive(_Part):
    button_reply: _Choice | None = None
    list_reply: _Choice | None = None

    @property
    def choice(self) -> _Choice | None:
        return self.button_reply or self.list_reply


class _Context(_Part):
    id: str | None = None


class _Captioned(_Part):
    caption: str | None = None


class _Item(_Part):
    id: str
    timestamp: str | None = None
    type: str = "unknown"
    sender: str | None = Field(default=None, alias="from")
    from_user_id: str | None = None
    text: _Text | None = None
    button: _Button | None = None
    interactive: _Interactive | None = None
    image: _Captioned | None = None
    video: _Captioned | None = None
    document: _Captioned | None = None
    context: _Context | None = None


class _ErrorData(_Part):
    details: str | None = None


class _Error(_Part):
    code: int
    error_data: _ErrorData | None = None


class _Status(_Part):
    id: str
    status: str
    timestamp: str | None = None
    biz_opaque_callback_data: str | None = None
    errors: tuple[_Error, ...] = ()


class _Profile(_Part):
    name: str | None = None


class _Contact(_Part):
    wa_id: str | None = None
    user_id: str | None = None
    profile: _Profile = _Profile()


def read_body(body: bytes) -> dict[str, Any]:
    """Raises UnreadableBody. Half surrogate pairs, which the strict parser refuses, are mended."""
    try:
        parsed = from_json(body, allow_inf_nan=False)
    except ValueError:
        parsed = _read_leniently(body)
    if not isinstance(parsed, dict):
        raise UnreadableBody
    return parsed


def messages_in(body: dict[str, Any], now: datetime) -> Iterator[Message]:
    """Every message, status and notice, in the order of the body."""
    entries = body.get("entry")
    if not isinstance(entries, list) or not entries:
        yield _notice("unknown", body, now)
        return
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            yield _notice("unknown", entry, now)
            continue
        for change in changes:
            yield from _in_change(change, now)


def _in_change(change: Any, now: datetime) -> Iterator[Message]:
    value = change.get("value") if isinstance(change, dict) else None
    field = change.get("field") if isinstance(change, dict) else None
    if field != "messages" or not isinstance(value, dict):
        yield _notice(field if isinstance(field, str) else "unknown", change, now)
        return
    metadata = value.get("metadata")
    number = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    number_id = number if isinstance(number, str) else ""
    people = _contacts(value.get("contacts"))
    found = False
    for item in _items(value, "messages"):
        found = True
        yield _message(item, number_id, people, now)
    for item in _items(value, "statuses"):
        found = True
        yield _status(item, number_id, now)
    if not found or value.get("errors"):
        yield _notice("messages", change, now)


def _items(value: dict[str, Any], key: str) -> list[Any]:
    items = value.get(key)
    return items if isinstance(items, list) else []


def _message(item: Any, number_id: str, people: list[_Contact], now: datetime) -> Message:
    try:
        read = _Item.model_validate(item)
    except ValidationError:
        return _notice("messages", item, now)
    sender = _sender(read, people)
    if not sender.key:
        return _notice("messages", item, now)
    kind = _kind(read)
    choice = read.interactive.choice if read.interactive else None
    return MessageReceived(
        message_id=derived_id("cloud", read.id),
        occurred_at=now,
        channel="cloud",
        number_id=number_id,
        provider_id=read.id,
        sender=sender,
        sent_at=_instant(read.timestamp, now),
        kind=kind,
        text=_clean(_text(read)),
        choice_id=_clean(choice.id if choice else read.button.payload if read.button else None),
        quoted_id=read.context.id if read.context else None,
        original=_as_json(item) if kind in {"unknown", "unsupported", "system"} else None,
    )


def _kind(item: _Item) -> InboundKind:
    if item.type == "interactive":
        return "choice" if item.interactive and item.interactive.choice else "unknown"
    if item.type == "voice":
        return "audio"
    return item.type if item.type in KNOWN_KINDS else "unknown"  # type: ignore[return-value]


def _text(item: _Item) -> str | None:
    if item.text is not None:
        return item.text.body
    if item.button is not None:
        return item.button.text
    if item.interactive is not None and item.interactive.choice is not None:
        return item.interactive.choice.title
    captioned = item.image or item.video or item.document
    return captioned.caption if captioned else None


def _sender(item: _Item, people: list[_Contact]) -> Sender:
    """The contacts of a batch are not in the order of its messages, so they are matched by id."""
    for person in people:
        is_named = item.sender is not None and person.wa_id == item.sender
        if is_named or (item.from_user_id is not None and person.user_id == item.from_user_id):
            return Sender(
                wa_id=item.sender or person.wa_id,
                business_scoped_id=item.from_user_id or person.user_id,
                profile_name=_clean(person.profile.name),
            )
    return Sender(wa_id=item.sender, business_scoped_id=item.from_user_id)


def _contacts(raw: Any) -> list[_Contact]:
    people = []
    for item in raw if isinstance(raw, list) else []:
        try:
            people.append(_Contact.model_validate(item))
        except ValidationError:
            continue  # only names a sender: the message itself is kept without it
    return people


def _status(item: Any, number_id: str, now: datetime) -> Message:
    try:
        read = _Status.model_validate(item)
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
        status_at=_instant(read.timestamp, now),
        tracker=read.biz_opaque_callback_data,
        error_code=error.code if error else None,
        error_detail=_clean(error.error_data.details if error and error.error_data else None),
    )


def _notice(field: str, item: Any, now: datetime) -> NoticeReceived:
    original = _as_json(item)
    digest = hashlib.sha256(original.encode()).hexdigest()
    return NoticeReceived(
        message_id=derived_id("cloud-notice", digest),
        occurred_at=now,
        channel="cloud",
        field=field[:100],
        original=original,
    )


def _instant(timestamp: str | None, now: datetime) -> datetime:
    """Seconds since 1970 (or milliseconds); `now` for what cannot be the time of a message."""
    try:
        seconds = float(timestamp or "")
        if seconds > MILLISECONDS_FROM:
            seconds /= 1000
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if OLDEST < at < now + timedelta(days=1) else now


def _clean(text: str | None) -> str | None:
    """PostgreSQL cannot store a NUL character."""
    return text.replace("\x00", "") if text else text


def _as_json(item: JsonValue) -> str:
    return json.dumps(item, sort_keys=True)


def _read_leniently(body: bytes) -> Any:
    try:
        return _mended(json.loads(body, parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise UnreadableBody from error


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
