"""What a person may do in a chat."""

import base64
import binascii
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from simulator.phones import Phone
from simulator.transcript import ChannelName, Message, Option

SaidType = Literal[
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "order",
    "reaction",
    "edit",
    "revoke",
    "unsupported",
]
MEDIA_TYPES = frozenset({"image", "video", "audio", "document", "sticker"})
# They are about another message, and WhatsApp does not count them as a message of the person.
ABOUT_ANOTHER = frozenset({"reaction", "edit", "revoke"})


class Said(BaseModel):
    """`{"text"}`, `{"reply"}`, or another `type` with what belongs to it.

    `message_id` is what a reaction, an edit or a revocation is about; left out, the last message
    that it could be about. `data` is a file in base64; left out, a small one is made, and a voice
    note made so says `text`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: SaidType = "text"
    channel: ChannelName | None = None
    text: str | None = None
    reply: str | None = None
    name: str | None = None
    quote: str | None = None
    caption: str | None = None
    voice: bool = True
    emoji: str = "👍"
    message_id: str | None = None
    latitude: float = -23.5505
    longitude: float = -46.6333
    data: str | None = None
    mime_type: str | None = None
    filename: str | None = None

    @model_validator(mode="after")
    def says_something(self) -> "Said":
        if self.type == "text" and (self.text is None) == (self.reply is None):
            raise ValueError("give either text or reply")
        if self.type == "edit" and not self.text:
            raise ValueError("give the new text")
        if self.data is not None:
            _decoded(self.data)
        return self

    @property
    def file(self) -> bytes | None:
        return None if self.data is None else _decoded(self.data)


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("data is not base64") from error


class UnknownReply(LookupError):
    def __init__(self, reply: str, options: tuple[Option, ...]) -> None:
        self.options = options
        super().__init__(f"no option has the id or title {reply!r}")


class NothingThere(LookupError):
    """A reaction, an edit or a revocation of no message."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no message for the {what}")


class NoSuchChannel(LookupError):
    def __init__(self, channel: ChannelName) -> None:
        super().__init__(f"the simulator has no {channel} channel")


class Speaker(Protocol):
    """What a person says in one channel, as a bubble; the vendor's event follows by itself."""

    def say(self, phone: Phone, said: Said) -> Message: ...
