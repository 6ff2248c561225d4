import hashlib
import hmac
import json

import httpx
import pytest

from simulator.testing import ANA, Gateway, Simulator, Start, eventually, running

CHAT = f"{ANA}@c.us"


async def acks_of(simulator: Simulator, bare_id: str) -> list[int]:
    acks = simulator.gateway.waha("message.ack")
    return [ack["ack"] for ack in acks if ack["id"].endswith(bare_id)]


async def test_a_text_is_accepted_shown_and_acknowledged_step_by_step(simulator: Simulator) -> None:
    answer = await simulator.send_waha("Olá, Ana")
    assert answer.status_code == 201
    sent = answer.json()
    assert sent["id"].startswith(f"true_{CHAT}_3EB0")
    assert (sent["fromMe"], sent["source"], sent["body"]) == (True, "api", "Olá, Ana")
    bubble = (await simulator.transcript())[0]
    assert (bubble["channel"], bubble["text"], bubble["from"]) == ("waha", "Olá, Ana", "bot")
    await eventually(lambda: len(simulator.gateway.waha("message.ack")) == 3)
    acks = simulator.gateway.waha("message.ack")
    assert [(ack["ack"], ack["ackName"]) for ack in acks] == [
        (1, "SERVER"),
        (2, "DEVICE"),
        (3, "READ"),
    ]
    assert {ack["id"] for ack in acks} == {sent["id"]}
    assert (await simulator.transcript())[0]["status"] == "read"


async def test_noweb_answers_with_its_own_object(start: Start) -> None:
    simulator = await start(simulator_waha_engine="NOWEB")
    sent = (await simulator.send_waha("Olá")).json()
    assert sent["key"]["remoteJid"] == f"{ANA}@s.whatsapp.net"
    assert sent["key"]["fromMe"] is True
    assert sent["message"] == {"conversation": "Olá"}
    assert sent["status"] == 1


async def test_what_a_person_writes_arrives_in_a_signed_envelope(simulator: Simulator) -> None:
    message_id = await simulator.say_waha(text="Olá 😀", name="Ana")
    await eventually(lambda: simulator.gateway.waha_events)
    event, headers = simulator.gateway.waha_events[0], simulator.gateway.waha_headers[0]
    assert (event["event"], event["session"], event["engine"]) == ("message", "default", "GOWS")
    assert event["id"].startswith("evt_")
    assert len(event["id"]) == 30
    assert event["environment"]["version"] == "2026.7.1"
    payload = event["payload"]
    assert payload["id"] == f"false_{CHAT}_{message_id}"
    assert (payload["from"], payload["body"], payload["fromMe"]) == (CHAT, "Olá 😀", False)
    assert payload["_data"]["Info"]["PushName"] == "Ana"
    assert payload["ackName"] == "UNKNOWN"
    assert headers["X-Webhook-Hmac-Algorithm"] == "sha512"
    assert headers["X-Webhook-Request-Id"]
    assert headers["X-Webhook-Timestamp"].isdigit()
    assert headers["User-Agent"] == "WAHA/2026.7.1"


def test_the_documented_signature_comes_out() -> None:
    body = b'{"event":"message","session":"default","engine":"WEBJS"}'
    signature = hmac.new(b"my-secret-key", body, hashlib.sha512).hexdigest()
    assert signature.startswith("208f8a55dde9e055")
    assert signature.endswith("76153fa89")


async def test_noweb_names_people_in_its_own_way(start: Start) -> None:
    simulator = await start(simulator_waha_engine="NOWEB")
    await simulator.say_waha(text="oi", name="Ana")
    await eventually(lambda: simulator.gateway.waha("message"))
    data = simulator.gateway.waha("message")[0]["_data"]
    assert data["pushName"] == "Ana"
    assert data["key"]["remoteJid"] == f"{ANA}@s.whatsapp.net"
    assert data["message"] == {"conversation": "oi"}


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_every_call_wants_the_key(simulator: Simulator, key: str) -> None:
    for method, path in (("GET", "/ping"), ("POST", "/api/sendText"), ("GET", "/api/sessions")):
        answer = await simulator.http.request(method, f"/waha{path}", headers={"X-Api-Key": key})
        assert answer.status_code == 401
        assert answer.json() == {"message": "Unauthorized", "statusCode": 401}


async def test_the_key_may_be_in_the_query(simulator: Simulator) -> None:
    answer = await simulator.http.get("/waha/ping", params={"x-api-key": "simulated-waha-key"})
    assert answer.json() == {"message": "pong"}


