import base64
import json

import pytest

from simulator.testing import ANA, Json, Simulator, Start, eventually

CHAT = f"{ANA}@c.us"
MENU = "Escolha a área:\n1) Backend — servidores\n2) Dados\n*3.* Infra\n\nÀs 09:00 ou 10:30."


async def told(simulator: Simulator, event: str = "message") -> Json:
    await eventually(lambda: simulator.gateway.waha(event))
    payload: Json = simulator.gateway.waha(event)[-1]
    return payload


async def change(simulator: Simulator, **wanted: object) -> Json:
    answer = await simulator.http.put(f"/control/phones/{ANA}", json=wanted)
    assert answer.status_code == 200, answer.text
    view: Json = answer.json()
    return view


@pytest.mark.parametrize(
    ("reply", "typed"), [("2", "2"), ("Dados", "2"), ("dados", "2"), ("Infra", "3"), ("Back", "1")]
)
async def test_a_reply_is_the_number_that_a_person_would_type(
    simulator: Simulator, reply: str, typed: str
) -> None:
    await simulator.send_waha(MENU)
    await simulator.say_waha(reply=reply)
    assert (await told(simulator))["body"] == typed


async def test_a_reply_may_be_a_word_that_the_text_offers(simulator: Simulator) -> None:
    await simulator.send_waha("*Pergunta do dia*\n\nResponda ou diga *pular* ou *denunciar*.")
    await simulator.say_waha(reply="Pular")
    assert (await told(simulator))["body"] == "pular"
    assert (await simulator.say(channel="waha", reply="Pergunta do dia")).status_code == 404


async def test_a_reply_that_is_not_offered_is_unknown(simulator: Simulator) -> None:
    await simulator.send_waha(MENU)
    answer = await simulator.say(channel="waha", reply="4")
    assert answer.status_code == 404
    assert [option["id"] for option in answer.json()["options"]] == ["1", "2", "3"]


async def test_without_a_channel_people_answer_in_the_last_chat(simulator: Simulator) -> None:
    await simulator.send_waha("Olá")
    await simulator.say(text="oi")
    assert (await told(simulator))["body"] == "oi"
    assert simulator.gateway.messages == []
    only = await simulator.http.get(f"/control/phones/{ANA}/messages", params={"channel": "cloud"})
    assert only.json() == []


async def test_waha_has_no_window(simulator: Simulator) -> None:
    await simulator.say_waha(text="oi")
    view = (await simulator.http.get("/control/phones")).json()[0]
    assert view["window_closes_at"] is None


@pytest.mark.parametrize("engine", ["GOWS", "NOWEB"])
@pytest.mark.parametrize("shape", ["extended", "ephemeral"])
async def test_some_texts_are_in_the_data_only(start: Start, engine: str, shape: str) -> None:
    simulator = await start(simulator_waha_engine=engine)
    await change(simulator, shape=shape)
    await simulator.say_waha(text="oi")
    payload = await told(simulator)
    assert "body" not in payload
    proto = payload["_data"]["Message" if engine == "GOWS" else "message"]
    if shape == "ephemeral":
        proto = proto["ephemeralMessage"]["message"]
    assert proto["extendedTextMessage"]["text"] == "oi"


async def test_a_hidden_number_is_never_told(simulator: Simulator) -> None:
    lid = (await change(simulator, lid="hidden"))["waha"]["lid_number"] + "@lid"
    await simulator.say_waha(text="oi")
    payload = await told(simulator)
    assert payload["from"] == lid
    assert payload["id"].startswith(f"false_{lid}_")
    assert ANA not in json.dumps(simulator.gateway.waha_events)
    found = await simulator.waha("GET", f"/api/default/lids/{lid.replace('@', '%40')}")
    assert found.json() == {"lid": lid, "pn": None}
    reverse = await simulator.waha("GET", f"/api/default/lids/pn/{CHAT}")
    assert reverse.json()["lid"] is None
    await simulator.send_waha("Olá", to=lid)
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["oi", "Olá"]


@pytest.mark.parametrize("engine", ["GOWS", "NOWEB"])
async def test_a_lid_may_come_with_the_number(start: Start, engine: str) -> None:
    simulator = await start(simulator_waha_engine=engine)
    await change(simulator, lid="with_number")
    await simulator.say_waha(text="oi")
    data = (await told(simulator))["_data"]
    other = data["Info"]["SenderAlt"] if engine == "GOWS" else data["key"]["remoteJidAlt"]
    assert other == f"{ANA}@s.whatsapp.net"


