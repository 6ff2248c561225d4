"""WhatsApp's Cloud API, as Meta hosts it."""

import json

import httpx
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, ValidationError

from common import telemetry
from common.clock import Clock, SystemClock
from messenger.channels import Accepted, OutboundMessage, OutcomeUnknown, SendRefused
from messenger.channels.cloud_media import CloudUploads
from messenger.channels.cloud_payloads import Json, payload_of, read_mark
from messenger.channels.connection import Connection, retry_after
from messenger.rendering import TemplateContent

TIMEOUT = 10.0  # seconds until an answer
READ_TIMEOUT = 5.0
UPLOAD_FAILED = 131053
REAL_TIME = SystemClock()


class _ContactNames(BaseModel):
    wa_id: str | None = None
    user_id: str | None = None


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
    def __init__(
        self,
        api_url: str,
        number_id: str,
        token: str,
        *,
        connections: int,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._connection = Connection({"Authorization": f"Bearer {token}"}, connections=connections)
        self._url = httpx.URL(f"{api_url.rstrip('/')}/{number_id}/messages")
        self._uploads = CloudUploads(api_url, number_id, token, clock)

    async def send(self, message: OutboundMessage) -> Accepted:
        parent = telemetry.context_from(message.traceparent)
        with telemetry.span("POST whatsapp messages", kind=SpanKind.CLIENT, parent=parent) as span:
            body = payload_of(message, media_id=await self._uploaded(message))
            response = await self._post(body, TIMEOUT)
            span.set_attribute("http.response.status_code", response.status_code)
            try:
                return _answer(response)
            except SendRefused as refusal:
                if message.attachment is not None and refusal.code == UPLOAD_FAILED:
                    self._uploads.forget(message.attachment)
                raise

    async def mark_read(self, provider_id: str, *, shows_typing: bool) -> bool:
        """Two ticks in blue, and the typing of a reply with them. Raises NotSent or
        OutcomeUnknown; nothing depends on it."""
        response = await self._post(read_mark(provider_id, shows_typing), READ_TIMEOUT)
        return response.is_success

    async def close(self) -> None:
        await self._connection.close()
        await self._uploads.close()

    async def _uploaded(self, message: OutboundMessage) -> str | None:
        """A template only announces what comes: nothing goes with it."""
        if message.attachment is None or isinstance(message.content, TemplateContent):
            return None
        return await self._uploads.id_of(message.attachment)

    async def _post(self, body: Json, timeout: float) -> httpx.Response:
        encoded = json.dumps(body, ensure_ascii=False).encode()
        return await self._connection.request("POST", self._url, encoded, timeout=timeout)


def _answer(response: httpx.Response) -> Accepted:
    if response.is_success:
        return _acceptance(response)
    try:
        error = _Refusal.model_validate_json(response.content).error
    except ValidationError:
        if response.is_server_error or response.status_code == 408:
            raise OutcomeUnknown(response.status_code) from None
        raise SendRefused(None, response.status_code, retry_after=retry_after(response)) from None
    raise SendRefused(
        error.code,
        response.status_code,
        is_transient=error.is_transient,
        retry_after=retry_after(response),
    )


def _acceptance(response: httpx.Response) -> Accepted:
    try:
        answer = _Acceptance.model_validate_json(response.content)
        names = answer.contacts[0] if answer.contacts else _ContactNames()
        return Accepted(answer.messages[0].id, names.wa_id or None, names.user_id or None)
    except (ValidationError, IndexError) as error:
        raise OutcomeUnknown(response.status_code) from error
