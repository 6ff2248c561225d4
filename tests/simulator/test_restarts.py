import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import nats
import pytest

from simulator.testing import ANA, Gateway, eventually, free_port, running

# The wheel puts the server beside the interpreter, which need not be on the PATH.
NATS_SERVER = shutil.which("nats-server") or shutil.which(
    "nats-server", path=str(Path(sys.executable).parent)
)


async def test_phones_chats_and_windows_outlive_a_restart(gateway: Gateway, tmp_path: Path) -> None:
    state = tmp_path / "kept" / "state.json"
    async with running(gateway, simulator_state=state) as simulator:
        await simulator.advance("PT2H")
        await simulator.say(text="oi", name="Ana")
        await simulator.send_text("Olá")
        await eventually(lambda: len(gateway.statuses) == 3)
        before = await simulator.transcript()
    async with running(gateway, simulator_state=state) as simulator:
        assert await simulator.transcript() == before
        phones = (await simulator.http.get("/control/phones")).json()
        assert (phones[0]["name"], phones[0]["wa_id"]) == ("Ana", ANA)
        assert (await simulator.http.get("/control/clock")).json()["offset_seconds"] == 7200
        message_id = await simulator.send_id("a janela segue aberta")
        await eventually(lambda: len(gateway.statuses_of(message_id)) == 3)


async def test_state_is_written_soon_after_a_change(gateway: Gateway, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with running(gateway, simulator_state=state) as simulator:
        await simulator.say(text="oi")
        await eventually(state.exists, seconds=3)
        assert json.loads(state.read_bytes())["phones"][0]["number"] == ANA


class Nats:
    def __init__(self, store: Path) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._store = store
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *[
                NATS_SERVER or "",
                "-a",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-js",
                "-sd",
                str(self._store),
            ],
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def stored_offset(self) -> float | None:
        try:
            client = await nats.connect(self.url, allow_reconnect=False, connect_timeout=1)
        except (nats.errors.Error, OSError):
            return None
        try:
            last = await client.jetstream().get_last_msg("CLOCK", "sabatina.clock.offset")
            return float(json.loads(last.data or b"{}")["offset_seconds"])
        except nats.js.errors.NotFoundError:
            return None
        finally:
            await client.close()

    async def has_offset(self, expected: float) -> None:
        for _ in range(100):
            if await self.stored_offset() == expected:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"the offset {expected} was not published")


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[Nats]:
    if not NATS_SERVER:
        pytest.skip("nats-server is not installed")
    server = Nats(tmp_path / "jetstream")
    yield server
    await server.stop()


async def test_the_clock_is_published_even_when_nats_comes_late(
    gateway: Gateway, nats_server: Nats
) -> None:
    async with running(gateway, nats_url=nats_server.url) as simulator:
        await simulator.advance("PT1H")
        await nats_server.start()
        await nats_server.has_offset(3600)
        await nats_server.stop()
        await nats_server.start()
        await simulator.advance("PT1H")
        await nats_server.has_offset(7200)


async def test_the_last_published_time_is_taken_over(gateway: Gateway, nats_server: Nats) -> None:
    await nats_server.start()
    async with running(gateway, nats_url=nats_server.url) as simulator:
        await simulator.advance("P2D")
        await nats_server.has_offset(2 * 86400)
    async with running(gateway, nats_url=nats_server.url) as simulator:
        for _ in range(100):
            clock = (await simulator.http.get("/control/clock")).json()
            if clock["offset_seconds"] == 2 * 86400:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the stored offset was not taken over")


async def test_it_stops_within_three_seconds_with_a_page_open(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "SABATINA_SIMULATOR_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "simulator"],
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        await until_healthy(http)
        async with http.stream("GET", "/control/events") as events:
            lines = events.aiter_lines()
            assert (await anext(lines)).startswith("retry")
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            output, _ = await process.communicate()
    assert time.monotonic() - started < 3
    assert b"seed" in output
    assert b"Traceback" not in output
    assert b"ERROR" not in output


async def until_healthy(http: httpx.AsyncClient) -> None:
    for _ in range(200):
        try:
            if (await http.get("/health")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("the simulator did not start")
