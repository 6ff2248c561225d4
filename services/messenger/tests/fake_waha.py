"""WAHA at the HTTP edge: a session, its chats and what was sent, failing as it is told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web

from .fakes import Fault

SESSION = "default"
KEY = "simulated-key"
COURTESIES = ("sendSeen", "startTyping", "stopTyping")
SENDS = ("sendText", "sendImage", "sendFile")
Json = dict[str, object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeWaha:
    status: str = "WORKING"
    version: str = "2026.7.1"
    engine: str = "GOWS"
    shape: str = "text"
    numbers: dict[str, str | None] = field(default_factory=dict)
    """The chat of a number, where it is another than its digits; None: not on WhatsApp."""
    lids: dict[str, str | None] = field(default_factory=dict)
    history: dict[str, list[Json]] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    constant_fault: Fault | None = None
    courtesy_status: int = 201
    check_status: int = 200
    lookup_status: int | None = None
    session_status: int = 200
    history_status: int = 200
    delay: float = 0.0
    gate: asyncio.Event | None = None
    in_flight: int = 0
    most_in_flight: int = 0
    asked: list[str] = field(default_factory=list)
    """Every request, as `METHOD path`."""
    posted: list[tuple[str, Json]] = field(default_factory=list)
    sent: list[Json] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    """The chat of each message that WhatsApp has, by its bare id."""
    url: str = ""

    def texts(self) -> list[str]:
        return [str(call.get("text", call.get("caption"))) for call in self.sent]

    def says(self, chat: str, message_id: str, text: str, at: float, **more: object) -> None:
        """A person writes: it is in the history, and no webhook tells of it."""
        message: Json = {
            "id": f"false_{chat}_{message_id}",
            "timestamp": int(at),
            "from": chat,
            "fromMe": False,
            "body": text,
            "hasMedia": False,
            "_data": {},
        }
        self.history.setdefault(chat, []).append(message | more)

    async def _send(self, request: web.Request, call: Json) -> web.StreamResponse:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request, call)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: web.Request, call: Json) -> web.StreamResponse:
        if self.status != "WORKING":
            body = {"error": "wrong state", "session": SESSION, "status": self.status}
            return web.json_response(body, status=422)
        self.sent.append(call)
        if self.gate is not None:
            await self.gate.wait()
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = self.faults.popleft() if self.faults else self.constant_fault
        if fault is None or fault.is_accepted:
            answer = self._accept(call)
        if fault is None:
            return web.json_response(answer, status=201)
        if fault.drops_connection:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0.05)
        echoed = {"statusCode": fault.status, "request": {"body": call}}
        return web.json_response(echoed, status=fault.status or 400)

    def _accept(self, call: Json) -> Json:
        chat = str(call["chatId"])
        message_id = str(call.get("id") or f"3EB0{len(self.sent):018X}")
        self.messages[message_id] = chat
        full = f"true_{chat}_{message_id}"
        forms: dict[str, Json] = {
            "text": {"id": full, "timestamp": 1},
            "serialized": {"id": {"_serialized": full}},
            "key": {"key": {"remoteJid": chat, "fromMe": True, "id": message_id}},
            "none": {"ok": True},
        }
        return forms[self.shape]

    async def _post(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        call = json.loads(await request.read() or b"{}")
        self.posted.append((path, call))
        if path in COURTESIES:
            return web.json_response({"result": True}, status=self.courtesy_status)
        if path in SENDS:
            return await self._send(request, call)
        if path in (f"sessions/{SESSION}/start", f"sessions/{SESSION}/restart"):
            self.status = "STARTING"
            return web.json_response({"name": SESSION, "status": self.status}, status=201)
        return web.json_response({}, status=404)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path == "contacts/check-exists":
            return self._check(request.query["phone"])
        if path == f"sessions/{SESSION}":
            answer = {"name": SESSION, "status": self.status}
            return web.json_response(answer, status=self.session_status)
        if path == "server/version":
            return web.json_response({"version": self.version, "engine": self.engine})
        if path.startswith(f"{SESSION}/lids/"):
            lid = unquote(path.rsplit("/", 1)[-1])
            return web.json_response({"lid": lid, "pn": self.lids.get(lid)})
        if path == f"{SESSION}/chats/overview":
            return self._overview(request)
        if path.startswith(f"{SESSION}/chats/"):
            return self._in_chat(request, path)
        return web.json_response({}, status=404)

    def _check(self, phone: str) -> web.Response:
        chat = self.numbers.get(phone, f"{phone}@c.us")
        found = {"numberExists": chat is not None, "chatId": chat}
        return web.json_response(found, status=self.check_status)

    def _overview(self, request: web.Request) -> web.Response:
        newest = sorted(self.history.items(), key=lambda one: -_time(one[1][-1]))
        chats: list[Json] = [
            {"id": chat, "name": None, "lastMessage": said[-1]} for chat, said in newest
        ]
        return web.json_response(_page(chats, request))

    def _in_chat(self, request: web.Request, path: str) -> web.Response:
        chat, _, message = unquote(path.removeprefix(f"{SESSION}/chats/")).partition("/messages")
        if message:
            if self.lookup_status is not None:
                return web.json_response({}, status=self.lookup_status)
            bare = message.rsplit("_", 1)[-1]
            is_there = self.messages.get(bare) == chat
            return web.json_response({"id": message}, status=200 if is_there else 404)
        since = float(request.query.get("filter.timestamp.gte", 0))
        said = [one for one in self.history.get(chat, []) if _time(one) >= since]
        return web.json_response(_page(said[::-1], request), status=self.history_status)

    async def _guarded(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.match_info['path']}")
        if request.headers.get("X-Api-Key") != KEY:
            return web.json_response({"message": "Unauthorized", "statusCode": 401}, status=401)
        return await (self._get if request.method == "GET" else self._post)(request)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeWaha"]:
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_route("*", "/api/{path:.*}", self._guarded)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _time(message: Json) -> float:
    return float(str(message["timestamp"]))


def _page(items: list[Json], request: web.Request) -> list[Json]:
    offset, limit = int(request.query.get("offset", 0)), int(request.query["limit"])
    return items[offset : offset + limit]
