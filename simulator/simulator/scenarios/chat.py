"""A running simulator, as a scenario uses it: over its control API."""

from typing import Any

import aiohttp
from pydantic import BaseModel, TypeAdapter

from simulator.transcript import ChannelName, Message


class Refused(Exception):
    def __init__(self, path: str, status: int, answer: str) -> None:
        super().__init__(f"{path} answered {status}: {answer}")


class Taken(BaseModel):
    phone: str


_MESSAGES = TypeAdapter(list[Message])


class Chat:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._control = url.rstrip("/") + "/control"

    async def call(self, method: str, path: str, body: object = None) -> bytes:
        url = self._control + path
        async with self._session.request(method, url, json=body) as response:
            answer = await response.read()
            if response.status >= 400:
                raise Refused(path, response.status, answer.decode("utf-8", "replace"))
            return answer

    async def say(self, phone: str, said: dict[str, Any]) -> None:
        await self.call("POST", f"/phones/{phone}/messages", said)

    async def transcript(self, phone: str, channel: ChannelName | None) -> list[Message]:
        query = f"?channel={channel}" if channel else ""
        return _MESSAGES.validate_json(await self.call("GET", f"/phones/{phone}/messages{query}"))
