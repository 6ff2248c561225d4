"""The phone page in a real browser, driven over the DevTools protocol."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.testing import ANA, Simulator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-port=0",
    "--window-size=1440,900",
)
WAIT_SECONDS = 20
LISTENING = re.compile(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/")
LIST = {
    "type": "list",
    "body": {"text": "Qual área?"},
    "action": {
        "button": "Escolher",
        "sections": [{"title": "Backend", "rows": [{"id": "py", "title": "Python"}]}],
    },
}
HOSTILE = "*Olá* <img src=x onerror=alert(1)>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


class Tab:
    """One page of a browser; `complaints` is what its console said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last_id = 0
        self.complaints: list[str] = []

    async def open(self, url: str) -> None:
        for domain in ("Runtime", "Log", "Page"):
            await self._call(f"{domain}.enable")
        await self._call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        answer = await self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def sees(self, text: str, inside: str = "body") -> None:
        """Waits until the text can be read."""
        script = f"document.querySelector({json.dumps(inside)})?.innerText ?? ''"
        shown = ""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while text not in (shown := await self.run(script)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{text!r} is not in {shown!r}; the console: {self.complaints}")

    async def click(self, selector: str) -> None:
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def type(self, selector: str, text: str) -> None:
        box = f"document.querySelector({json.dumps(selector)})"
        await self.run(f"{box}.value = {json.dumps(text)}; {box}.form?.requestSubmit()")

    async def _call(self, method: str, **params: object) -> Any:
        self._last_id += 1
        await self._socket.send_json({"id": self._last_id, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=WAIT_SECONDS)
            if message.get("id") == self._last_id:
                return message["result"]
            self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message["method"]:
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.complaints.append(str(params["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(params["entry"]))


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    browser = await asyncio.create_subprocess_exec(
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={tmp_path}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with aiohttp.ClientSession() as http:
            address = await _first_page(http, await _port(browser))
            async with http.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        browser.terminate()
        await browser.communicate()


async def _port(browser: asyncio.subprocess.Process) -> str:
    assert browser.stderr is not None
    async with asyncio.timeout(WAIT_SECONDS):
        async for line in browser.stderr:
            if found := LISTENING.search(line.decode()):
                return found[1]
    raise AssertionError("the browser ended before it listened")


async def _first_page(http: aiohttp.ClientSession, port: str) -> str:
    async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
        pages: list[dict[str, str]] = await answer.json()
    return next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")


async def test_a_chat_is_shown_and_nothing_in_it_runs(simulator: Simulator, tab: Tab) -> None:
    await simulator.say(text="oi", name="Ana")
    await simulator.send_id(HOSTILE)
    await tab.open(f"{simulator.url}/#{ANA}/cloud")
    await tab.sees("Olá <img src=x onerror=alert(1)>", "#messages")
    await tab.sees("24-hour window: 23 h 59 min left")
    assert await tab.run("document.querySelector('#messages strong').textContent") == "Olá"
    assert await tab.run("document.querySelector('#messages img')") is None
    assert tab.complaints == []


async def test_the_person_writes_and_chooses_from_a_list(simulator: Simulator, tab: Tab) -> None:
    await simulator.say(text="oi")
    await simulator.send(type="interactive", interactive=LIST)
    await tab.open(f"{simulator.url}/#{ANA}/cloud")
    await tab.sees("Escolher", "#messages")
    await tab.click("#messages .options button")
    await tab.sees("Backend", "#list-sheet")
    await tab.click("#list-rows button")
    await tab.sees("Python", "#messages .user:last-child")
    await tab.type("#composer textarea", "até amanhã")
    await tab.sees("até amanhã", "#messages .user:last-child")
    assert [message["text"] for message in await simulator.transcript()][-2:] == [
        "Python",
        "até amanhã",
    ]
    assert tab.complaints == []


async def test_a_tap_on_a_number_types_it_where_there_are_no_buttons(
    simulator: Simulator, tab: Tab
) -> None:
    await simulator.say(text="oi", channel="waha")
    await simulator.http.post(
        "/waha/api/sendText",
        json={"session": "default", "chatId": f"{ANA}@c.us", "text": "Idioma?\n1) Português"},
        headers={"X-Api-Key": "simulated-waha-key"},
    )
    await tab.open(f"{simulator.url}/#{ANA}/waha")
    await tab.sees("Português", "#messages")
    await tab.click("#messages .pick")
    await tab.sees("1", "#messages .user:last-child")
    said = (await simulator.transcript())[-1]
    assert (said["text"], said["channel"]) == ("1", "waha")
    assert tab.complaints == []


async def test_a_rename_keeps_how_waha_names_the_person(simulator: Simulator, tab: Tab) -> None:
    await simulator.say(text="oi")
    await simulator.http.put(f"/control/phones/{ANA}", json={"lid": "hidden"})
    await tab.open(f"{simulator.url}/#{ANA}")
    await tab.sees("Person 4321", "#people")
    await tab.run(
        "const name = document.querySelector('#chat-name');"
        "name.value = 'Ana'; name.dispatchEvent(new Event('change'))"
    )
    await tab.sees("Ana", "#people")
    person = (await simulator.http.get(f"/control/phones/{ANA}")).json()
    assert (person["name"], person["waha"]["lid"]) == ("Ana", "hidden")


async def test_every_tool_opens_without_a_complaint(simulator: Simulator, tab: Tab) -> None:
    await simulator.say(text="oi", channel="waha")
    await simulator.arm(target="send", kind="error", times=None)
    await tab.open(f"{simulator.url}/#{ANA}")
    await tab.sees("oi", "#messages")
    tools = await tab.run("[...document.querySelectorAll('#tool-tabs button')].map((b) => b.id)")
    assert len(tools) == 8
    for tool in tools:
        await tab.click(f"#{tool}")
        await tab.sees(await tab.run("document.querySelector('#tool-panels h2').innerText"))
        await asyncio.sleep(0.2)
        assert await tab.run("document.querySelector('.panel .problem').hidden"), tool
    await tab.sees("200", "#tool-panels .journal")
    assert tab.complaints == []
