import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator import payloads
from simulator.clock import Clock
from simulator.cloud_errors import CloudError, InvalidAccessToken, ServerFailure, UnknownObject
from simulator.connections import NoAnswer
from simulator.faults import FaultOrder, Faults, Kind
from simulator.journal import Journal
from simulator.phones import Phone
from simulator.sending import Sending
from simulator.settings import Settings
from simulator.template_api import TemplateApi
from simulator.transcript import Message

Handler = Callable[[Request, bytes], Awaitable[Response]]


class CloudApi:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        sending: Sending,
        templates: TemplateApi,
        journal: Journal,
    ) -> None:
        self._settings = settings
        self._token = settings.whatsapp_access_token.get_secret_value()
        self._clock = clock
        self._faults = faults
        self._sending = sending
        self._templates = templates
        self._journal = journal

    def routes(self) -> list[Route]:
        """Plain Starlette routes: FastAPI's argument handling would cost more than the rest."""
        number, account = "/{version}/{object_id}", "/{version}/{object_id}/message_templates"
        return [
            Route(number + "/messages", self._recorded(self._messages), methods=["POST"]),
            Route(account, self._recorded(self._list_templates), methods=["GET"]),
            Route(account, self._recorded(self._create_template), methods=["POST"]),
            Route("/{version}/{object_id:int}", self._recorded(self._number), methods=["GET"]),
        ]

    def _recorded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            try:
                self._check_token(request)
                response = await handler(request, body)
            except CloudError as error:
                response = _json(error.body(), error.http_status)
            self._journal.record(
                method=request.method,
                path=request.url.path,
                body=body,
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
        object_id = str(request.path_params["object_id"])
        if object_id != self._settings.whatsapp_phone_number_id:
            raise UnknownObject(object_id)

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
        return _json(_acceptance(call, phone, message))

    async def _list_templates(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.list(request.query_params.get("name")))

    async def _create_template(self, request: Request, body: bytes) -> Response:
        return _json(self._templates.create(body))

    async def _number(self, request: Request, body: bytes) -> Response:
        self._check_number(request)
        number = {
            "verified_name": "Sabatina (simulated)",
            "display_phone_number": self._settings.simulator_business_phone,
            "quality_rating": "GREEN",
            "id": self._settings.whatsapp_phone_number_id,
        }
        return _json(json.dumps(number).encode())


async def _happen_before(fault: FaultOrder) -> None:
    if fault.kind is Kind.DELAY:
        await asyncio.sleep(fault.delay.total_seconds())
    elif fault.kind is Kind.HTTP_500_BEFORE:
        raise ServerFailure
    elif fault.kind is Kind.ERROR and 400 <= fault.error_code < 600:
        raise ServerFailure(fault.error_code)
    elif fault.kind is Kind.ERROR:
        raise CloudError(fault.error_code)


def _acceptance(call: payloads.OutgoingMessage, phone: Phone, message: Message) -> bytes:
    accepted = {"id": message.id}
    if isinstance(call, payloads.TemplateMessage):
        accepted["message_status"] = "accepted"
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": call.to, "wa_id": phone.wa_id}],
        "messages": [accepted],
    }
    return json.dumps(answer).encode()


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
