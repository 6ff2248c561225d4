"""WAHA's REST API, as far as we use it. What it answers is read here and nowhere else."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.errors import SabatinaError
from common.lenient import seconds_of
from messenger.channels import NotSent, OutcomeUnknown
from messenger.channels.connection import Connection
from messenger.channels.waha_payloads import Json

Part = TypeVar("Part")

ANSWER_WITHIN = 10.0  # seconds


class WahaSilent(SabatinaError):
    """No usable answer to a question that changes nothing: ask again later."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Existence(_Part):
    is_there: bool = Field(alias="numberExists")
    chat_id: str | None = Field(default=None, alias="chatId")


class Version(_Part):
    version: str
    engine: str = ""
    platform: str = ""

    @property
    def is_simulator(self) -> bool:
        return self.platform == "simulator"


class _Session(_Part):
    status: str


class _Resolved(_Part):
    number: str | None = Field(default=None, alias="pn")


class _LastMessage(_Part):
    timestamp: object = None
    message_timestamp: object = Field(default=None, alias="messageTimestamp")


class Chat(_Part):
    id: str
    last: _LastMessage | None = Field(default=None, alias="lastMessage")

    @property
    def active_at(self) -> float | None:
        """Seconds since 1970; None when the engine does not tell."""
        if self.last is None:
            return None
        return seconds_of(self.last.timestamp) or seconds_of(self.last.message_timestamp)


_chats = TypeAdapter(list[Chat])
_messages = TypeAdapter(list[dict[str, object]])


class WahaApi:
    def __init__(self, url: str, key: str, session: str, *, connections: int) -> None:
        self.session = session
        self._base = url.rstrip("/")
        self._connection = Connection({"X-Api-Key": key}, connections=connections)

    async def close(self) -> None:
        await self._connection.close()

    async def post(
        self, path: str, body: Json | None = None, *, timeout: float = ANSWER_WITHIN
    ) -> httpx.Response:
        """Raises NotSent or OutcomeUnknown."""
        content = json.dumps(body or {}, ensure_ascii=False).encode()
        return await self._connection.request("POST", self._url(path), content, timeout=timeout)

    async def check_number(self, digits: str) -> httpx.Response:
        return await self._connection.request(
            "GET",
            self._url("contacts/check-exists", {"phone": digits, "session": self.session}),
            timeout=ANSWER_WITHIN,
        )

    async def status(self) -> str:
        """WAHA's word for the state of the session, or UNAUTHORISED, or MISSING."""
        response = await self._get(f"sessions/{self._quoted}")
        if response.status_code in (401, 403):
            return "UNAUTHORISED"
        if response.status_code == 404:
            return "MISSING"
        return _read(_Session, response).status

    async def restart(self) -> None:
        await self.post(f"sessions/{self._quoted}/restart")

    async def start(self) -> None:
        await self.post(f"sessions/{self._quoted}/start")

    async def version(self) -> Version:
        return _read(Version, await self._get("server/version"))

    async def has_message(self, chat_id: str, message_id: str) -> bool:
        """Whether WhatsApp has the message of ours with this id."""
        name = quote(f"true_{chat_id}_{message_id}", safe="")
        path = f"{self._quoted}/chats/{quote(chat_id, safe='')}/messages/{name}"
        response = await self._get(path, {"downloadMedia": "false"})
        if response.status_code == 404 or response.content in (b"", b"null"):
            return False
        if not response.is_success:
            raise WahaSilent(f"HTTP {response.status_code}")
        return True

    async def number_of(self, lid: str) -> str | None:
        """The chat of the number behind a hidden id; None when WAHA does not know it."""
        response = await self._get(f"{self._quoted}/lids/{quote(lid, safe='')}")
        return None if response.status_code == 404 else _read(_Resolved, response).number

    async def chats(self, *, limit: int, offset: int) -> Sequence[Chat]:
        """The newest first."""
        query = {"limit": str(limit), "offset": str(offset)}
        response = await self._get(f"{self._quoted}/chats/overview", query)
        return _read(_chats, response)

    async def messages(
        self, chat_id: str, *, since: datetime, limit: int, offset: int
    ) -> Sequence[dict[str, object]]:
        """What was said in a chat, raw: `common.waha` reads it."""
        query = {
            "limit": str(limit),
            "offset": str(offset),
            "downloadMedia": "false",
            "filter.timestamp.gte": str(int(since.timestamp())),
            "filter.fromMe": "false",
        }
        path = f"{self._quoted}/chats/{quote(chat_id, safe='')}/messages"
        return _read(_messages, await self._get(path, query))

    @property
    def _quoted(self) -> str:
        return quote(self.session, safe="")

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> httpx.Response:
        try:
            return await self._connection.request(
                "GET", self._url(path, query), timeout=ANSWER_WITHIN
            )
        except (NotSent, OutcomeUnknown) as error:
            raise WahaSilent("no answer") from error

    def _url(self, path: str, query: Mapping[str, str] | None = None) -> httpx.URL:
        return httpx.URL(f"{self._base}/api/{path}", params=query)


def _read(form: type[Part] | TypeAdapter[Part], response: httpx.Response) -> Part:
    """An error's body is not told on: WAHA's quote the request."""
    if not response.is_success:
        raise WahaSilent(f"HTTP {response.status_code}")
    adapter = form if isinstance(form, TypeAdapter) else TypeAdapter(form)
    try:
        return adapter.validate_json(response.content)
    except ValidationError as error:
        raise WahaSilent("an answer of another form") from error
