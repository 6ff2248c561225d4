"""Rendered content as the JSON of WAHA, and the ids and answers that go with it."""

import base64
import hashlib
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.waha import bare_id
from messenger import lengths
from messenger.channels import OutboundMessage
from messenger.rendering import TextContent

Json = dict[str, object]


class _Serialized(BaseModel):
    text: str = Field(alias="_serialized")


class _Key(BaseModel):
    id: str


class _Sent(BaseModel):
    """Every engine answers in a form of its own."""

    model_config = ConfigDict(extra="ignore")

    id: str | _Serialized | None = None
    key: _Key | None = None


class NoIdInAnswer(ValueError):
    pass


def client_id(message: UUID) -> str:
    """The id that our message has on WhatsApp, known before it is sent.

    WhatsApp Web's own form: 3EB0 and 18 hexadecimal digits.
    """
    return "3EB0" + hashlib.sha256(message.bytes).hexdigest()[:18].upper()


def takes_client_id(*, has_attachment: bool) -> bool:
    """WAHA takes an id of ours for texts only."""
    return not has_attachment


def sent_id(answer: bytes) -> str:
    """The bare id of what was sent. Raises ValueError when there is none in the answer."""
    sent = _Sent.model_validate_json(answer)
    if isinstance(sent.id, str) and sent.id:
        return bare_id(sent.id)
    if isinstance(sent.id, _Serialized):
        return bare_id(sent.id.text)
    if sent.key is not None and sent.key.id:
        return bare_id(sent.key.id)
    raise NoIdInAnswer


def request_of(message: OutboundMessage, session: str, chat_id: str) -> tuple[str, Json]:
    """The path to post to, and the body."""
    text = text_of(message)
    to: Json = {"session": session, "chatId": chat_id}
    if message.attachment is None:
        return "sendText", {**to, "text": text, "id": client_id(message.id), "linkPreview": False}
    attachment = message.attachment
    file: Json = {
        "mimetype": attachment.mime_type,
        "filename": attachment.filename,
        "data": base64.b64encode(attachment.data).decode(),
    }
    path = "sendImage" if attachment.kind == "image" else "sendFile"
    return path, {**to, "file": file, "caption": lengths.cut(text, lengths.CAPTION)}


def text_of(message: OutboundMessage) -> str:
    """There are no buttons, lists and templates here: `numbered` has made them text."""
    assert isinstance(message.content, TextContent), "only text can be sent over WAHA"
    return message.content.body
