import asyncio
import json

import pytest

from simulator.testing import ANA, Gateway, Json, Simulator, Start, eventually

CHAT = f"{ANA}@c.us"
SESSION = "/api/sessions/default"


async def status_of(simulator: Simulator) -> str:
    return str((await simulator.waha("GET", SESSION)).json()["status"])


async def becomes(simulator: Simulator, status: str) -> None:
    for _ in range(300):
        if await status_of(simulator) == status:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the session did not become {status}")


async def control(simulator: Simulator, **change: object) -> Json:
    answer = await simulator.http.post("/control/waha/session", json=change)
    assert answer.status_code == 200, answer.text
    view: Json = answer.json()
    return view


def told(gateway: Gateway) -> list[str]:
    return [payload["status"] for payload in gateway.waha("session.status")]


async def test_the_session_works_from_the_start(simulator: Simulator) -> None:
    info = (await simulator.waha("GET", SESSION)).json()
    assert (info["name"], info["status"]) == ("default", "WORKING")
    assert info["me"]["id"] == "5511400000000@c.us"
    assert [s["name"] for s in (await simulator.waha("GET", "/api/sessions")).json()] == ["default"]
    assert (await simulator.waha("GET", "/api/sessions/other")).status_code == 404


async def test_a_restart_goes_through_starting_and_is_told(start: Start) -> None:
    simulator = await start(simulator_waha_start_seconds=0.05)
    answer = await simulator.waha("POST", f"{SESSION}/restart")
    assert (answer.status_code, answer.json()["status"]) == (201, "STARTING")
    refused = await simulator.send_waha("Olá")
    assert refused.status_code == 422
    assert refused.json() == {
        "error": "Session status is not as expected. Try again later or restart the session",
        "session": "default",
        "status": "STARTING",
        "expected": ["WORKING"],
    }
    await becomes(simulator, "WORKING")
    await eventually(lambda: told(simulator.gateway)[-1:] == ["WORKING"])
    assert told(simulator.gateway) == ["STOPPED", "STARTING", "WORKING"]
    assert (await simulator.send_waha("Olá")).status_code == 201


async def test_starting_and_stopping_twice_is_the_same_as_once(simulator: Simulator) -> None:
    for _ in range(2):
        answer = await simulator.waha("POST", f"{SESSION}/stop")
        assert (answer.status_code, answer.json()["status"]) == (201, "STOPPED")
    assert (await simulator.waha("GET", "/api/sessions")).json() == []
    assert len((await simulator.waha("GET", "/api/sessions?all=true")).json()) == 1
    for _ in range(2):
        await simulator.waha("POST", f"{SESSION}/start")
    await becomes(simulator, "WORKING")
    await simulator.waha("POST", f"{SESSION}/start")
    assert await status_of(simulator) == "WORKING"


async def test_after_a_logout_somebody_must_scan_the_code(simulator: Simulator) -> None:
    await simulator.waha("POST", f"{SESSION}/logout")
    await becomes(simulator, "SCAN_QR_CODE")
    assert (await simulator.send_waha("Olá")).json()["status"] == "SCAN_QR_CODE"
    image = await simulator.waha("GET", "/api/default/auth/qr")
    assert image.content.startswith(b"\x89PNG")
    raw = (await simulator.waha("GET", "/api/default/auth/qr?format=raw")).json()
    assert raw["value"]
    path = "/waha/api/default/auth/qr?x-api-key=simulated-waha-key"
    as_json = await simulator.http.get(path, headers={"Accept": "application/json"})
    assert as_json.json()["mimetype"] == "image/png"
    assert (await control(simulator, scan=True))["status"] == "WORKING"
    assert (await simulator.send_waha("Olá")).status_code == 201
    assert (await simulator.waha("GET", "/api/default/auth/qr")).status_code == 422


async def test_an_unpaired_server_begins_with_the_code(start: Start) -> None:
    simulator = await start(simulator_waha_paired=False)
    assert await status_of(simulator) == "SCAN_QR_CODE"
    assert (await simulator.waha("GET", SESSION)).json()["me"] is None


