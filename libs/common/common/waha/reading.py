"""Events and messages of WAHA, each turned into at most one of ours."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from common.events import Message, MessageReceived, NoticeReceived, StatusReceived
from common.ids import derived_id
from common.lenient import as_json, clean, dig, instant, mended, original_of, seconds_of, text_at
from common.waha.chats import bare_id, chat_in, chat_of, is_nobody, sender_of
from common.waha.content import Content, content_of, quoted_by

STATUSES = {-1: "failed", 0: "accepted", 1: "sent", 2: "delivered", 3: "read", 4: "played"}
STATUS_NAMES = {"ERROR": -1, "PENDING": 0, "SERVER": 1, "DEVICE": 2, "READ": 3, "PLAYED": 4}
# Copies of what `message` brings, and what a service that talks to single people has no use for.
IGNORED = frozenset(
    {"message.any", "message.ack.group", "engine.event", "presence.update", "state.change"}
)
IGNORED_FAMILIES = ("group.", "label.", "chat.")


class Unreadable(Exception):
    """Not the shape of what it says it is."""


def message_in(
    payload: object, *, session: str, now: datetime
) -> MessageReceived | NoticeReceived | None:
    """A `message` event's payload, or one message of a chat's history.

    None is dropped on purpose: what we sent ourselves, groups, channels, lists and stories.
    """
    payload = mended(payload)
    try:
        return _message(payload, session, now)
    except (Unreadable, ValidationError):
        return _notice("message", payload, session, now)


def events_in(event: object, *, session: str, now: datetime) -> Iterator[Message]:
    """A whole webhook. Yields nothing for what is dropped on purpose: see also `message_in`."""
    event = mended(event)
    name = text_at(event, "event") or "unknown"
    if dig(event, "session") not in (None, session) or is_ignored(name):
        return
    try:
        reader = _READERS.get(name, _unread)
        found = reader(dig(event, "payload"), session, now)
    except (Unreadable, ValidationError):
        found = _notice(name, event, session, now)
    if isinstance(found, StatusReceived):
        found = found.model_copy(update={"status_at": instant(dig(event, "timestamp"), now)})
    if found is not None:
        yield found


def is_ignored(event_name: str) -> bool:
    return event_name in IGNORED or event_name.startswith(IGNORED_FAMILIES)


def _notice(field: str, original: object, session: str, now: datetime) -> NoticeReceived:
    """An event's own id makes it one, or else its content does."""
    digest = hashlib.sha256(as_json(original).encode()).hexdigest()
    identity = text_at(original, "id") or digest
    return NoticeReceived(
        message_id=derived_id("waha-notice", session, field, identity),
        occurred_at=now,
        channel="waha",
        field=field[:100],
        original=original_of(original),
    )


def _unread(payload: object, session: str, now: datetime) -> Message | None:
    raise Unreadable


def _message(payload: object, session: str, now: datetime) -> MessageReceived | None:
    if _is_dropped(payload):
        return None
    content = content_of(payload)
    if content is None:
        raise Unreadable
    return _received(payload, content, session, now)


def _reaction(payload: object, session: str, now: datetime) -> MessageReceived | None:
    if _is_dropped(payload):
        return None
    target = text_at(payload, "reaction", "messageId")
    if target is None:
        raise Unreadable
    emoji = text_at(payload, "reaction", "text") or ""
    content = Content(kind="reaction", text=emoji, target_id=bare_id(target))
    return _received(payload, content, session, now)


def _edit(payload: object, session: str, now: datetime) -> MessageReceived | None:
    if _is_dropped(payload):
        return None
    said = content_of(payload)
    target = text_at(payload, "editedMessageId") or (said.target_id if said else None)
    if target is None:
        raise Unreadable
    content = Content(kind="edit", text=said.text if said else None, target_id=bare_id(target))
    return _received(payload, content, session, now)


