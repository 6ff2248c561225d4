"""What happens to people's accounts, and to ours."""

from typing import Any

import pytest

from simulator.meanings import MEANINGS
from simulator.testing import ANA, AUTHORIZED, NUMBER_PATH, Simulator, Start, eventually

NUMBER = NUMBER_PATH.removesuffix("/messages")
TEMPLATE = {"type": "template", "template": {"name": "hello", "language": {"code": "pt_BR"}}}


def changes(simulator: Simulator, field: str) -> list[dict[str, Any]]:
    return [c["value"] for c in simulator.gateway.changes if c["field"] == field]


async def change(simulator: Simulator, **wanted: object) -> dict[str, Any]:
    answer = await simulator.http.put(f"/control/phones/{ANA}", json=wanted)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def failure(simulator: Simulator, **message: Any) -> int:
    answer = await simulator.send(**message)
    message_id = answer.json()["messages"][0]["id"]
    await eventually(lambda: "failed" in simulator.gateway.statuses_of(message_id))
    status = next(s for s in simulator.gateway.statuses if s["id"] == message_id)
    return int(status["errors"][0]["code"])


@pytest.mark.parametrize("wanted", [{"blocked": True}, {"registered": False}])
async def test_who_cannot_be_reached_fails_later(
    simulator: Simulator, wanted: dict[str, bool]
) -> None:
    await simulator.say(text="oi")
    await change(simulator, **wanted)
    assert await failure(simulator, type="text", text={"body": "x"}) == 131026
    await change(simulator, blocked=False, registered=True)
    message_id = await simulator.send_id()
    await eventually(lambda: simulator.gateway.statuses_of(message_id)[-1:] == ["read"])


async def test_stopped_marketing_is_announced_and_refused(start: Start) -> None:
    simulator = await start()
    await simulator.say(text="oi")
    create = {
        "name": "offer",
        "language": "pt_BR",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Uma novidade"}],
    }
    edge = "/v23.0/100000000000002/message_templates"
    await simulator.http.post(edge, json=create, headers=AUTHORIZED)
    offer: dict[str, Any] = {
        "type": "template",
        "template": {"name": "offer", "language": {"code": "pt_BR"}},
    }
    path = f"/control/phones/{ANA}/marketing"
    await simulator.http.post(path, json={"wanted": False})
    await eventually(lambda: changes(simulator, "user_preferences"))
    (value,) = changes(simulator, "user_preferences")
    (wish,) = value["user_preferences"]
    assert (wish["value"], wish["category"], wish["wa_id"]) == ("stop", "marketing_messages", ANA)
    assert isinstance(wish["timestamp"], int)
    assert await failure(simulator, **offer) == 131050
    await simulator.http.post(path, json={"wanted": True})
    assert (await simulator.send(**offer)).status_code == 200
    await eventually(lambda: len(changes(simulator, "user_preferences")) == 2)


async def test_a_changed_number_keeps_the_chat_under_new_names(simulator: Simulator) -> None:
    await simulator.say(text="oi", name="Ana")
    before = (await change(simulator))["user_id"]
    new = "5511911112222"
    answer = await simulator.http.post(f"/control/phones/{ANA}/number", json={"number": new})
    assert answer.json()["phone"] == new
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    system = simulator.gateway.messages[1]
    assert (system["type"], system["from"], system["from_user_id"]) == ("system", ANA, before)
    assert (system["system"]["type"], system["system"]["wa_id"]) == ("user_changed_number", new)
    assert "contacts" not in simulator.gateway.changes[1]["value"]
    await simulator.say(new, text="sou eu")
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    assert simulator.gateway.messages[2]["from_user_id"] != before
    assert (await simulator.transcript(new))[0]["text"] == "oi"
    assert await simulator.transcript(ANA) == []


async def test_a_number_that_somebody_has_is_not_taken(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.say("14155550100", text="hi")
    path = f"/control/phones/{ANA}/number"
    answer = await simulator.http.post(path, json={"number": "14155550100"})
    assert answer.status_code == 422


async def test_another_business_scoped_id_is_announced(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    before = (await change(simulator))["user_id"]
    after = (await simulator.http.post(f"/control/phones/{ANA}/user-id")).json()["user_id"]
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    system = simulator.gateway.messages[1]["system"]
    assert system["type"] == "user_changed_user_id"
    assert (system["previous_user_id"], system["user_id"]) == (before, after)


async def test_a_username_may_hide_the_number(simulator: Simulator) -> None:
    view = await change(simulator, username="ana.dev", hides_number=True)
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    value = simulator.gateway.changes[0]["value"]
    assert ANA not in str(value)
    assert value["messages"][0]["from_user_id"] == view["user_id"]
    assert value["contacts"][0]["profile"]["username"] == "ana.dev"
    to_user = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "Olá"}}
    answer = await simulator.http.post(
        NUMBER_PATH, json=to_user | {"recipient": view["user_id"]}, headers=AUTHORIZED
    )
    assert answer.json()["contacts"] == [{"input": view["user_id"], "user_id": view["user_id"]}]
    by_number = (await simulator.send_text()).json()["contacts"][0]
    assert (by_number["wa_id"], by_number["user_id"]) == (ANA, view["user_id"])
    await eventually(lambda: len(simulator.gateway.statuses) == 6)
    assert "recipient_id" not in simulator.gateway.statuses[0]
    assert simulator.gateway.statuses[0]["recipient_user_id"] == view["user_id"]