async def test_a_lid_may_be_resolved_only(simulator: Simulator) -> None:
    lid = (await change(simulator, lid="resolvable"))["waha"]["lid_number"] + "@lid"
    await simulator.say_waha(text="oi")
    assert ANA not in json.dumps(await told(simulator))
    assert (await simulator.waha("GET", f"/api/default/lids/{lid}")).json()["pn"] == CHAT
    assert (await simulator.waha("GET", f"/api/default/lids/pn/{ANA}")).json()["lid"] == lid
    assert (await simulator.waha("GET", "/api/default/lids/count")).json() == {"count": 1}
    assert (await simulator.waha("GET", "/api/default/lids")).json() == [{"lid": lid, "pn": CHAT}]
    for name in (lid, CHAT):
        history = await simulator.waha("GET", f"/api/default/chats/{name}/messages?limit=5")
        assert [message["body"] for message in history.json()] == ["oi"]
    await simulator.send_waha("Olá", to=CHAT)
    chats = (await simulator.waha("GET", "/api/default/chats/overview")).json()
    assert [chat["id"] for chat in chats] == [lid]


async def test_a_device_may_be_left_in_the_name(simulator: Simulator) -> None:
    await change(simulator, device=18)
    await simulator.say_waha(text="oi")
    payload = await told(simulator)
    assert payload["from"] == f"{ANA}:18@c.us"
    assert payload["_data"]["Info"]["Sender"] == f"{ANA}:18@s.whatsapp.net"
    assert (await simulator.send_waha("Olá", to=payload["from"])).status_code == 201
    assert len(await simulator.transcript()) == 2


async def test_a_voice_note_is_a_file_that_wants_the_key(simulator: Simulator) -> None:
    await simulator.say_waha(type="audio", text="minha resposta falada")
    payload = await told(simulator)
    assert (payload["hasMedia"], payload["body"]) == (True, "")
    assert payload["media"]["mimetype"] == "audio/ogg; codecs=opus"
    assert payload["_data"]["Message"]["audioMessage"]["PTT"] is True
    url = payload["media"]["url"]
    assert url.startswith(f"{simulator.url}/waha/api/files/default/")
    assert (await simulator.http.get(url)).status_code == 401
    file = await simulator.waha("GET", url.removeprefix(f"{simulator.url}/waha"))
    assert file.content.startswith(b"OggS")
    assert file.headers["content-type"].startswith("audio/ogg")
    assert (await simulator.waha("GET", "/api/files/default/none.oga")).status_code == 404


@pytest.mark.parametrize("kind", ["image", "sticker", "video", "document"])
async def test_other_files_arrive_as_media(simulator: Simulator, kind: str) -> None:
    await simulator.say_waha(type=kind)
    payload = await told(simulator)
    assert payload["media"]["url"]
    assert f"{kind}Message" in payload["_data"]["Message"]


async def test_a_location_has_no_body(simulator: Simulator) -> None:
    await simulator.say_waha(type="location", latitude=-23.5, longitude=-46.6)
    payload = await told(simulator)
    assert "body" not in payload
    assert (payload["location"]["latitude"], payload["location"]["longitude"]) == ("-23.5", "-46.6")


async def test_a_quote_names_the_bare_id(simulator: Simulator) -> None:
    sent = (await simulator.send_waha("Olá")).json()["id"].rpartition("_")[2]
    await simulator.say_waha(text="respondo", quote=sent)
    payload = await told(simulator)
    assert (payload["replyTo"]["id"], payload["replyTo"]["body"]) == (sent, "Olá")


async def test_our_replies_quote_the_persons_message(simulator: Simulator) -> None:
    message_id = await simulator.say_waha(text="oi")
    await simulator.send_waha("Olá", reply_to=f"false_{CHAT}_{message_id}")
    assert (await simulator.transcript())[-1]["quote"] == message_id


async def test_a_reaction_an_edit_and_a_revocation_have_their_own_events(
    simulator: Simulator,
) -> None:
    sent = (await simulator.send_waha("Olá")).json()["id"]
    await simulator.say_waha(type="reaction", emoji="🎉")
    reaction = await told(simulator, "message.reaction")
    assert reaction["reaction"] == {"text": "🎉", "messageId": sent}
    first = await simulator.say_waha(text="errado")
    await simulator.say_waha(type="edit", text="certo")
    edited = await told(simulator, "message.edited")
    assert (edited["editedMessageId"], edited["body"]) == (first, "certo")
    await simulator.say_waha(type="revoke")
    revoked = await told(simulator, "message.revoked")
    assert revoked["revokedMessageId"] == first
    assert "body" not in revoked["after"]
    assert len(simulator.gateway.waha("message")) == 1
    history = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages?limit=9")
    assert len(history.json()) == 2


