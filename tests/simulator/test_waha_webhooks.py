import asyncio
from itertools import pairwise

import httpx
import pytest

from simulator.testing import ANA, Gateway, Simulator, Start, eventually, free_port, running

CHAT = f"{ANA}@c.us"


async def look(simulator: Simulator) -> dict[str, object]:
    view: dict[str, object] = (await simulator.http.get("/control/waha")).json()
    return view


async def dropped(simulator: Simulator, count: int) -> None:
    for _ in range(300):
        if (await look(simulator))["dropped_webhooks"] == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{count} webhooks were not dropped: {await look(simulator)}")


async def test_a_refused_event_comes_again_with_the_same_ids(start: Start) -> None:
    simulator = await start(simulator_waha_retry_delay_seconds=0.02)
    answers = iter([500, 503])
    simulator.gateway.answer = lambda body: next(answers, 200)
    await simulator.say_waha(text="oi")
    await eventually(lambda: simulator.gateway.waha("message"))
    posted = (await simulator.http.get("/control/webhooks")).json()
    assert [(entry["attempt"], entry["status"]) for entry in posted] == [
        (1, 500),
        (2, 503),
        (3, 200),
    ]
    assert len({entry["body"]["id"] for entry in posted}) == 1


async def test_after_the_last_attempt_it_is_gone_but_in_the_history(start: Start) -> None:
    simulator = await start(
        simulator_waha_retry_delay_seconds=0.01, simulator_waha_retry_attempts=3
    )
    simulator.gateway.answer = lambda body: 503
    await simulator.say_waha(text="perdida")
    await dropped(simulator, 1)
    simulator.gateway.answer = lambda body: 200
    await simulator.say_waha(text="seguinte")
    await eventually(lambda: simulator.gateway.waha("message"))
    assert [payload["body"] for payload in simulator.gateway.waha("message")] == ["seguinte"]
    history = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages?limit=5")
    assert [message["body"] for message in history.json()] == ["seguinte", "perdida"]


async def test_a_gateway_away_for_ten_simulated_minutes_loses_the_events(start: Start) -> None:
    simulator = await start(simulator_waha_retry_delay_seconds=0.1)
    simulator.gateway.answer = lambda body: 503
    await simulator.say_waha(text="perdida")
    await asyncio.sleep(0.05)
    for _ in range(10):
        await simulator.advance("PT1M")
    simulator.gateway.answer = lambda body: 200
    await dropped(simulator, 1)
    assert simulator.gateway.waha_events == []


async def test_a_short_absence_loses_nothing(start: Start) -> None:
    simulator = await start(simulator_waha_retry_delay_seconds=0.05)
    await simulator.gateway.stop()
    for number in range(5):
        await simulator.say_waha(f"1415555{number:04}", text=str(number))
    await asyncio.sleep(0.1)
    await simulator.gateway.start()
    await eventually(lambda: len(simulator.gateway.waha("message")) == 5)


async def test_nobody_listening_holds_nothing_up_at_the_end() -> None:
    async with running(Gateway(free_port())) as simulator:
        await simulator.say_waha(text="oi")
        assert (await look(simulator))["waiting_webhooks"] == 1


async def test_events_of_one_person_come_in_order(simulator: Simulator) -> None:
    for number in range(20):
        await simulator.say_waha(text=str(number))
    await eventually(lambda: len(simulator.gateway.waha("message")) == 20)
    received = [int(payload["body"]) for payload in simulator.gateway.waha("message")]
    assert received == list(range(20))
    ids = [event["id"] for event in simulator.gateway.waha_events]
    times = [event["timestamp"] for event in simulator.gateway.waha_events]
    assert len(set(ids)) == 20
    assert all(earlier <= later for earlier, later in pairwise(times))


async def test_a_duplicate_has_another_event_id(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="duplicate", channel="waha")
    await simulator.say_waha(text="oi")
    await eventually(lambda: len(simulator.gateway.waha_events) == 2)
    first, second = simulator.gateway.waha_events
    assert first["payload"] == second["payload"]
    assert first["id"] != second["id"]


