"""WhatsApp's Cloud API at the HTTP edge: keeps what it was sent and fails as it is told."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from aiohttp import web


@dataclass(frozen=True)
class Fault:
    """`is_accepted`: it takes the message all the same."""

    status: int = 0
    code: int | None = None
    is_accepted: bool = False
    drops_connection: bool = False
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class FakeWhatsApp:
    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []
        self.accepted: dict[str, str] = {}
        """Provider ids by tracker."""
        self.names: dict[str, dict[str, str]] = {}
        """What it calls people, by what they were called; itself when left out."""
        self.marks: list[dict[str, object]] = []
        """Read marks."""
        self.mark_faults: deque[Fault] = deque()
        self.faults: deque[Fault] = deque()
        self.constant_fault: Fault | None = None
        self.delay = 0.0
        self.in_flight = 0
        self.most_in_flight = 0
        self.gate: asyncio.Event | None = None
        self._ids = count(1)
        self.url = ""

    def trackers(self) -> list[str]:
        return [str(call["biz_opaque_callback_data"]) for call in self.sent]

    def kinds(self) -> list[str]:
        return [str(call["type"]) for call in self.sent]

    async def receive(self, request: web.Request) -> web.StreamResponse:
        call = json.loads(await request.read())
        if call.get("status") == "read":
            self.marks.append(call)
            return self._mark(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request, call)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: web.Request, call: dict[str, object]) -> web.StreamResponse:
        self.sent.append(call)
        if self.gate is not None:
            await self.gate.wait()
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = self.faults.popleft() if self.faults else self.constant_fault
        if fault is None or fault.is_accepted:
            answer = self._accept(call)
        if fault is None:
            return web.Response(body=answer, content_type="application/json")
        if fault.drops_connection:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0.05)
        return _error(fault)

    def _accept(self, call: dict[str, object]) -> bytes:
        provider_id = f"wamid.{next(self._ids)}"
        self.accepted[str(call["biz_opaque_callback_data"])] = provider_id
        to = str(call.get("to") or call["recipient"])
        return json.dumps(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, **self.names.get(to, {"wa_id": to})}],
                "messages": [{"id": provider_id}],
            }
        ).encode()

    def _mark(self, request: web.Request) -> web.StreamResponse:
        if not self.mark_faults:
            return web.json_response({"success": True})
        fault = self.mark_faults.popleft()
        if fault.drops_connection and request.transport is not None:
            request.transport.abort()
        return _error(fault)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeWhatsApp"]:
        app = web.Application()
        app.router.add_post("/v26.0/{number}/messages", self.receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v26.0"
        try:
            yield self
        finally:
            await runner.cleanup()


def _error(fault: Fault) -> web.Response:
    body = fault.body
    if fault.code is not None:
        body = json.dumps(
            {"error": {"message": "no", "type": "OAuthException", "code": fault.code}}
        )
    return web.Response(
        status=fault.status or 400,
        text=body or "",
        content_type="application/json" if fault.code is not None else "text/html",
        headers=dict(fault.headers),
    )
