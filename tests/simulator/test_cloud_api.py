import json
from typing import Any

import httpx
import pytest

from simulator.testing import ANA, AUTHORIZED, NUMBER_PATH, Simulator, Start, eventually


def buttons(*titles: str, **changes: object) -> dict[str, Any]:
    replies = [{"type": "reply", "reply": {"id": t or "x", "title": t}} for t in titles]
    body = {"type": "button", "body": {"text": "Pronto?"}, "action": {"buttons": replies}}
    return {"type": "interactive", "interactive": body | changes}


def rows(count: int, sections: int = 1, **row: object) -> dict[str, Any]:
    made = [{"id": f"r{n}", "title": f"Row {n}", **row} for n in range(count)]
    parts = [{"title": f"S{n}", "rows": made[n::sections]} for n in range(sections)]
    action = {"button": "Escolher", "sections": parts}
    body = {"type": "list", "body": {"text": "Qual?"}, "action": action}
    return {"type": "interactive", "interactive": body}


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


async def test_a_text_is_accepted_then_sent_delivered_and_read(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    message_id = await simulator.send_id("Olá", biz_opaque_callback_data="out-1")
    await eventually(lambda: len(simulator.gateway.statuses_of(message_id)) == 3)
    assert simulator.gateway.statuses_of(message_id) == ["sent", "delivered", "read"]
    assert {s["biz_opaque_callback_data"] for s in simulator.gateway.statuses} == {"out-1"}
    assert {s["recipient_id"] for s in simulator.gateway.statuses} == {ANA}
    bubble = (await simulator.transcript())[-1]
    assert (bubble["from"], bubble["text"], bubble["status"]) == ("bot", "Olá", "read")


async def test_the_answer_names_the_input_and_the_registered_number(simulator: Simulator) -> None:
    answer = (await simulator.send_text(to="+55 11 8765-4321")).json()
    assert answer["messaging_product"] == "whatsapp"
    (contact,) = answer["contacts"]
    assert (contact["input"], contact["wa_id"]) == ("+55 11 8765-4321", ANA)
    assert contact["user_id"].startswith("BR.")
    assert answer["messages"][0]["id"].startswith("wamid.")


async def test_a_wrong_token_is_refused_with_error_190(simulator: Simulator) -> None:
    message = {"messaging_product": "whatsapp", "to": ANA, "text": {"body": "x"}}
    wrong = {"Authorization": "Bearer stolen"}
    answer = await simulator.http.post(NUMBER_PATH, json=message, headers=wrong)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (401, 190, "OAuthException")
    assert "error_data" not in error
    assert await simulator.transcript() == []


async def test_an_unknown_phone_number_id_is_refused_with_subcode_33(simulator: Simulator) -> None:
    path = "/v19.0/42/messages"
    answer = await simulator.http.post(path, headers=AUTHORIZED)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)


