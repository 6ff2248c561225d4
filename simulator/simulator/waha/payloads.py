"""What callers send. WAHA checks little, and what it lets through the simulator lets through."""

import base64
import binascii
import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.waha.errors import BadRequest
from simulator.waha.sessions import SessionConfig


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    session: str = "default"


class ChatRequest(Request):
    chatId: str  # noqa: N815


class Outgoing(ChatRequest):
    id: str | None = None
    reply_to: str | None = None


class TextRequest(Outgoing):
    text: str = ""


class File(Request):
    mimetype: str = "application/octet-stream"
    filename: str | None = None
    url: str | None = None
    data: str | None = None

    def content(self) -> bytes | None:
        if self.data is None:
            return None
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error as error:
            raise BadRequest("file.data must be base64 encoded") from error


class FileRequest(Outgoing):
    file: File
    caption: str = ""


class Poll(Request):
    name: str
    options: tuple[str, ...]
    multipleAnswers: bool = False  # noqa: N815


class PollRequest(Outgoing):
    poll: Poll


class Row(Request):
    title: str
    rowId: str  # noqa: N815
    description: str | None = None


class Section(Request):
    title: str = ""
    rows: tuple[Row, ...]


class ListMessage(Request):
    title: str
    button: str
    sections: tuple[Section, ...]
    description: str | None = None
    footer: str | None = None


class ListRequest(Outgoing):
    message: ListMessage


class SeenRequest(ChatRequest):
    messageIds: tuple[str, ...] | None = None  # noqa: N815
    messageId: str | None = None  # noqa: N815


class SessionCreate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = "default"
    start: bool = True
    config: SessionConfig | None = None


class SessionUpdate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    config: SessionConfig | None = None


Parsed = TypeVar("Parsed", bound=BaseModel)


def parse(body: bytes, kind: type[Parsed]) -> Parsed:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise BadRequest(f"{error} is not valid JSON") from error
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadRequest(*problems) from error