async def test_nobody_or_two_names_as_recipient(simulator: Simulator) -> None:
    async def code(**recipient: str) -> int:
        body = {"messaging_product": "whatsapp", "text": {"body": "x"}, **recipient}
        answer = await simulator.http.post(NUMBER_PATH, json=body, headers=AUTHORIZED)
        return int(answer.json().get("error", {}).get("code", 0))

    assert await code() == 100
    assert await code(recipient="BR.404") == 100
    assert await code(to=ANA, recipient="BR.404") == 0
    assert await code(to="5511300000000") == 131021


async def test_a_mexican_account_may_have_the_old_one_in_it(simulator: Simulator) -> None:
    phone = "525512345678"
    path = f"/control/phones/{phone}"
    await simulator.http.put(path, json={"wa_id_form": "with_mobile_one"})
    await simulator.say(phone, text="hola")
    await eventually(lambda: simulator.gateway.messages)
    assert simulator.gateway.messages[0]["from"] == "5215512345678"
    await simulator.send_text(to="5215512345678")
    assert len(await simulator.transcript(phone)) == 2


async def stand(simulator: Simulator, **change: object) -> None:
    assert (await simulator.http.post("/control/account", json=change)).status_code == 200


@pytest.mark.parametrize("problem", [131031, 131042, 133010, 368])
async def test_a_problem_stops_sending_until_it_is_lifted(
    simulator: Simulator, problem: int
) -> None:
    await simulator.say(text="oi")
    await stand(simulator, problem=problem)
    for _ in range(2):
        assert (await simulator.send_text()).json()["error"]["code"] == problem
    view = (await simulator.http.get(NUMBER, headers=AUTHORIZED)).json()
    assert view["health_status"]["can_send_message"] == "BLOCKED"
    await stand(simulator, problem=None)
    assert (await simulator.send_text()).status_code == 200


async def test_an_expired_token_refuses_every_call(simulator: Simulator) -> None:
    await stand(simulator, problem=190)
    answer = await simulator.http.get(NUMBER, headers=AUTHORIZED)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (401, 190, 463)
    await stand(simulator, problem=None)
    assert (await simulator.http.get(NUMBER, headers=AUTHORIZED)).status_code == 200


async def test_the_tier_counts_different_people_outside_a_window(start: Start) -> None:
    simulator = await start(simulator_tier=2)
    people = [f"1415555010{n}" for n in range(3)]
    await simulator.say("14155550109", text="hi")
    await simulator.send(to="14155550109", **TEMPLATE)
    for phone in [people[0], people[0], people[1]]:
        assert (await simulator.send(to=phone, **TEMPLATE)).status_code == 200
    assert await failure(simulator, to=people[2], **TEMPLATE) == 131048
    await simulator.advance("PT24H")
    answer = await simulator.send(to=people[2], **TEMPLATE)
    message_id = answer.json()["messages"][0]["id"]
    await eventually(lambda: simulator.gateway.statuses_of(message_id)[-1:] == ["read"])


async def test_news_about_the_account_come_as_webhooks(simulator: Simulator) -> None:
    await stand(simulator, quality="RED", tier=250, event="ACCOUNT_RESTRICTION")
    raw = {"field": "security", "value": {"event": "PIN_CHANGED", "requester": "1"}}
    await simulator.http.post("/control/notices", json=raw)
    await eventually(lambda: len(simulator.gateway.changes) == 4)
    quality, capability, account, security = (c["value"] for c in simulator.gateway.changes)
    assert (quality["event"], quality["current_limit"]) == ("FLAGGED", "TIER_250")
    assert capability["max_daily_conversations_per_business"] == "TIER_250"
    assert account == {"event": "ACCOUNT_RESTRICTION"}
    assert security == raw["value"]
    number = (await simulator.http.get(NUMBER, headers=AUTHORIZED)).json()
    assert number["quality_rating"] == "RED"
    assert number["whatsapp_business_manager_messaging_limit"] == "TIER_250"


async def test_payloads_can_differ_as_metas_do(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    quirks = {"contacts": False, "millisecond_timestamps": True, "pricing": "CBP"}
    await simulator.http.put("/control/quirks", json=quirks | {"error_data": "string"})
    await simulator.say(text="de novo")
    await simulator.send_text()
    await eventually(lambda: simulator.gateway.statuses and len(simulator.gateway.messages) == 2)
    plain, quirky = (c["value"] for c in simulator.gateway.changes[:2])
    assert "contacts" in plain
    assert "contacts" not in quirky
    assert len(quirky["messages"][0]["timestamp"]) == 13
    assert simulator.gateway.statuses[0]["conversation"]["origin"] == {"type": "service"}
    refused = (await simulator.send_text("")).json()["error"]
    assert isinstance(refused["error_data"], str)
    await simulator.http.put("/control/quirks", json={"error_data": "absent"})
    assert "error_data" not in (await simulator.send_text("")).json()["error"]


@pytest.mark.parametrize("code", sorted(MEANINGS))
async def test_every_known_code_can_be_the_answer(simulator: Simulator, code: int) -> None:
    await simulator.arm(target="send", kind="error", code=code)
    answer = await simulator.send_text()
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (MEANINGS[code].http_status, code)
    assert answer.status_code >= 400


@pytest.mark.parametrize("code", [130472, 131026, 131049, 131053, 999999])
async def test_any_code_can_come_as_a_failed_status(simulator: Simulator, code: int) -> None:
    await simulator.say(text="oi")
    await simulator.arm(target="send", kind="failed_status", code=code)
    assert await failure(simulator, type="text", text={"body": "x"}) == code