@pytest.mark.parametrize(
    "message",
    [
        text("x" * 4096),
        text("😀" * 2048),
        buttons("Sim"),
        buttons("Sim", "Não", "x" * 20),
        buttons("Sim", header={"type": "text", "text": "x" * 60}, footer={"text": "x" * 60}),
        buttons("Sim", body={"text": "x" * 1024}),
        rows(10),
        rows(10, 3, title="x" * 24, description="x" * 72),
        {"type": "image", "image": {"link": "https://example.com/a.png", "caption": "Veja"}},
        {"type": "document", "document": {"link": "https://example.com/a", "filename": "cv.pdf"}},
        {"type": "location", "location": {"latitude": -23.5, "longitude": -46.6}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}]},
        {"text": {"body": "the type defaults to text"}},
    ],
)
async def test_what_is_within_the_limits_is_accepted(
    simulator: Simulator, message: dict[str, Any]
) -> None:
    assert (await simulator.send(**message)).status_code == 200


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (text(""), 131009),
        (text("  "), 131009),
        (text("x" * 4097), 131009),
        (text("😀" * 2049), 131009),
        (buttons(), 131009),
        (buttons("1", "2", "3", "4"), 131009),
        (buttons("x" * 21), 131009),
        (buttons(""), 131009),
        (buttons("Sim", "Sim"), 131009),
        (buttons("Sim", body={"text": "x" * 1025}), 131009),
        (buttons("Sim", footer={"text": "x" * 61}), 131009),
        (buttons("Sim", header={"type": "text", "text": "x" * 61}), 131009),
        (rows(11), 131009),
        (rows(0), 131009),
        (rows(1, title="x" * 25), 131009),
        (rows(1, description="x" * 73), 131009),
        (rows(1, id="x" * 201), 131009),
        (rows(1, id=" x"), 131009),
        (text("x") | {"biz_opaque_callback_data": "x" * 513}, 131009),
        ({"type": "image", "image": {}}, 131009),
        ({"type": "image", "image": {"id": "123"}}, 100),
        ({"type": "image"}, 100),
        (text("x") | {"context": {"message_id": "made up"}}, 131009),
        ({"type": "text"}, 100),
        ({"type": "text", "text": {}}, 100),
        ({"type": "interactive", "interactive": {"type": "button"}}, 100),
        ({"type": "poll"}, 100),
        (text("x") | {"to": "nobody"}, 100),
        (text("x") | {"messaging_product": "sms"}, 100),
    ],
)
async def test_what_is_over_the_limits_is_refused_as_meta_does(
    simulator: Simulator, message: dict[str, Any], code: int
) -> None:
    answer = await simulator.http.post(
        NUMBER_PATH,
        json={"messaging_product": "whatsapp", "to": ANA, **message},
        headers=AUTHORIZED,
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["message"].startswith(f"(#{code}) ")
    assert error["type"] == "OAuthException"
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["error_data"]["details"]
    assert error["fbtrace_id"]
    assert await simulator.transcript() == []


async def test_sections_need_titles_when_there_are_several(simulator: Simulator) -> None:
    message = rows(4, 2)
    del message["interactive"]["action"]["sections"][1]["title"]
    answer = await simulator.send(**message)
    assert answer.json()["error"]["code"] == 131009


async def test_a_missing_parameter_is_named(simulator: Simulator) -> None:
    answer = await simulator.send(type="text", text={})
    assert answer.json()["error"]["message"] == "(#100) The parameter text.body is required."


async def test_a_body_that_is_not_json_is_refused(simulator: Simulator) -> None:
    answer = await simulator.http.post(NUMBER_PATH, content=b"{oops", headers=AUTHORIZED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_outside_the_window_free_form_fails_later(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.advance("PT23H59M")
    inside = await simulator.send_id("ainda dentro")
    await simulator.advance("PT1M")
    outside = await simulator.send_id("tarde demais")
    await eventually(lambda: simulator.gateway.statuses_of(outside))
    await eventually(lambda: len(simulator.gateway.statuses_of(inside)) == 3)
    failed = next(s for s in simulator.gateway.statuses if s["id"] == outside)
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)
    bubble = (await simulator.transcript())[-1]
    assert (bubble["status"], bubble["error"]["code"]) == ("failed", 131047)


async def test_outside_the_window_free_form_can_be_refused_at_once(start: Start) -> None:
    simulator = await start(simulator_window_errors="sync")
    answer = await simulator.send_text()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131047)
    assert await simulator.transcript() == []


async def test_a_reaction_does_not_open_the_window(simulator: Simulator) -> None:
    template = {"name": "hello", "language": {"code": "pt_BR"}}
    await simulator.send(type="template", template=template)
    await simulator.say(type="reaction", emoji="👍")
    message_id = await simulator.send_id()
    await eventually(lambda: simulator.gateway.statuses_of(message_id) == ["failed"])


async def test_a_quote_and_a_reaction_are_kept(simulator: Simulator) -> None:
    said = (await simulator.say(text="oi")).json()["id"]
    await simulator.send_text("Respondo", context={"message_id": said})
    await simulator.send(type="reaction", reaction={"message_id": said, "emoji": "👏"})
    _, answer, reaction = await simulator.transcript()
    assert answer["quote"] == said
    assert (reaction["type"], reaction["text"], reaction["quote"]) == ("reaction", "👏", said)


async def mark_read(simulator: Simulator, message_id: str, **more: object) -> httpx.Response:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id, **more}
    return await simulator.http.post(NUMBER_PATH, json=mark, headers=AUTHORIZED)


