"""The calls that send."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import Clock
from simulator.connections import NoAnswer
from simulator.faults import FaultOrder, Faults, Kind
from simulator.phones import Phones
from simulator.transcript import DeliveryStatus
from simulator.waha import payloads
from simulator.waha.announcing import Announcer
from simulator.waha.api import Handler, answer
from simulator.waha.chats import Chats
from simulator.waha.errors import EngineFailure, SessionNotWorking, Unauthorized, Unprocessable
from simulator.waha.ids import Ids, bare_id, plain_chat_id
from simulator.waha.messages import Told
from simulator.waha.sending import WahaSending
from simulator.waha.sessions import Session, Sessions
from simulator.waha.wire import Json

_TO_MANY = ("@g.us", "@newsletter", "@broadcast")
_SENDS: dict[str, type[payloads.Outgoing]] = {
    "sendText": payloads.TextRequest,
    "sendImage": payloads.FileRequest,
    "sendFile": payloads.FileRequest,
    "sendVoice": payloads.FileRequest,
    "sendVideo": payloads.FileRequest,
    "sendPoll": payloads.PollRequest,
    "sendList": payloads.ListRequest,
}


class SendingApi:
    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        phones: Phones,
        sessions: Sessions,
        *,
        chats: Chats,
        sending: WahaSending,
        announcer: Announcer,
        ids: Ids,
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._phones = phones
        self._sessions = sessions
        self._chats = chats
        self._sending = sending
        self._announcer = announcer
        self._ids = ids

    def calls(self) -> list[tuple[str, str, Handler]]:
        sends = [("POST", f"/api/{name}", self._send_of(kind)) for name, kind in _SENDS.items()]
        return [
            *sends,
            ("POST", "/api/sendButtons", self._send_buttons),
            ("POST", "/api/sendSeen", self._seen),
            ("POST", "/api/{session}/chats/{chat_id}/messages/read", self._read_chat),
            ("POST", "/api/startTyping", self._typing_of(is_typing=True)),
            ("POST", "/api/stopTyping", self._typing_of(is_typing=False)),
            ("GET", "/api/{session}/new-message-id", self._new_id),
        ]

    def _send_of(self, kind: type[payloads.Outgoing]) -> Handler:
        async def send(request: Request, body: bytes) -> Response:
            call = payloads.parse(body, kind)
            session = self._sessions.working(call.session)
            if plain_chat_id(call.chatId).endswith(_TO_MANY):
                return self._sent_to_many(session, call)
            return await self._send(request, session, call)

        return send

    def _sent_to_many(self, session: Session, call: payloads.Outgoing) -> Response:
        """Nobody simulated is in a group: a list is refused there, the rest goes unheard."""
        if isinstance(call, payloads.ListRequest):
            raise Unprocessable("Lists can be sent to a single person only")
        return answer({"id": f"true_{call.chatId}_{call.id or self._ids.outgoing()}"}, 201)

    async def _send(self, request: Request, session: Session, call: payloads.Outgoing) -> Response:
        phone = self._chats.phone_at(plain_chat_id(call.chatId))
        fault = self._faults.strike("send", None, phone.number if phone else None, "waha")
        if fault:
            await self._happen_before(fault, request, session, call)
        fails = fault is not None and fault.kind is Kind.FAILED_STATUS
        told = self._sending.accept(session, call, fails=fails)
        if fault and fault.kind is Kind.TIMEOUT_AFTER_ACCEPTANCE:
            return NoAnswer(fault.delay.total_seconds())
        return answer(self._announcer.teller(session).answer(told), 201)

    async def _happen_before(
        self, fault: FaultOrder, request: Request, session: Session, call: payloads.Outgoing
    ) -> None:
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.delay.total_seconds())
        elif fault.kind is Kind.HTTP_500_BEFORE:
            raise self._failure(request, call, 500)
        elif fault.kind is Kind.ERROR and fault.code == 401:
            raise Unauthorized
        elif fault.kind is Kind.ERROR and fault.code == 422:
            raise SessionNotWorking(session.name, "STARTING")
        elif fault.kind is Kind.ERROR:
            code = fault.code if fault.code and 400 <= fault.code < 600 else 500
            raise self._failure(request, call, code)

    def _failure(self, request: Request, call: payloads.Outgoing, code: int) -> EngineFailure:
        now = self._clock.now().isoformat()
        path = request.url.path.removeprefix("/waha")
        return EngineFailure(path, call.model_dump(exclude_none=True), now, code)

    async def _send_buttons(self, request: Request, body: bytes) -> Response:
        """WhatsApp shows nobody such a message, and WAHA says nothing of that."""
        call = payloads.parse(body, payloads.Outgoing)
        self._sessions.working(call.session)
        return answer({"id": f"true_{plain_chat_id(call.chatId)}_{self._ids.outgoing()}"}, 201)

    async def _seen(self, request: Request, body: bytes) -> Response:
        call = payloads.parse(body, payloads.SeenRequest)
        session = self._sessions.working(call.session)
        named = call.messageIds or ((call.messageId,) if call.messageId else ())
        self._mark_read(session, plain_chat_id(call.chatId), {bare_id(name) for name in named})
        return answer({}, 201)

    async def _read_chat(self, request: Request, body: bytes) -> Response:
        session = self._sessions.working(request.path_params["session"])
        chat_id = plain_chat_id(request.path_params["chat_id"])
        read = self._mark_read(session, chat_id, set())
        return answer({"ids": [told.id for told in read]}, 201)

    def _mark_read(self, session: Session, chat_id: str, named: set[str]) -> list[Told]:
        """The named messages; without names, all that are unread."""
        if session.is_silent:
            return []
        read = [
            told
            for told in self._chats.messages(chat_id)
            if not told.from_me
            and told.message.status.may_become(DeliveryStatus.READ)
            and (not named or told.message.id in named)
        ]
        for told in read:
            if told.phone:
                self._phones.record_status(told.phone, told.message, DeliveryStatus.READ)
        return read

    def _typing_of(self, *, is_typing: bool) -> Handler:
        show: Callable[[Session, str], None] = self._start_typing if is_typing else self._stop

        async def typing(request: Request, body: bytes) -> Response:
            call = payloads.parse(body, payloads.ChatRequest)
            session = self._sessions.working(call.session)
            if session.is_connected:
                show(session, plain_chat_id(call.chatId))
            result: Json = {"result": True}
            return answer(result, 201)

        return typing

    def _start_typing(self, session: Session, chat_id: str) -> None:
        phone = self._chats.phone_at(chat_id)
        if phone:
            self._phones.show_typing(phone, self._clock.now())

    def _stop(self, session: Session, chat_id: str) -> None:
        phone = self._chats.phone_at(chat_id)
        if phone:
            phone.typing_until = None
            self._phones.touch(phone)

    async def _new_id(self, request: Request, body: bytes) -> Response:
        self._sessions.working(request.path_params["session"])
        return answer({"id": self._ids.outgoing()})