async def test_a_poll_is_voted_in(simulator: Simulator) -> None:
    poll = {"name": "Gostou?", "options": ["Sim", "Não"], "multipleAnswers": False}
    body = {"session": "default", "chatId": CHAT, "poll": poll}
    sent = await simulator.waha("POST", "/api/sendPoll", json=body)
    assert sent.status_code == 201
    await simulator.say_waha(reply="Não")
    vote = await told(simulator, "poll.vote")
    assert vote["vote"]["selectedOptions"] == ["Não"]
    assert vote["poll"]["id"] == sent.json()["id"]
    assert vote["vote"]["from"] == CHAT


async def test_a_list_is_a_numbered_text(simulator: Simulator) -> None:
    rows = [{"title": "Dados", "rowId": "area:data"}, {"title": "Infra", "rowId": "area:infra"}]
    message = {"title": "Área", "button": "Ver", "sections": [{"title": "Todas", "rows": rows}]}
    body = {"session": "default", "chatId": CHAT, "message": message}
    assert (await simulator.waha("POST", "/api/sendList", json=body)).status_code == 201
    bubble = (await simulator.transcript())[0]
    assert bubble["text"] == "1) Dados\n2) Infra"
    await simulator.say_waha(reply="area:infra")
    assert (await told(simulator))["body"] == "2"
    to_group = body | {"chatId": "12036300@g.us"}
    assert (await simulator.waha("POST", "/api/sendList", json=to_group)).status_code == 422


@pytest.mark.parametrize(
    ("call", "mimetype", "kind"),
    [
        ("sendImage", "image/png", "image"),
        ("sendFile", "application/pdf", "document"),
        ("sendVoice", "audio/ogg; codecs=opus", "audio"),
        ("sendVideo", "video/mp4", "video"),
    ],
)
async def test_files_are_sent_with_a_caption(
    simulator: Simulator, call: str, mimetype: str, kind: str
) -> None:
    data = base64.b64encode(b"content").decode()
    file = {"mimetype": mimetype, "filename": "f", "data": data}
    body = {"session": "default", "chatId": CHAT, "file": file, "caption": "Veja"}
    assert (await simulator.waha("POST", f"/api/{call}", json=body)).status_code == 201
    bubble = (await simulator.transcript())[0]
    assert (bubble["type"], bubble["text"]) == (kind, "Veja")
    assert bubble["media"]["mime_type"] == mimetype
    broken = body | {"file": file | {"data": "not base64!"}}
    assert (await simulator.waha("POST", f"/api/{call}", json=broken)).status_code == 400


async def test_noise_can_be_asked_for(simulator: Simulator) -> None:
    for kind in ("echo_of_api", "echo_of_app", "group", "channel", "story"):
        body = {"kind": kind, "phone": ANA}
        answer = await simulator.http.post("/control/waha/events", json=body)
        assert answer.status_code == 202
    await eventually(lambda: len(simulator.gateway.waha("message")) == 5)
    payloads = simulator.gateway.waha("message")
    assert [(p["fromMe"], p["source"]) for p in payloads[:2]] == [(True, "api"), (True, "app")]
    servers = [p["from"].partition("@")[2] for p in payloads[2:]]
    assert servers == ["g.us", "newsletter", "broadcast"]
    assert payloads[2]["participant"] == CHAT
    assert await simulator.transcript() == []


async def test_somebody_without_whatsapp_gets_nothing(simulator: Simulator) -> None:
    await change(simulator, registered=False)
    answer = await simulator.send_waha("Olá")
    assert answer.status_code == 201
    assert await simulator.transcript() == []
    params = {"phone": ANA, "session": "default"}
    exists = await simulator.waha("GET", "/api/contacts/check-exists", params=params)
    assert exists.json()["numberExists"] is False


async def test_a_change_of_the_name_leaves_the_rest_as_it_is(simulator: Simulator) -> None:
    path = f"/control/phones/{ANA}"
    await simulator.http.put(path, json={"lid": "hidden", "shape": "extended", "device": 3})
    answer = await simulator.http.put(path, json={"name": "Ana"})
    kept = answer.json()["waha"]
    assert (kept["lid"], kept["shape"], kept["device"]) == ("hidden", "extended", 3)
