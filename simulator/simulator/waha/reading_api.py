"""The calls that read: chats and their history, numbers, LIDs, files."""

from collections.abc import Iterable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from simulator.media import MediaStore
from simulator.numbers import InvalidNumber, canonical_number
from simulator.phones import Phones
from simulator.waha.announcing import Announcer
from simulator.waha.api import Handler, answer, query_number, query_value
from simulator.waha.chats import Chat, Chats
from simulator.waha.errors import BadRequest, NotFound
from simulator.waha.ids import bare_id, plain_chat_id
from simulator.waha.messages import Told
from simulator.waha.sessions import Session, Sessions
from simulator.waha.wire import Json, ack_name, seconds

_DEFAULT_OVERVIEW = 20
_DEFAULT_MESSAGES = 10
_EVERYTHING = 10**9

Item = TypeVar("Item")


class ReadingApi:
    def __init__(
        self,
        phones: Phones,
        sessions: Sessions,
        chats: Chats,
        *,
        media: MediaStore,
        announcer: Announcer,
    ) -> None:
        self._phones = phones
        self._sessions = sessions
        self._chats = chats
        self._media = media
        self._announcer = announcer

    def calls(self) -> list[tuple[str, str, Handler]]:
        chat = "/api/{session}/chats/{chat_id}"
        return [
            ("GET", "/api/{session}/chats", self._list_chats),
            ("GET", "/api/{session}/chats/overview", self._overview),
            ("POST", "/api/{session}/chats/overview", self._overview),
            ("GET", f"{chat}/messages", self._messages),
            ("GET", f"{chat}/messages/{{message_id}}", self._message),
            ("GET", "/api/contacts/check-exists", self._check_exists),
            ("GET", "/api/{session}/lids", self._list_lids),
            ("GET", "/api/{session}/lids/count", self._count_lids),
            ("GET", "/api/{session}/lids/pn/{number}", self._lid_of_number),
            ("GET", "/api/{session}/lids/{lid}", self._number_of_lid),
            ("GET", "/api/files/{session}/{filename}", self._file),
        ]

    def _session(self, request: Request) -> Session:
        return self._sessions.working(request.path_params["session"])

    async def _list_chats(self, request: Request, body: bytes) -> Response:
        self._session(request)
        chats = _page(request, self._chats.overview(), _EVERYTHING)
        return answer(
            [
                {
                    "id": chat.id,
                    "name": chat.name,
                    "conversationTimestamp": seconds(chat.last.message.at),
                }
                for chat in chats
            ]
        )

    async def _overview(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        wanted = set(request.query_params.getlist("ids"))
        chats = [chat for chat in self._chats.overview() if not wanted or chat.id in wanted]
        page = _page(request, chats, _DEFAULT_OVERVIEW)
        status = 201 if request.method == "POST" else 200
        return answer([self._summary(session, chat) for chat in page], status)

    def _summary(self, session: Session, chat: Chat) -> Json:
        last = self._announcer.teller(session).message(chat.last, with_media=False)
        at = seconds(chat.last.message.at)
        return {
            "id": chat.id,
            "name": chat.name,
            "picture": None,
            "lastMessage": last,
            "_chat": {"id": chat.id, "name": chat.name, "conversationTimestamp": at},
        }

    async def _messages(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        chat_id = plain_chat_id(request.path_params["chat_id"])
        found = [told for told in self._chats.messages(chat_id) if _is_wanted(request, told)]
        if query_value(request, "sortOrder") == "asc":
            found.reverse()
        page = _page(request, found, _DEFAULT_MESSAGES)
        teller, with_media = self._announcer.teller(session), _wants_media(request)
        return answer([teller.message(told, with_media=with_media) for told in page])

    async def _message(self, request: Request, body: bytes) -> Response:
        session = self._session(request)
        chat_id = plain_chat_id(request.path_params["chat_id"])
        told = self._chats.find(bare_id(request.path_params["message_id"]))
        if told is None or told.chat_id not in self._chats.names_of(chat_id):
            raise NotFound("Message not found")
        with_media = _wants_media(request)
        return answer(self._announcer.teller(session).message(told, with_media=with_media))

    async def _check_exists(self, request: Request, body: bytes) -> Response:
        self._sessions.working(query_value(request, "session", "default"))
        phone = query_value(request, "phone")
        if not phone:
            raise BadRequest("phone should not be empty")
        return answer(self._existence(phone.partition("@")[0]))

    def _existence(self, written: str) -> Json:
        """People whom nobody has met yet have WhatsApp, under the number as it is dialled."""
        try:
            number = canonical_number(written)
        except InvalidNumber:
            return {"numberExists": False, "chatId": None}
        known = self._phones.find(number)
        if known and not known.is_registered:
            return {"numberExists": False, "chatId": None}
        return {"numberExists": True, "chatId": f"{known.wa_id if known else number}@c.us"}

    async def _list_lids(self, request: Request, body: bytes) -> Response:
        self._session(request)
        return answer(_page(request, list(self._lids()), 100))

    async def _count_lids(self, request: Request, body: bytes) -> Response:
        self._session(request)
        return answer({"count": len(list(self._lids()))})

    async def _number_of_lid(self, request: Request, body: bytes) -> Response:
        self._session(request)
        lid = request.path_params["lid"].partition("@")[0] + "@lid"
        phone = self._chats.phone_with_lid(lid)
        is_known = phone is not None and phone.waha.is_number_known
        return answer({"lid": lid, "pn": f"{phone.wa_id}@c.us" if phone and is_known else None})

    async def _lid_of_number(self, request: Request, body: bytes) -> Response:
        self._session(request)
        number = request.path_params["number"].partition("@")[0]
        known = {str(row["pn"]): row for row in self._lids()}
        return answer(known.get(f"{number}@c.us", {"lid": None, "pn": f"{number}@c.us"}))

    def _lids(self) -> Iterable[Json]:
        for phone in self._phones.all():
            if phone.waha.lid_id and phone.waha.is_number_known:
                yield {"lid": phone.waha.lid_id, "pn": f"{phone.wa_id}@c.us"}

    async def _file(self, request: Request, body: bytes) -> Response:
        told = self._chats.find(request.path_params["filename"].partition(".")[0])
        media = told.message.media if told else None
        kept = self._media.find(media.id) if media and media.id else None
        if kept is None:
            raise NotFound("File not found")
        return Response(kept.data, media_type=kept.mime_type)


def _page(request: Request, items: list[Item], default: int) -> list[Item]:
    offset = query_number(request, "offset", 0)
    return items[offset : offset + query_number(request, "limit", default)]


def _wants_media(request: Request) -> bool:
    return query_value(request, "downloadMedia", "true") != "false"


def _is_wanted(request: Request, told: Told) -> bool:
    at = seconds(told.message.at)
    from_me = query_value(request, "filter.fromMe")
    ack = query_value(request, "filter.ack")
    if from_me and (from_me == "true") != told.from_me:
        return False
    if ack and (not told.from_me or ack != ack_name(told.ack)):
        return False
    earliest = query_number(request, "filter.timestamp.gte", 0)
    return earliest <= at <= query_number(request, "filter.timestamp.lte", _EVERYTHING * 10)