async def test_the_same_id_twice_is_one_bubble_and_is_counted(simulator: Simulator) -> None:
    new = await simulator.waha("GET", "/api/default/new-message-id")
    own_id = new.json()["id"]
    first = await simulator.send_waha("uma vez", id=own_id)
    second = await simulator.send_waha("uma vez", id=own_id)
    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"] == f"true_{CHAT}_{own_id}"
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["uma vez"]
    control = (await simulator.http.get("/control/waha")).json()
    assert control["repeats"] == {own_id: 1}
    found = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages/{own_id}")
    assert found.json()["id"] == f"true_{CHAT}_{own_id}"


async def test_a_brazilian_number_in_the_wrong_form_is_accepted_and_reaches_nobody(
    simulator: Simulator,
) -> None:
    old_form = "551187654321"
    answer = await simulator.send_waha("Olá", to=old_form)
    assert answer.status_code == 201
    assert await simulator.transcript() == []
    right = (await check(simulator, old_form)).json()
    assert right == {"numberExists": True, "chatId": CHAT}
    await simulator.send_waha("agora sim", to=right["chatId"])
    await eventually(lambda: len(simulator.gateway.waha("message.ack")) == 3)
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["agora sim"]
    assert (await simulator.http.get("/control/waha")).json()["strays"] == 1


async def check(simulator: Simulator, phone: str) -> httpx.Response:
    params = {"phone": phone, "session": "default"}
    return await simulator.waha("GET", "/api/contacts/check-exists", params=params)


async def test_numbers_are_checked_in_the_form_that_whatsapp_has(simulator: Simulator) -> None:
    await simulator.http.put(f"/control/phones/{ANA}", json={"wa_id_form": "without_ninth_digit"})
    assert (await check(simulator, ANA)).json()["chatId"] == "551187654321@c.us"
    assert (await check(simulator, "12")).json() == {"numberExists": False, "chatId": None}
    assert (await check(simulator, "")).status_code == 400


async def test_the_overview_shows_the_newest_chat_first_in_pages(simulator: Simulator) -> None:
    others = ["14155550101", "14155550102", "14155550103"]
    for number in others:
        await simulator.say_waha(number, text=f"from {number}")
    await simulator.send_waha("last", to=others[0])
    page = await simulator.waha("GET", "/api/default/chats/overview", params={"limit": 2})
    assert [chat["id"] for chat in page.json()] == [f"{others[0]}@c.us", f"{others[2]}@c.us"]
    assert page.json()[0]["lastMessage"]["body"] == "last"
    rest = await simulator.waha("GET", "/api/default/chats/overview?limit=2&offset=2")
    assert [chat["id"] for chat in rest.json()] == [f"{others[1]}@c.us"]
    assert len((await simulator.waha("GET", "/api/default/chats")).json()) == 3


async def test_a_history_is_read_in_pages_and_between_times(simulator: Simulator) -> None:
    await simulator.say_waha(text="um")
    await simulator.advance("PT1H")
    await simulator.send_waha("dois")
    await simulator.say_waha(text="três")
    path = f"/api/default/chats/{CHAT.replace('@', '%40')}/messages"
    everything = (await simulator.waha("GET", path, params={"limit": 100})).json()
    assert [message["body"] for message in everything] == ["três", "dois", "um"]
    assert "body" in everything[0]
    since = everything[1]["timestamp"]
    later = await simulator.waha("GET", f"{path}?limit=9&filter.timestamp.gte={since}")
    assert [message["body"] for message in later.json()] == ["três", "dois"]
    theirs = await simulator.waha("GET", f"{path}?limit=1&offset=1&filter.fromMe=false")
    assert [message["body"] for message in theirs.json()] == ["um"]


async def test_a_message_id_may_have_any_form_of_the_chat(simulator: Simulator) -> None:
    message_id = await simulator.say_waha(text="oi")
    for name in (message_id, f"false_{CHAT}_{message_id}", f"false_123@lid_{message_id}"):
        found = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages/{name}")
        assert found.json()["body"] == "oi", name
    missing = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages/none")
    assert missing.status_code == 404


