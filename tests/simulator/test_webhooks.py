import asyncio
import json

from simulator.testing import ANA, Gateway, Simulator, Start, eventually, free_port, running


async def test_a_text_arrives_in_whatsapps_envelope(simulator: Simulator) -> None:
    answer = await simulator.say(f"+{ANA}", text="Olá 😀", name="Ana")
    assert answer.status_code == 202
    await eventually(lambda: simulator.gateway.messages)
    envelope = json.loads(simulator.gateway.bodies[0])
    value = envelope["entry"][0]["changes"][0]["value"]
    assert envelope["object"] == "whatsapp_business_account"
    assert envelope["entry"][0]["changes"][0]["field"] == "messages"
    assert value["metadata"]["phone_number_id"] == "100000000000001"
    (contact,) = value["contacts"]
    user_id = contact.pop("user_id")
    assert user_id.startswith("BR.")
    assert contact == {"profile": {"name": "Ana"}, "wa_id": ANA}
    message = value["messages"][0]
    assert message.pop("timestamp").isdigit()
    assert message == {
        "from": ANA,
        "from_user_id": user_id,
        "id": answer.json()["id"],
        "type": "text",
        "text": {"body": "Olá 😀"},
    }


async def test_non_ascii_is_escaped_before_signing(simulator: Simulator) -> None:
    await simulator.say(text="Olá 😀")
    await eventually(lambda: simulator.gateway.bodies)
    assert simulator.gateway.bodies[0].isascii()
    assert rb"Ol\u00e1 \ud83d\ude00" in simulator.gateway.bodies[0]
    assert simulator.gateway.refused == 0


async def test_only_the_first_secret_signs(start: Start) -> None:
    simulator = await start(whatsapp_app_secret="simulated-app-secret, the-old-one")
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    assert simulator.gateway.refused == 0


async def test_what_the_gateway_refuses_comes_again_in_order(simulator: Simulator) -> None:
    answers = iter([500, 503])
    simulator.gateway.answer = lambda body: next(answers, 200)
    for text in ("um", "dois", "três"):
        await simulator.say(text=text)
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    received = [message["text"]["body"] for message in simulator.gateway.messages]
    assert received == ["um", "dois", "três"]


async def test_one_phones_trouble_holds_up_no_other(simulator: Simulator) -> None:
    simulator.gateway.answer = lambda body: 500 if b"stuck" in body else 200
    await simulator.say(text="stuck")
    await simulator.say(text="waits behind it")
    await simulator.say("14155550100", text="passes")
    await eventually(lambda: simulator.gateway.messages)
    assert [m["text"]["body"] for m in simulator.gateway.messages] == ["passes"]
    assert (await simulator.http.get("/health")).json()["webhooks_queued"] == 2


async def test_a_gateway_restart_loses_nothing(simulator: Simulator) -> None:
    await simulator.gateway.stop()
    for number in range(20):
        await simulator.say(f"1415555{number:04}", text=str(number))
    await asyncio.sleep(0.3)
    await simulator.gateway.start()
    await eventually(lambda: len(simulator.gateway.messages) == 20)


async def test_what_is_never_taken_is_given_up(start: Start) -> None:
    simulator = await start(simulator_webhook_retry_seconds=0.1)
    simulator.gateway.answer = lambda body: 500 if b"poison" in body else 200
    await simulator.say(text="poison")
    await simulator.say(text="next")
    await eventually(lambda: simulator.gateway.messages)
    assert simulator.gateway.messages[0]["text"]["body"] == "next"


async def test_updates_of_many_phones_may_come_in_one_post(gateway: Gateway) -> None:
    options = {"simulator_webhook_batch": 100, "simulator_webhook_connections": 1}
    async with running(gateway, **options) as simulator:
        numbers = [f"1415555{number:04}" for number in range(50)]
        await asyncio.gather(*(simulator.send_text(to=number) for number in numbers))
        await eventually(lambda: len(gateway.statuses) == 50)
        assert len(gateway.bodies) < 50


async def test_webhooks_are_shown_with_the_gateways_answer(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    shown = (await simulator.http.get("/control/webhooks")).json()
    assert [(entry["n"], entry["status"]) for entry in shown] == [(0, 200)]
    assert shown[0]["body"]["object"] == "whatsapp_business_account"


async def test_nobody_listening_is_not_an_error(gateway: Gateway) -> None:
    async with running(Gateway(free_port())) as simulator:
        await simulator.say(text="oi")
        assert (await simulator.transcript())[0]["status"] == "accepted"
