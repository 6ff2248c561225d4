"""WhatsApp through WAHA: an unofficial client, which has to behave like a person."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import httpx
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from common import telemetry
from common.errors import DependencyUnavailable
from common.waha import chat_of
from messenger.channels import Accepted, NotSent, OutboundMessage, OutcomeUnknown, SendRefused
from messenger.channels.connection import retry_after
from messenger.channels.waha_api import Existence, WahaApi
from messenger.channels.waha_codes import WahaCode, code_of
from messenger.channels.waha_payloads import Json, request_of, sent_id, text_of
from messenger.waha.pace import Pace

SEND_WITHIN = 15.0  # seconds
COURTESY_WITHIN = 2.0  # seconds for what only looks polite

KeepChat = Callable[[UUID, str, str], Awaitable[None]]
"""Person, address, and the chat that WhatsApp has for it."""


class WahaChannel:
    def __init__(self, api: WahaApi, pace: Pace, keep_chat: KeepChat) -> None:
        self._api = api
        self._pace = pace
        self._keep_chat = keep_chat

    async def send(self, message: OutboundMessage) -> Accepted:
        parent = telemetry.context_from(message.traceparent)
        with telemetry.span("POST waha send", kind=SpanKind.CLIENT, parent=parent) as span:
            chat_id = message.chat_id or await self._find_chat(message)
            await self._behave(message, chat_id)
            path, body = request_of(message, self._api.session, chat_id)
            response = await self._api.post(path, body, timeout=SEND_WITHIN)
            span.set_attribute("http.response.status_code", response.status_code)
            return _answer(response)

    async def close(self) -> None:
        await self._api.close()

    async def _find_chat(self, message: OutboundMessage) -> str:
        """A number is asked about before its first message: Brazil's have two spellings, and a
        message to the wrong one is accepted and never arrives."""
        if (chat := chat_of(message.to)) is not None:
            return str(chat)
        try:
            response = await self._api.check_number(message.to)
        except OutcomeUnknown as error:
            raise NotSent from error
        if not response.is_success:
            raise _refusal(response)
        chat_id = _existing(response)
        if message.user_id is not None:
            with suppress(DependencyUnavailable):  # asked again the next time
                await self._keep_chat(message.user_id, message.to, chat_id)
        return chat_id

    async def _behave(self, message: OutboundMessage, chat_id: str) -> None:
        """Reads, then types for as long as the text takes."""
        chat: Json = {"session": self._api.session, "chatId": chat_id}
        if message.answers is not None:
            await self._courtesy("sendSeen", chat)
        typing = self._pace.typing_seconds(text_of(message))
        if typing > 0:
            await self._courtesy("startTyping", chat)
            await self._pace.sleep(typing)
            await self._courtesy("stopTyping", chat)

    async def _courtesy(self, path: str, body: Json) -> None:
        """Never holds up the message, whatever comes of it."""
        with suppress(NotSent, OutcomeUnknown):
            await self._api.post(path, body, timeout=COURTESY_WITHIN)


def _existing(response: httpx.Response) -> str:
    try:
        found = Existence.model_validate_json(response.content)
    except ValidationError:
        raise SendRefused(None, response.status_code) from None
    chat = chat_of(found.chat_id)
    if not found.is_there or chat is None:
        raise SendRefused(int(WahaCode.NOT_ON_WHATSAPP), response.status_code)
    return str(chat)


def _answer(response: httpx.Response) -> Accepted:
    if not response.is_success:
        if response.is_server_error or response.status_code == 408:
            raise OutcomeUnknown(response.status_code)
        raise _refusal(response)
    try:
        return Accepted(sent_id(response.content))
    except ValueError as error:
        raise OutcomeUnknown(response.status_code) from error


def _refusal(response: httpx.Response) -> SendRefused:
    code = code_of(response.status_code, response.content)
    number = None if code is None else int(code)
    return SendRefused(number, response.status_code, retry_after=retry_after(response))
