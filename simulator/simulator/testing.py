"""Runs the simulator, and a receiver in the gateway's place, inside a test."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from aiohttp import web

from simulator.__main__ import Server
from simulator.settings import Settings
from simulator.stage import Stage

SIGNING_KEY = b"simulated-app-secret"
AUTHORIZED = {"Authorization": "Bearer simulated-access-token"}
WAHA_KEY = {"X-Api-Key": "simulated-waha-key"}
WAHA_SIGNING_KEY = b"simulated-waha-hmac-key"
ANA = "5511987654321"
NUMBER_PATH = "/v23.0/100000000000001/messages"

Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def eventually(condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


class Gateway:
    """A real HTTP receiver in the gateway's place, which refuses a wrong signature."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies: list[bytes] = []
        self.changes: list[Json] = []
        self.waha_events: list[Json] = []
        self.waha_headers: list[dict[str, str]] = []
        self.refused = 0
        self.answer: Callable[[bytes], int] = lambda body: 200
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/webhook/whatsapp", self._receive)
        app.router.add_post("/webhook/waha", self._receive_waha)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        expected = hmac.new(SIGNING_KEY, body, hashlib.sha256).hexdigest()
        if request.headers.get("X-Hub-Signature-256") != f"sha256={expected}":
            self.refused += 1
            return web.Response(status=401)
        status = self.answer(body)
        if status == 200:
            self.bodies.append(body)
            for entry in json.loads(body)["entry"]:
                self.changes += entry["changes"]
        return web.Response(status=status)

    async def _receive_waha(self, request: web.Request) -> web.Response:
        body = await request.read()
        expected = hmac.new(WAHA_SIGNING_KEY, body, hashlib.sha512).hexdigest()
        if request.headers.get("X-Webhook-Hmac") != expected:
            self.refused += 1
            return web.Response(status=401)
        status = self.answer(body)
        if status == 200:
            self.waha_events.append(json.loads(body))
            self.waha_headers.append(dict(request.headers))
        return web.Response(status=status)

    def waha(self, event: str) -> list[Json]:
        """The payloads of all events of one kind."""
        return [e["payload"] for e in self.waha_events if e["event"] == event]

    @property
    def messages(self) -> list[Json]:
        return [m for change in self.changes for m in change["value"].get("messages", [])]

    @property
    def statuses(self) -> list[Json]:
        return [s for change in self.changes for s in change["value"].get("statuses", [])]

    def statuses_of(self, message_id: str) -> list[str]:
        return [s["status"] for s in self.statuses if s["id"] == message_id]


class Simulator:
    """The running product, as tests see it: over HTTP."""

    def __init__(self, url: str, gateway: Gateway, http: httpx.AsyncClient) -> None:
        self.url = url
        self.gateway = gateway
        self.http = http

    async def say(self, phone: str = ANA, **said: object) -> httpx.Response:
        return await self.http.post(f"/control/phones/{phone}/messages", json=said)

    async def send(self, to: str = ANA, **message: Any) -> httpx.Response:
        return await self.http.post(
            NUMBER_PATH,
            json={"messaging_product": "whatsapp", "to": to, **message},
            headers=AUTHORIZED,
        )

    async def send_text(self, body: str = "Olá", to: str = ANA, **more: Any) -> httpx.Response:
        return await self.send(to, type="text", text={"body": body}, **more)

    async def send_id(self, body: str = "Olá", to: str = ANA, **more: Any) -> str:
        answer = await self.send_text(body, to, **more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["messages"][0]["id"])

    async def waha(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/waha{path}", headers=WAHA_KEY, **more)

    async def send_waha(self, text: str = "Olá", to: str = ANA, **more: Any) -> httpx.Response:
        chat_id = to if "@" in to else f"{to}@c.us"
        body = {"session": "default", "chatId": chat_id, "text": text, **more}
        return await self.waha("POST", "/api/sendText", json=body)

    async def say_waha(self, phone: str = ANA, **said: object) -> str:
        answer = await self.say(phone, channel="waha", **said)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def transcript(self, phone: str = ANA) -> list[Json]:
        messages: list[Json] = (await self.http.get(f"/control/phones/{phone}/messages")).json()
        return messages

    async def arm(self, **order: object) -> httpx.Response:
        return await self.http.post("/control/faults", json=order)

    async def advance(self, duration: str) -> None:
        answer = await self.http.post("/control/clock", json={"advance": duration})
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def running(gateway: Gateway, **settings: object) -> AsyncIterator[Simulator]:
    port = free_port()
    options = {
        "simulator_port": port,
        "gateway_url": f"http://127.0.0.1:{gateway.port}",
        "simulator_status_gap_seconds": 0.01,
        "simulator_seed": 7,
        **settings,
    }
    server = Server(Stage(Settings.model_validate(options)))
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or task.done())
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10) as http:
            yield Simulator(url, gateway, http)
    finally:
        server.should_exit = True
        await task


Start = Callable[..., Awaitable[Simulator]]