def _revoke(payload: object, session: str, now: datetime) -> MessageReceived | None:
    """Told by the message as it is afterwards, as it was before, or both."""
    after, before = dig(payload, "after"), dig(payload, "before")
    shown = after if isinstance(after, Mapping) else before
    if _is_dropped(shown):
        return None
    target = text_at(payload, "revokedMessageId") or _id_of(before) or _id_of(after)
    if not target:
        raise Unreadable
    return _received(shown, Content(kind="revoke", target_id=bare_id(target)), session, now)


def _vote(payload: object, session: str, now: datetime) -> MessageReceived | None:
    """A vote is a choice, told by its text: options have no ids."""
    vote, poll = dig(payload, "vote"), dig(payload, "poll")
    if _is_dropped(vote):
        return None
    options = dig(vote, "selectedOptions")
    chosen = (
        [each for each in options if isinstance(each, str)] if isinstance(options, list) else []
    )
    if not chosen:  # taken back
        raise Unreadable
    target = bare_id(_id_of(poll)) or None
    content = Content(kind="choice", text=", ".join(chosen), target_id=target)
    return _received(vote, content, session, now)


def _status(payload: object, session: str, now: datetime) -> StatusReceived | None:
    """The status of a message of ours; of others' messages it is we who read them."""
    if dig(payload, "fromMe") is False or is_nobody(_chat_name(payload)):
        return None
    code = dig(payload, "ack")
    if code is None:
        code = STATUS_NAMES.get(text_at(payload, "ackName") or "")
    provider_id = bare_id(_id_of(payload))
    if not provider_id or not isinstance(code, int) or code not in STATUSES:
        raise Unreadable
    return StatusReceived(
        message_id=derived_id("waha-status", session, provider_id, code),
        occurred_at=now,
        channel="waha",
        number_id=session,
        provider_id=provider_id,
        status=STATUSES[code],
        status_at=now,
    )


_READERS: dict[str, Callable[[object, str, datetime], Message | None]] = {
    "message": _message,
    "message.reaction": _reaction,
    "message.edited": _edit,
    "message.revoked": _revoke,
    "message.ack": _status,
    "poll.vote": _vote,
}


def _is_dropped(payload: object) -> bool:
    """Our own messages come back to us, and a bot that answers those never stops."""
    is_ours = dig(payload, "fromMe") is True or dig(payload, "source") == "api"
    is_our_key = dig(payload, "_data", "key", "fromMe") is True
    is_our_id = _id_of(payload).startswith("true_")
    return is_ours or is_our_key or is_our_id or is_nobody(_chat_name(payload))


def _chat_name(payload: object) -> object:
    return dig(payload, "from") or chat_in(_id_of(payload))


def _id_of(payload: object) -> str:
    """Engines give it as text, as an object that holds the text, or only in their own form."""
    given = dig(payload, "id")
    found = given if isinstance(given, str) else None
    found = found or text_at(given, "_serialized") or text_at(given, "id")
    return found or text_at(payload, "_data", "key", "id") or ""


def _received(payload: object, content: Content, session: str, now: datetime) -> MessageReceived:
    chat, provider_id = chat_of(_chat_name(payload)), bare_id(_id_of(payload))
    if chat is None or not provider_id:
        raise Unreadable
    timestamp = dig(payload, "timestamp") or dig(payload, "_data", "messageTimestamp")
    return MessageReceived(
        message_id=_identity(content, provider_id, session, timestamp),
        occurred_at=now,
        channel="waha",
        number_id=session,
        provider_id=provider_id,
        sender=sender_of(chat, dig(payload, "_data")),
        sent_at=instant(timestamp, now),
        kind=content.kind,
        text=clean(content.text),
        choice_id=clean(content.choice_id),
        quoted_id=quoted_by(payload),
        target_id=content.target_id,
        chat_id=str(chat),
        media=content.media,
        original=original_of(payload) if content.kind in {"unknown", "unsupported"} else None,
    )


def _identity(content: Content, provider_id: str, session: str, timestamp: object) -> UUID:
    """A change may come as an event and as a message: what it changes, and when, makes it one."""
    if content.target_id is None:
        return derived_id("waha", session, provider_id)
    seconds = f"{seconds_of(timestamp)}".partition(".")[0]  # with and without fractions
    return derived_id("waha", session, content.target_id, content.kind, seconds, content.text)
