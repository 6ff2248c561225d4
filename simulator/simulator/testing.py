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
        self.refused = 0
        self.answer: Callable[[bytes], int] = lambda body: 200
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/webhook/whatsapp", self._receive)
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
