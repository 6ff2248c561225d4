import asyncio
import json
from datetime import datetime

import httpx
import pytest

from simulator.testing import ANA, Simulator, eventually

BUTTONS = {
    "type": "button",
    "body": {"text": "Pronto?"},
    "footer": {"text": "Sabatina"},
    "action": {
        "buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Sim"}},
            {"type": "reply", "reply": {"id": "no", "title": "Não"}},
        ]
    },
}
LIST = {
    "type": "list",
    "body": {"text": "Qual?"},
    "action": {
        "button": "Escolher",
        "sections": [{"rows": [{"id": "py", "title": "Python", "description": "3.11"}]}],
    },
}


async def test_a_button_is_tapped_by_id_or_title(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    answer = await simulator.send(type="interactive", interactive=BUTTONS)
    asked = answer.json()["messages"][0]["id"]
    for reply in ("yes", "não"):
        assert (await simulator.say(reply=reply)).status_code == 202
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    yes, no = simulator.gateway.messages[1:]
    assert yes["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "yes", "title": "Sim"},
    }
    assert yes["context"]["id"] == asked
    assert no["interactive"]["button_reply"]["id"] == "no"


async def test_a_list_row_is_chosen(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.send(type="interactive", interactive=LIST)
    await simulator.say(reply="Python")
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    assert simulator.gateway.messages[1]["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "py", "title": "Python", "description": "3.11"},
    }


async def test_a_button_far_up_in_the_chat_can_still_be_tapped(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    old = (await simulator.send(type="interactive", interactive=BUTTONS)).json()
    await simulator.send(type="interactive", interactive=LIST)
    assert (await simulator.say(reply="yes")).status_code == 404
    answer = await simulator.say(reply="yes", quote=old["messages"][0]["id"])
    assert answer.status_code == 202


async def test_an_unknown_reply_is_answered_with_the_options(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.send(type="interactive", interactive=BUTTONS)
    answer = await simulator.say(reply="talvez")
    assert answer.status_code == 404
    assert answer.json()["options"] == [
        {"id": "yes", "title": "Sim"},
        {"id": "no", "title": "Não"},
    ]
    assert len(await simulator.transcript()) == 2


async def test_the_transcript_shows_what_the_person_sees(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.send(type="interactive", interactive=BUTTONS)
    said, asked = await simulator.transcript()
    assert (said["from"], said["type"], said["text"]) == ("user", "text", "oi")
    assert asked["options"] == [{"id": "yes", "title": "Sim"}, {"id": "no", "title": "Não"}]
    assert (asked["from"], asked["footer"]) == ("bot", "Sabatina")
    assert datetime.fromisoformat(asked["at"]).tzinfo is not None
    assert await simulator.transcript("14155550100") == []


@pytest.mark.parametrize("kind", ["image", "audio", "sticker", "location", "unsupported"])
async def test_other_kinds_of_message_are_sent(simulator: Simulator, kind: str) -> None:
    assert (await simulator.say(type=kind)).status_code == 202
    await eventually(lambda: simulator.gateway.messages)
    message = simulator.gateway.messages[0]
    assert message["type"] == kind
    if kind == "unsupported":
        assert message["errors"][0]["code"] == 131051
    else:
        assert message[kind]
    assert kind != "audio" or message["audio"]["voice"] is True


async def test_a_reaction_names_the_message(simulator: Simulator) -> None:
    assert (await simulator.say(type="reaction")).status_code == 404
    await simulator.say(text="oi")
    target = await simulator.send_id()
    await simulator.say(type="reaction", emoji="🎉")
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    assert simulator.gateway.messages[1]["reaction"] == {"message_id": target, "emoji": "🎉"}


@pytest.mark.parametrize("said", [{}, {"text": "a", "reply": "b"}, {"txt": "a"}, {"type": "poll"}])
async def test_what_nobody_can_say_is_refused(simulator: Simulator, said: dict[str, str]) -> None:
    assert (await simulator.http.post(f"/control/phones/{ANA}/messages", json=said)).is_error
    assert (await simulator.say("12", text="x")).status_code == 422


async def test_the_clock_goes_forward_only(simulator: Simulator) -> None:
    before = (await simulator.http.get("/control/clock")).json()
    assert before["offset_seconds"] == 0
    for move in ({"advance": "PT24H"}, {"advance": "P1W"}):
        assert (await simulator.http.post("/control/clock", json=move)).status_code == 200
    after = (await simulator.http.get("/control/clock")).json()
    assert after["offset_seconds"] == 8 * 86400
    for move in ({"advance": "-PT1H"}, {"to": "2020-01-01T00:00:00Z"}, {}, {"advance": "soon"}):
        assert (await simulator.http.post("/control/clock", json=move)).status_code == 422


async def test_the_clock_goes_to_an_instant_or_to_the_next_nine(simulator: Simulator) -> None:
    await simulator.http.post("/control/clock", json={"to": "2126-12-01T11:00:00Z"})
    move = {"next": "09:00", "zone": "America/Sao_Paulo"}
    clock = (await simulator.http.post("/control/clock", json=move)).json()
    assert clock["now"].startswith("2126-12-01T12:00:00")
    clock = (await simulator.http.post("/control/clock", json=move)).json()
    assert clock["now"].startswith("2126-12-02T12:00:00")
    unknown = await simulator.http.post("/control/clock", json={**move, "zone": "Mars/Base"})
    assert unknown.status_code == 422


async def test_webhook_times_follow_the_clock(simulator: Simulator) -> None:
    await simulator.http.post("/control/clock", json={"to": "2126-12-01T09:00:00Z"})
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    sent_at = datetime.fromisoformat("2126-12-01T09:00:00+00:00").timestamp()
    assert 0 <= int(simulator.gateway.messages[0]["timestamp"]) - sent_at < 5


async def test_a_reset_forgets_everything_but_the_time(simulator: Simulator) -> None:
    await simulator.advance("PT1H")
    await simulator.say(text="oi")
    await simulator.send_text()
    await eventually(lambda: simulator.gateway.messages and len(simulator.gateway.statuses) == 3)
    await simulator.arm(target="send", kind="error")
    assert (await simulator.http.post("/control/reset")).status_code == 204
    for path in ("phones", "sent", "faults", "webhooks", f"phones/{ANA}/messages"):
        assert (await simulator.http.get(f"/control/{path}")).json() == []
    assert (await simulator.http.get("/control/clock")).json()["offset_seconds"] == 3600


async def test_the_page_and_its_files_are_served(simulator: Simulator) -> None:
    page = await simulator.http.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for name in ("app.js", "style.css", "icon.svg"):
        assert (await simulator.http.get(f"/page/{name}")).status_code == 200


async def test_events_tell_which_phone_changed(simulator: Simulator) -> None:
    seen: list[str] = []

    async def watch() -> None:
        async with simulator.http.stream("GET", "/control/events") as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    seen.extend(json.loads(line.removeprefix("data: ")))

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0.1)
    await simulator.say(text="oi")
    await eventually(lambda: f"phone:{ANA}" in seen)
    watcher.cancel()
    await asyncio.gather(watcher, return_exceptions=True)


async def test_health_names_the_seed(simulator: Simulator) -> None:
    answer: httpx.Response = await simulator.http.get("/health")
    assert answer.json() == {"status": "ok", "seed": 7, "webhooks_queued": 0}
