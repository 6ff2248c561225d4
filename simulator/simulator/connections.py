import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class ClosableProtocol(HttpToolsProtocol):
    """Lets an answer close the connection itself, which ASGI has no message for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["connection"] = self.transport


class NoAnswer(Response):
    """Holds the connection, then closes it without a byte: the caller cannot know the outcome."""

    def __init__(self, hold_seconds: float) -> None:
        super().__init__()
        self._hold_seconds = hold_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._hold_seconds)
        scope["state"]["connection"].close()
        while (await receive())["type"] != "http.disconnect":
            pass
