"""What a message says, found in whichever of its forms an engine gives.

`body` is absent for much (buttons, lists, disappearing messages, ...); then the raw message, which
only one engine documents and each shapes a little differently, is searched.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from common.events import InboundKind, Media, Value
from common.lenient import dig, text_at
from common.waha.chats import bare_id

WRAPPERS_DEEP = 8  # a disappearing, view-once, edited message is wrapped three times
MEDIA_KINDS: dict[str, InboundKind] = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
}
OTHER_KINDS: dict[str, InboundKind] = {
    "locationMessage": "location",
    "liveLocationMessage": "location",
    "contactMessage": "contacts",
    "contactsArrayMessage": "contacts",
    "orderMessage": "order",
    "productMessage": "order",
}
TYPE_KINDS: dict[str, InboundKind] = {
    "image": "image",
    "video": "video",
    "gif": "video",
    "ptt": "audio",
    "audio": "audio",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "vcard": "contacts",
    "multi_vcard": "contacts",
    "order": "order",
    "product": "order",
    "poll_creation": "unsupported",
}
# Nothing that a person said: an encrypted vote comes again as `poll.vote`, the others are upkeep.
NEWS = frozenset(
    {"pollUpdateMessage", "protocolMessage", "encReactionMessage", "keepInChatMessage"}
)
# GOWS is written in Go, whose library spells some names of the same message in its own way.
GO_NAMES = {
    "ID": "id",
    "PTT": "ptt",
    "fileSHA256": "fileSha256",
    "paramsJSON": "paramsJson",
    "selectedButtonID": "selectedButtonId",
    "selectedID": "selectedId",
    "selectedRowID": "selectedRowId",
    "stanzaID": "stanzaId",
}
NEWS_TYPES = frozenset(
    {"e2e_notification", "notification", "notification_template", "gp2", "call_log", "ciphertext"}
)


class Content(Value):
    kind: InboundKind
    text: str | None = None
    choice_id: str | None = None
    target_id: str | None = None
    media: Media | None = None


def content_of(payload: object) -> Content | None:
    """None when nobody said anything: the phone or WhatsApp itself is speaking."""
    raw = dig(payload, "_data")
    parts = _unwrapped(_raw_message(raw))
    body = text_at(payload, "body")
    if changed := _changed(parts, body):
        return changed
    if chosen := _chosen(parts, raw):
        return chosen if chosen.text else chosen.model_copy(update={"text": body})
    if _is_news(parts, raw):
        return None
    return _shown(payload, parts, raw, body) or _written(parts, body)


def quoted_by(payload: object) -> str | None:
    """The bare id of the message that this one answers."""
    if quoted := text_at(payload, "replyTo", "id"):
        return bare_id(quoted)
    parts = _unwrapped(_raw_message(dig(payload, "_data")))
    found = (text_at(part, "contextInfo", "stanzaId") for part in parts.values())
    return next(filter(None, found), None)


def _raw_message(raw: object) -> object:
    return dig(raw, "message") or _from_go(dig(raw, "Message"))


def _from_go(part: object) -> object:
    if not isinstance(part, dict):
        return part
    return {GO_NAMES.get(name, name): _from_go(inner) for name, inner in part.items()}


def _unwrapped(message: object) -> Mapping[str, Any]:
    """The innermost message: disappearing, view-once and captioned ones are wrapped in others."""
    parts = message if isinstance(message, Mapping) else {}
    for _ in range(WRAPPERS_DEEP):
        inner = next(filter(None, _inside(parts)), None)
        if inner is None:
            break
        parts = inner
    return parts


def _inside(parts: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
    for part in parts.values():
        inner = dig(part, "message")
        yield inner if isinstance(inner, Mapping) else None


def _changed(parts: Mapping[str, Any], body: str | None) -> Content | None:
    """A reaction, an edit or a revoke that comes as a message of its own."""
    if (reaction := parts.get("reactionMessage")) is not None:
        target = text_at(reaction, "key", "id")
        text = text_at(reaction, "text") or ""
        return Content(kind="reaction", text=text, target_id=target) if target else None
    protocol = parts.get("protocolMessage")
    target = text_at(protocol, "key", "id")
    if target and dig(protocol, "type") in (0, "REVOKE"):
        return Content(kind="revoke", target_id=target)
    if target and dig(protocol, "editedMessage") is not None:
        edited = _written(_unwrapped(dig(protocol, "editedMessage")), body)
        return Content(kind="edit", text=edited.text, target_id=target)
    return None


def _chosen(parts: Mapping[str, Any], raw: object) -> Content | None:
    """A tap on a button, a row of a list or a template's button."""
    button = parts.get("buttonsResponseMessage")
    if choice := text_at(button, "selectedButtonId") or text_at(raw, "selectedButtonId"):
        text = text_at(button, "selectedDisplayText")
        text = text or text_at(button, "response", "selectedDisplayText")
        return Content(kind="choice", choice_id=choice, text=text)
    listed = parts.get("listResponseMessage") or dig(raw, "listResponse")
    if choice := text_at(listed, "singleSelectReply", "selectedRowId"):
        return Content(kind="choice", choice_id=choice, text=text_at(listed, "title"))
    template = parts.get("templateButtonReplyMessage")
    if choice := text_at(template, "selectedId"):
        text = text_at(template, "selectedDisplayText")
        return Content(kind="button", choice_id=choice, text=text)
    interactive = parts.get("interactiveResponseMessage")
    if interactive is not None:
        answers = text_at(interactive, "nativeFlowResponseMessage", "paramsJson")
        choice = _id_in(answers)
        return Content(kind="choice", choice_id=choice, text=text_at(interactive, "body", "text"))
    return None


