"""WhatsApp's Cloud API, as Meta hosts it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ValidationError

from common import telemetry
from messenger.channels import Accepted, NotSent, OutboundMessage, OutcomeUnknown, SendRefused
from messenger.channels.cloud_payloads import payload_of

TIMEOUT = 10.0  # seconds until an answer
TIMEOUTS = {"connect": 5.0, "pool": 5.0, "read": TIMEOUT}
KEEP_ALIVE = 25.0  # seconds; shorter than any server's, so that no request meets a closing one

# The base class of these is raised for a connection that broke after the request was written.
NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class _ContactNames(BaseModel):
    wa_id: str | None = None


class _MessageName(BaseModel):
    id: str


class _Acceptance(BaseModel):
    contacts: tuple[_ContactNames, ...] = ()
    messages: tuple[_MessageName, ...]


class _Error(BaseModel):
    code: int
    is_transient: bool = False


class _Refusal(BaseModel):
    error: _Error


class CloudChannel:
    def __init__(self, api_url: str, number_id: str, token: str, *, connections: int) -> None:
        limits = httpx.Limits(max_connections=connections, keepalive_expiry=KEEP_ALIVE)
        # The transport alone: cookies, redirects and authentication flows of a client would cost
        # half as much again for each message, and nothing here uses them.
        self._transport = AiohttpTransport(limits=limits)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._url = httpx.URL(f"{api_url.rstrip('/')}/{number_id}/messages")

    async def send(self, message: OutboundMessage) -> Accepted:
        body = json.dumps(payload_of(message), ensure_ascii=False).encode()
        parent = telemetry.context_from(message.traceparent)
        with telemetry.span("POST whatsapp messages", kind=SpanKind.CLIENT, parent=parent) as span:
            with _broken_connections_named():
                response = await self._post(body)
            span.set_attribute("http.response.status_code", response.status_code)
            return _answer(response)

    async def close(self) -> None:
        await self._transport.aclose()

    async def _post(self, body: bytes) -> httpx.Response:
        request = httpx.Request(
            "POST", self._url, headers=self._headers, content=body, extensions={"timeout": TIMEOUTS}
        )
        async with asyncio.timeout(TIMEOUT):
            response = await self._transport.handle_async_request(request)
            await response.aread()
        return response


@contextmanager
def _broken_connections_named() -> Iterator[None]:
    """By the cause: the transport calls a reset after the request was written a ConnectTimeout."""
    try:
        yield
    except (httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError) as error:
        cause = error.__cause__ or error
        raise (NotSent() if isinstance(cause, NEVER_CONNECTED) else OutcomeUnknown()) from error


def _answer(response: httpx.Response) -> Accepted:
    if response.is_success:
        return _acceptance(response)
    try:
        error = _Refusal.model_validate_json(response.content).error
    except ValidationError:
        if response.is_server_error or response.status_code == 408:
            raise OutcomeUnknown(response.status_code) from None
        raise SendRefused(None, response.status_code, retry_after=_retry_after(response)) from None
    raise SendRefused(
        error.code,
        response.status_code,
        is_transient=error.is_transient,
        retry_after=_retry_after(response),
    )


def _acceptance(response: httpx.Response) -> Accepted:
    try:
        answer = _Acceptance.model_validate_json(response.content)
        wa_id = answer.contacts[0].wa_id if answer.contacts else None
        return Accepted(answer.messages[0].id, wa_id)
    except (ValidationError, IndexError) as error:
        raise OutcomeUnknown(response.status_code) from error


def _retry_after(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("retry-after", "")
    return timedelta(seconds=min(int(seconds), 3600)) if seconds.isdecimal() else None