async def test_a_read_mark_reads_all_before_it_and_shows_typing(simulator: Simulator) -> None:
    await simulator.say(text="um")
    second = (await simulator.say(text="dois")).json()["id"]
    await simulator.say(text="três")
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    answer = await mark_read(simulator, second, typing_indicator={"type": "text"})
    assert answer.json() == {"success": True}
    seen = [message["status"] for message in await simulator.transcript()]
    assert seen[:2] == ["read", "read"]
    assert seen[2] != "read"
    assert (await simulator.http.get("/control/phones")).json()[0]["typing_until"]
    await simulator.send_text("pronto")
    assert (await simulator.http.get("/control/phones")).json()[0]["typing_until"] is None


async def test_a_read_mark_of_an_unknown_message_is_refused(simulator: Simulator) -> None:
    answer = await mark_read(simulator, "wamid.unknown")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_both_forms_of_a_brazilian_number_reach_one_phone(simulator: Simulator) -> None:
    await simulator.say("551187654321", text="oi")
    await simulator.send_text(to="5511987654321")
    await simulator.send_text(to="551187654321")
    phones = (await simulator.http.get("/control/phones")).json()
    assert [(p["phone"], p["count"]) for p in phones] == [(ANA, 3)]


async def test_a_phone_may_be_registered_without_the_ninth_digit(simulator: Simulator) -> None:
    await simulator.http.put(f"/control/phones/{ANA}", json={"wa_id_form": "without_ninth_digit"})
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    assert simulator.gateway.messages[0]["from"] == "551187654321"
    answer = (await simulator.send_text(to=ANA)).json()
    assert answer["contacts"][0]["wa_id"] == "551187654321"


async def test_without_receipts_read_never_comes(simulator: Simulator) -> None:
    await simulator.http.put(f"/control/phones/{ANA}", json={"receipts": False})
    await simulator.say(text="oi")
    silent = await simulator.send_id()
    await simulator.say("14155550100", text="hi")
    other = await simulator.send_id(to="14155550100")
    await eventually(lambda: len(simulator.gateway.statuses_of(other)) == 3)
    assert simulator.gateway.statuses_of(silent) == ["sent", "delivered"]


async def test_the_pair_limit_lets_a_burst_of_45_pass(start: Start) -> None:
    simulator = await start(simulator_pair_limit=True)
    codes = [(await simulator.send_text()).json().get("error", {}).get("code") for _ in range(46)]
    assert codes == [None] * 45 + [131056]
    assert (await simulator.send_text(to="14155550100")).status_code == 200


async def test_the_throughput_limit_answers_130429(start: Start) -> None:
    simulator = await start(simulator_throughput_per_second=1)
    assert (await simulator.send_text()).status_code == 200
    assert (await simulator.send_text()).json()["error"]["code"] == 130429


async def test_every_call_is_in_the_journal_oldest_first(simulator: Simulator) -> None:
    await simulator.send_text("um")
    await simulator.send_text("")
    await simulator.send_text("três")
    calls = (await simulator.http.get("/control/sent")).json()
    assert [(c["n"], c["method"], c["path"], c["status"]) for c in calls] == [
        (0, "POST", NUMBER_PATH, 200),
        (1, "POST", NUMBER_PATH, 400),
        (2, "POST", NUMBER_PATH, 200),
    ]
    assert calls[2]["body"]["text"]["body"] == "três"
    since = (await simulator.http.get("/control/sent?since=1&limit=1")).json()
    assert [c["n"] for c in since] == [1]
    assert "Bearer" not in json.dumps(calls)