def _id_in(answers: str | None) -> str | None:
    try:
        return text_at(json.loads(answers or "{}"), "id")
    except (ValueError, RecursionError):
        return None


def _is_news(parts: Mapping[str, Any], raw: object) -> bool:
    is_stub = dig(raw, "messageStubType") is not None and not parts
    return is_stub or not NEWS.isdisjoint(parts) or text_at(raw, "type") in NEWS_TYPES


def _shown(
    payload: object, parts: Mapping[str, Any], raw: object, body: str | None
) -> Content | None:
    """A file, a place or somebody's card."""
    if place := _place(dig(payload, "location")):
        return Content(kind="location", text=place)
    cards = dig(payload, "vCards")
    if isinstance(cards, list) and cards:
        return Content(kind="contacts", text=_names(cards))
    for name, kind in OTHER_KINDS.items():
        if name in parts:
            shown = _place(parts[name]) if kind == "location" else None
            return Content(kind=kind, text=shown or text_at(parts[name], "displayName"))
    held = next((name for name in MEDIA_KINDS if name in parts), None)
    file = parts[held] if held else None
    type_kind = _kind_by_type(raw)
    has_media = dig(payload, "hasMedia") is True or bool(dig(payload, "media"))
    if held is None and not has_media:
        return Content(kind=type_kind, text=body) if type_kind else None
    media = _media(payload, file, raw)
    kind = MEDIA_KINDS[held] if held else type_kind or _kind_by_mime_type(media.mime_type)
    return Content(kind=kind, text=body or text_at(file, "caption"), media=media)


def _media(payload: object, file: object, raw: object) -> Media:
    given = dig(payload, "media")
    mime_type = text_at(given, "mimetype") or text_at(file, "mimetype") or ""
    is_voice = "ptt" in (dig(raw, "type"), dig(raw, "Info", "MediaType"))
    if dig(file, "ptt") is True or is_voice:
        is_voice = True
    elif file is None:
        is_voice = mime_type.startswith("audio/ogg") and "opus" in mime_type
    return Media(
        url=text_at(given, "url") or text_at(payload, "mediaUrl"),
        mime_type=mime_type,
        sha256=text_at(file, "fileSha256"),
        filename=text_at(given, "filename") or text_at(file, "fileName"),
        is_voice=is_voice,
    )


def _kind_by_type(raw: object) -> InboundKind | None:
    for named in (dig(raw, "type"), dig(raw, "Info", "MediaType")):
        if isinstance(named, str) and named in TYPE_KINDS:
            return TYPE_KINDS[named]
    return None


def _kind_by_mime_type(mime_type: str) -> InboundKind:
    """A document is any file: also one of which nothing is known but that it exists."""
    family = mime_type.partition("/")[0]
    return TYPE_KINDS.get(family, "document")


def _written(parts: Mapping[str, Any], body: str | None) -> Content:
    text = body or text_at(parts, "conversation") or text_at(parts, "extendedTextMessage", "text")
    if text:
        return Content(kind="text", text=text)
    captions = (text_at(part, "caption") for part in parts.values())
    if caption := next(filter(None, captions), None):
        return Content(kind="text", text=caption)
    polls = (text_at(part, "name") for name, part in parts.items() if name.startswith("pollCre"))
    if poll := next(filter(None, polls), None):
        return Content(kind="unsupported", text=poll)
    return Content(kind="unknown")


def _place(location: object) -> str:
    """`Name, address` or the coordinates."""
    named = [text_at(location, "name"), text_at(location, "address")]
    named = named if any(named) else [text_at(location, "description")]
    latitude = dig(location, "latitude") or dig(location, "degreesLatitude")
    longitude = dig(location, "longitude") or dig(location, "degreesLongitude")
    where = [f"{latitude}, {longitude}"] if latitude and longitude else []
    return ", ".join([part for part in named if part] or where)


def _names(cards: list[object]) -> str:
    lines = [line for card in cards if isinstance(card, str) for line in card.splitlines()]
    return ", ".join(line[3:].strip() for line in lines if line.upper().startswith("FN:"))