async def test_typing_shows_and_seen_marks(simulator: Simulator) -> None:
    await simulator.say_waha(text="oi")
    chat = {"session": "default", "chatId": CHAT}
    assert (await simulator.waha("POST", "/api/sendSeen", json=chat)).status_code == 201
    assert (await simulator.transcript())[0]["status"] == "read"
    await simulator.waha("POST", "/api/startTyping", json=chat)
    phones = (await simulator.http.get("/control/phones")).json()
    assert phones[0]["typing_until"] is not None
    answer = await simulator.waha("POST", "/api/stopTyping", json=chat)
    assert (answer.status_code, answer.json()) == (201, {"result": True})
    phones = (await simulator.http.get("/control/phones")).json()
    assert phones[0]["typing_until"] is None


async def test_without_receipts_nothing_is_read(simulator: Simulator) -> None:
    await simulator.http.put(f"/control/phones/{ANA}", json={"receipts": False})
    await simulator.send_waha("Olá")
    await simulator.say_waha("14155550101", text="later")
    await eventually(lambda: len(simulator.gateway.waha("message.ack")) == 2)
    assert (await simulator.transcript())[0]["status"] == "delivered"


@pytest.mark.parametrize("body", [b"{", b'{"session":"default"}', b"[]"])
async def test_a_broken_body_is_refused(simulator: Simulator, body: bytes) -> None:
    answer = await simulator.waha("POST", "/api/sendText", content=body)
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == 400


async def test_what_waha_does_not_check_goes_through(simulator: Simulator) -> None:
    chat = {"session": "default", "chatId": CHAT}
    assert (await simulator.waha("POST", "/api/sendText", json=chat)).status_code == 201
    answer = await simulator.waha("POST", "/api/sendText", json={**chat, "text": 7})
    assert answer.status_code == 201
    plus = await simulator.send_waha("Olá", to=f"+{ANA}")
    assert plus.status_code == 201
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["", "7"]


async def test_groups_hear_nothing_and_buttons_are_not_shown(simulator: Simulator) -> None:
    assert (await simulator.send_waha("Olá", to="12036300@g.us")).status_code == 201
    buttons = {"session": "default", "chatId": CHAT, "body": "?", "buttons": []}
    assert (await simulator.waha("POST", "/api/sendButtons", json=buttons)).status_code == 201
    assert await simulator.transcript() == []
    assert (await simulator.waha("GET", "/api/default/chats")).json() == []


async def test_ids_repeat_with_the_seed_and_survive_a_reset(gateway: Gateway) -> None:
    ids = []
    for _ in range(2):
        async with running(gateway, simulator_seed=11) as simulator:
            first = (await simulator.send_waha("Olá")).json()["id"]
            await simulator.http.post("/control/reset")
            ids.append((first, (await simulator.send_waha("Olá")).json()["id"]))
    assert ids[0] == ids[1]
    assert ids[0][0] != ids[0][1]


async def test_calls_and_webhooks_are_in_the_journals(simulator: Simulator) -> None:
    await simulator.send_waha("Olá")
    await eventually(lambda: simulator.gateway.waha("message.ack"))
    calls = (await simulator.http.get("/control/sent")).json()
    assert [(call["path"], call["status"]) for call in calls] == [("/waha/api/sendText", 201)]
    assert calls[0]["body"]["text"] == "Olá"
    posted = (await simulator.http.get("/control/webhooks")).json()
    assert (posted[0]["path"], posted[0]["attempt"]) == ("/webhook/waha", 1)


async def test_what_is_kept_survives_a_restart(gateway: Gateway, tmp_path: object) -> None:
    state = f"{tmp_path}/state.json"
    async with running(gateway, simulator_state=state) as simulator:
        await simulator.http.put(f"/control/phones/{ANA}", json={"lid": "hidden"})
        await simulator.say_waha(text="oi")
        await simulator.send_waha("a ninguém", to="551187654321")
        await simulator.http.post("/control/waha/session", json={"state": "FAILED"})
        chats = gateway.waha("message")
        before = await simulator.transcript()
    assert chats is not None
    async with running(gateway, simulator_state=state) as simulator:
        assert await simulator.transcript() == before
        control = (await simulator.http.get("/control/waha")).json()
        assert (control["status"], control["strays"]) == ("FAILED", 1)
        await simulator.http.post("/control/waha/session", json={"state": "WORKING"})
        lid = (await simulator.http.get("/control/phones")).json()[0]["waha"]["lid_number"]
        history = await simulator.waha("GET", f"/api/default/chats/{lid}@lid/messages?limit=5")
        assert [message["body"] for message in history.json()] == ["oi"]
        again = await simulator.say_waha(text="de novo")
        assert again not in json.dumps(before)
