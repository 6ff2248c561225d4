import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import payloads
from simulator.clock import Clock
from simulator.cloud_errors import CloudError, InvalidAccessToken, ServerFailure, UnknownObject
from simulator.connections import NoAnswer
from simulator.faults import FaultOrder, Faults, Kind
from simulator.journal import Journal
from simulator.media_api import MediaApi
from simulator.number_view import number_view
from simulator.phones import Phone
from simulator.sending import Sending
from simulator.settings import Settings
from simulator.standing import Standing
from simulator.template_api import TemplateApi
from simulator.transcript import Message
from simulator.webhooks import Account

Handler = Callable[[Request, bytes], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Edges:
    """What the API is about: messages, media and templates."""

    sending: Sending
    media: MediaApi
    templates: TemplateApi


class CloudApi:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        account: Account,
        standing: Standing,
        edges: Edges,
        journal: Journal,
    ) -> None:
        self._settings = settings
        self._token = settings.whatsapp_access_token.get_secret_value()
        self._clock = clock
        self._faults = faults
        self._account = account
        self._standing = standing
        self._sending = edges.sending
        self._media = edges.media
        self._templates = edges.templates
        self._journal = journal

    def routes(self) -> list[Route]:
        """Plain Starlette routes: FastAPI's argument handling would cost more than the rest."""
        number, templates = "/{version}/{object_id}", "/{version}/{object_id}/message_templates"
        one = "/{version}/{object_id:int}"
        return [
            Route(number + "/messages", self._recorded(self._messages), methods=["POST"]),
            Route(number + "/media", self._recorded(self._upload), methods=["POST"]),
            Route("/media/{media_id}/{key}", self._recorded(self._download), methods=["GET"]),
            Route(templates, self._recorded(self._list_templates), methods=["GET"]),
            Route(templates, self._recorded(self._create_template), methods=["POST"]),
            Route(templates, self._recorded(self._delete_template), methods=["DELETE"]),
            Route(one, self._recorded(self._show), methods=["GET"]),
            Route(one, self._recorded(self._edit_template), methods=["POST"]),
            Route(one, self._recorded(self._delete_media), methods=["DELETE"]),
        ]

    def _recorded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            try:
                self._check_token(request)
                self._standing.check_call()
                response = await handler(request, body)
            except CloudError as error:
                response = _json(error.body(self._account.quirks), error.http_status)
            self._journal.record(
                method=request.method,
                path=request.url.path,
                body=_shown(request, body),
                at=self._clock.now(),
                status=None if isinstance(response, NoAnswer) else response.status_code,
            )
            return response

        return handle

    def _check_token(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise InvalidAccessToken

    def _check_number(self, request: Request) -> None:
        if _object_id(request) != self._settings.whatsapp_phone_number_id:
            raise UnknownObject(_object_id(request), request.method)

    async def _messages(self, request: Request, body: bytes) -> Response:
        self._check_number(request)
        call = payloads.parse_call(body)
        if isinstance(call, payloads.ReadMark):
            self._sending.mark_read(call)
            return _json(b'{"success":true}')
        return await self._send(call)

    async def _send(self, call: payloads.OutgoingMessage) -> Response:
        phone = self._sending.recipient(call)
        fault = self._faults.strike("send", phone=phone.number)
        if fault:
            await _happen_before(fault)
        failure_code = fault.error_code if fault and fault.kind is Kind.FAILED_STATUS else None
        message = self._sending.accept(call, phone, failure_code)
        if fault and fault.kind is Kind.TIMEOUT_AFTER_ACCEPTANCE:
            return NoAnswer(fault.delay.total_seconds())
        return _json(self._acceptance(call, phone, message))

    def _acceptance(self, call: payloads.OutgoingMessage, phone: Phone, message: Message) -> bytes:
        accepted = {"id": message.id}
        if isinstance(call, payloads.TemplateMessage):
            accepted["message_status"] = "accepted"
        contact = {
            "input": call.addressed_to,
            "wa_id": phone.wa_id if call.to else phone.shown_wa_id,
            "user_id": self._account.user_id_of(phone),
        }
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{key: value for key, value in contact.items() if value is not None}],
            "messages": [accepted],
        }
        return json.dumps(answer).encode()

    async def _upload(self, request: Request, body: bytes) -> Response:
        self._check_number(request)
        fault = self._faults.strike("media")
        if fault:
            await _happen_before(fault)
        return _json(self._media.upload(request.headers.get("content-type", ""), body))

    async def _download(self, request: Request, body: bytes) -> Response:
        fault = self._faults.strike("media")
        if fault:
            await _happen_before(fault)
        media = self._media.download(request.path_params["media_id"], request.path_params["key"])
        return Response(media.data, media_type=media.mime_type)

    async def _delete_media(self, request: Request, body: bytes) -> Response:
        return _json(self._media.delete(_object_id(request)))

    async def _list_templates(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.list(request.query_params, request.url))

    async def _create_template(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.create(body))

    async def _edit_template(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.edit(_object_id(request), body))

    async def _delete_template(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.delete(request.query_params))

    async def _show(self, request: Request, body: bytes) -> Response:
        """Graph ids share one path: a number, the account, a template or a file."""
        object_id = _object_id(request)
        if object_id == self._settings.whatsapp_phone_number_id:
            return _json(number_view(self._settings, self._standing))
        if object_id == self._settings.simulator_business_account_id:
            return _json(json.dumps({"id": object_id, "name": "Sabatina (simulated)"}).encode())
        if self._templates.has(object_id):
            return _json(self._templates.show(object_id))
        wanted = request.query_params.get("phone_number_id")
        if wanted not in {None, self._settings.whatsapp_phone_number_id}:
            raise UnknownObject(object_id, request.method)
        base_url = str(request.base_url).rstrip("/")
        return _json(self._media.describe(object_id, base_url))


async def _happen_before(fault: FaultOrder) -> None:
    if fault.kind is Kind.DELAY:
        await asyncio.sleep(fault.delay.total_seconds())
    elif fault.kind is Kind.HTTP_500_BEFORE:
        raise ServerFailure
    elif fault.kind is Kind.ERROR and 400 <= fault.error_code < 600:
        raise ServerFailure(fault.error_code)
    elif fault.kind is Kind.ERROR:
        raise CloudError(fault.error_code)


def _object_id(request: Request) -> str:
    return str(request.path_params["object_id"])


def _shown(request: Request, body: bytes) -> bytes:
    """Files would fill the journal's memory."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        return json.dumps({"multipart_bytes": len(body)}).encode()
    return body


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