async def test_a_reordered_event_comes_after_the_next_one(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="reorder")
    await simulator.say_waha(text="um")
    await simulator.say_waha(text="dois")
    await eventually(lambda: len(simulator.gateway.waha_events) == 2)
    assert [p["body"] for p in simulator.gateway.waha("message")] == ["dois", "um"]


async def test_a_dropped_event_never_comes(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="drop", phone=ANA)
    await simulator.say_waha(text="some")
    await simulator.say_waha(text="fica")
    await eventually(lambda: simulator.gateway.waha_events)
    assert [p["body"] for p in simulator.gateway.waha("message")] == ["fica"]


async def test_a_forged_post_comes_before_the_real_one(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="bad_signature", channel="waha")
    await simulator.say_waha(text="oi")
    await eventually(lambda: simulator.gateway.waha_events)
    assert simulator.gateway.refused == 1


async def test_a_fault_of_one_channel_leaves_the_other_alone(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="drop", times=None, channel="cloud")
    await simulator.say_waha(text="passa")
    await eventually(lambda: simulator.gateway.waha_events)
    await simulator.say(channel="cloud", text="some")
    await asyncio.sleep(0.1)
    assert simulator.gateway.messages == []
    await simulator.http.delete("/control/faults")
    await simulator.arm(target="send", kind="error", code=500, channel="waha")
    assert (await simulator.send_text("Olá")).status_code == 200
    assert (await simulator.send_waha("Olá")).status_code == 500


async def test_a_failed_ack_is_minus_one(simulator: Simulator) -> None:
    await simulator.arm(target="status", kind="failed_status", channel="waha")
    await simulator.send_waha("Olá")
    await eventually(lambda: simulator.gateway.waha("message.ack"))
    ack = simulator.gateway.waha("message.ack")[0]
    assert (ack["ack"], ack["ackName"]) == (-1, "ERROR")
    assert (await simulator.transcript())[0]["status"] == "failed"


@pytest.mark.parametrize("code", [400, 401, 404, 422, 429, 500, 503])
async def test_a_send_fails_with_the_armed_status(simulator: Simulator, code: int) -> None:
    await simulator.arm(target="send", kind="error", code=code, channel="waha")
    assert (await simulator.send_waha("Olá")).status_code == code
    assert await simulator.transcript() == []
    assert (await simulator.send_waha("Olá")).status_code == 201


async def test_a_failure_of_the_engine_tells_the_message_back(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="http_500_before")
    answer = await simulator.send_waha("segredo")
    assert answer.status_code == 500
    body = answer.json()
    assert body["request"]["body"]["text"] == "segredo"
    assert (body["request"]["path"], body["exception"]["name"]) == ("/api/sendText", "Error")
    assert await simulator.transcript() == []


async def test_a_timeout_after_acceptance_leaves_the_message_to_be_found(
    simulator: Simulator,
) -> None:
    await simulator.arm(target="send", kind="timeout_after_acceptance", delay="PT0.05S")
    with pytest.raises(httpx.TransportError):
        await simulator.send_waha("Olá", id="3EB0ABCDEF")
    assert [bubble["text"] for bubble in await simulator.transcript()] == ["Olá"]
    found = await simulator.waha("GET", f"/api/default/chats/{CHAT}/messages/3EB0ABCDEF")
    assert found.status_code == 200


async def test_message_any_is_told_when_it_is_wanted(start: Start) -> None:
    simulator = await start(simulator_waha_events="message,message.any")
    await simulator.say_waha(text="oi")
    await simulator.send_waha("Olá")
    await eventually(lambda: len(simulator.gateway.waha("message.any")) == 2)
    assert [p["fromMe"] for p in simulator.gateway.waha("message.any")] == [False, True]
    assert len(simulator.gateway.waha("message")) == 1
    assert simulator.gateway.waha("message.ack") == []
