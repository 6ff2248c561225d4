"""What every channel's connection has in common: timeouts, and what a broken one means."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from messenger.channels import NotSent, OutcomeUnknown

KEEP_ALIVE = 25.0  # seconds; shorter than any server's, so that no request meets a closing one

# The base class of these is raised for a connection that broke after the request was written.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Connection:
    """The transport alone: cookies, redirects and authentication flows of a client would cost
    half as much again for each message, and nothing here uses them."""

    def __init__(self, headers: Mapping[str, str], *, connections: int) -> None:
        limits = httpx.Limits(max_connections=connections, keepalive_expiry=KEEP_ALIVE)
        self._transport = AiohttpTransport(limits=limits)
        self._headers = {**headers, "Content-Type": "application/json"}

    async def request(
        self, method: str, url: httpx.URL, body: bytes | None = None, *, timeout: float
    ) -> httpx.Response:
        """Raises NotSent or OutcomeUnknown; every answer, whatever it says, is returned."""
        timeouts = {"connect": 5.0, "pool": 5.0, "read": timeout}
        request = httpx.Request(
            method, url, headers=self._headers, content=body, extensions={"timeout": timeouts}
        )
        with broken_connections_named():
            async with asyncio.timeout(timeout):
                response = await self._transport.handle_async_request(request)
                await response.aread()
        return response

    async def close(self) -> None:
        await self._transport.aclose()


@contextmanager
def broken_connections_named() -> Iterator[None]:
    """By the cause: the transport calls a reset after the request was written a ConnectTimeout."""
    try:
        yield
    except (httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError) as error:
        cause = error.__cause__ or error
        raise (NotSent() if isinstance(cause, NEVER_CONNECTED) else OutcomeUnknown()) from error


def retry_after(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("retry-after", "")
    return timedelta(seconds=min(int(seconds), 3600)) if seconds.isdecimal() else None