async def test_a_session_can_be_made_to_fail(simulator: Simulator) -> None:
    await control(simulator, state="FAILED")
    assert (await simulator.send_waha("Olá")).json()["status"] == "FAILED"
    await eventually(lambda: told(simulator.gateway) == ["FAILED"])
    await simulator.waha("POST", f"{SESSION}/restart")
    await becomes(simulator, "WORKING")


async def test_a_silent_session_takes_everything_and_tells_nothing(simulator: Simulator) -> None:
    await control(simulator, silent=True)
    sent = await simulator.send_waha("Olá")
    assert sent.status_code == 201
    await simulator.say_waha(text="alguém aí?")
    await asyncio.sleep(0.1)
    assert await status_of(simulator) == "WORKING"
    assert simulator.gateway.waha_events == []
    assert [bubble["from"] for bubble in await simulator.transcript()] == ["user"]
    path = f"/api/default/chats/{CHAT}/messages?limit=10"
    history = (await simulator.waha("GET", path)).json()
    assert [message["body"] for message in history] == ["alguém aí?", "Olá"]
    await simulator.waha("POST", f"{SESSION}/restart")
    await becomes(simulator, "WORKING")
    await eventually(lambda: len(simulator.gateway.waha("message.ack")) == 3)
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["alguém aí?", "Olá"]
    assert simulator.gateway.waha("message") == []
    again = await simulator.send_waha("Olá", id=sent.json()["id"].rpartition("_")[2])
    assert again.status_code == 201
    assert len(await simulator.transcript()) == 2


@pytest.mark.parametrize("tells", [False, True])
async def test_what_came_while_stopped_is_told_only_with_the_backlog(
    start: Start, tells: bool
) -> None:
    simulator = await start(simulator_waha_backlog=tells)
    await simulator.waha("POST", f"{SESSION}/stop")
    await simulator.say_waha(text="durante a pausa")
    assert (await simulator.transcript())[0]["status"] == "sent"
    await simulator.waha("POST", f"{SESSION}/start")
    await becomes(simulator, "WORKING")
    await eventually(lambda: told(simulator.gateway)[-1:] == ["WORKING"])
    await asyncio.sleep(0.05)
    assert len(simulator.gateway.waha("message")) == int(tells)
    assert (await simulator.transcript())[0]["status"] == "delivered"
    chats = (await simulator.waha("GET", "/api/default/chats/overview")).json()
    assert chats[0]["lastMessage"]["body"] == "durante a pausa"


async def test_sessions_are_created_changed_and_deleted(simulator: Simulator) -> None:
    hook = {
        "url": f"http://127.0.0.1:{simulator.gateway.port}/webhook/waha",
        "events": ["session.status"],
        "hmac": {"key": "simulated-waha-hmac-key"},
        "customHeaders": [{"name": "X-Who", "value": "second"}],
    }
    body = {"name": "second", "config": {"webhooks": [hook], "metadata": {"a": "b"}}}
    created = await simulator.waha("POST", "/api/sessions", json=body)
    assert (created.status_code, created.json()["status"]) == (201, "STARTING")
    assert (await simulator.waha("POST", "/api/sessions", json=body)).status_code == 422
    own = "/api/sessions/second"
    await eventually(lambda: "SCAN_QR_CODE" in told(simulator.gateway))
    headers = [headers.get("X-Who") for headers in simulator.gateway.waha_headers]
    assert "second" in headers, "its own hook was told too"
    assert simulator.gateway.waha_events[-1]["metadata"] == {"a": "b"}
    changed = await simulator.waha("PUT", own, json={"config": {"metadata": {"a": "c"}}})
    assert changed.json()["config"]["metadata"] == {"a": "c"}
    assert (await simulator.waha("DELETE", own)).status_code == 200
    assert (await simulator.waha("GET", own)).status_code == 404


async def test_the_server_tells_its_version(simulator: Simulator) -> None:
    version = (await simulator.waha("GET", "/api/server/version")).json()
    assert (version["version"], version["engine"]) == ("2026.7.1", "GOWS")
    await simulator.advance("PT1M")
    assert (await simulator.waha("GET", "/api/server/status")).json()["uptime"] >= 60_000
    assert (await simulator.waha("GET", "/health")).json()["status"] == "ok"
    assert json.loads((await simulator.waha("GET", "/ping")).content) == {"message": "pong"}
