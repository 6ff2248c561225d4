"""The innermost part of a message: WhatsApp's own protocol message, as engines show it."""

from dataclasses import dataclass

from simulator.transcript import Message
from simulator.waha.accounts import Shape
from simulator.waha.ids import engine_jid
from simulator.waha.wire import Json

_GO_NAMES = {"ptt": "PTT", "stanzaId": "stanzaID"}
_WITHOUT_TEXT = ("location", "audio", "sticker")


@dataclass(frozen=True, slots=True)
class Content:
    proto: Json
    has_no_body: bool = False
    is_ephemeral: bool = False
    location: Json | None = None


def caption_of(message: Message) -> str:
    """What the API calls the body: of a voice note nothing, though the phone shows its words."""
    return "" if message.type in _WITHOUT_TEXT else message.text


def content_of(
    message: Message, shape: Shape, quoted: Message | None, me: str, chat_id: str
) -> Content:
    if message.type == "location":
        return _location(message)
    if message.type == "poll":
        return _poll(message)
    if message.media is not None:
        return Content(_media(message))
    context = _context(message, quoted, me, chat_id)
    return _text(message.text, shape, context)


def in_go(proto: Json) -> Json:
    """GOWS is written in Go, whose library spells some names in its own way."""
    return {_GO_NAMES.get(name, name): _in_go(value) for name, value in proto.items()}


def _in_go(value: object) -> object:
    return in_go(value) if isinstance(value, dict) else value


def _text(text: str, shape: Shape, context: Json | None) -> Content:
    if shape == "plain" and context is None:
        return Content({"conversation": text})
    inner: Json = {"text": text}
    if context:
        inner["contextInfo"] = context
    extended: Json = {"extendedTextMessage": inner}
    if shape == "ephemeral":
        wrapped: Json = {"ephemeralMessage": {"message": extended}}
        return Content(wrapped, has_no_body=True, is_ephemeral=True)
    return Content(extended, has_no_body=shape == "extended")


def _context(message: Message, quoted: Message | None, me: str, chat_id: str) -> Json | None:
    if message.quote is None:
        return None
    sender = me if quoted is not None and quoted.sender == "bot" else chat_id
    return {
        "stanzaId": message.quote,
        "participant": engine_jid(sender),
        "quotedMessage": {"conversation": caption_of(quoted) if quoted else ""},
    }


def _location(message: Message) -> Content:
    latitude, _, longitude = message.text.partition(", ")
    place: Json = {
        "degreesLatitude": float(latitude or 0),
        "degreesLongitude": float(longitude or 0),
    }
    shown: Json = {
        "latitude": latitude,
        "longitude": longitude,
        "live": False,
        "name": None,
        "address": None,
        "url": None,
        "description": None,
        "thumbnail": None,
    }
    return Content({"locationMessage": place}, has_no_body=True, location=shown)


def _poll(message: Message) -> Content:
    options = [{"optionName": option.title} for option in message.options]
    poll: Json = {"name": message.text, "options": options, "selectableOptionsCount": 1}
    return Content({"pollCreationMessageV3": poll}, has_no_body=True)


def _media(message: Message) -> Json:
    media = message.media
    part: Json = {"mimetype": media.mime_type if media else None}
    if caption_of(message):
        part["caption"] = message.text
    if message.type == "audio":
        part["ptt"] = bool(media and media.voice)
    if message.type == "document" and media:
        part["fileName"] = media.filename
    return {f"{message.type}Message": part}
