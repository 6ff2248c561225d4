import json
import random
import time

import httpx
import pytest

from simulator.testing import ANA, Simulator, eventually


@pytest.mark.parametrize(
    ("code", "status"), [(131056, 400), (130429, 429), (131000, 500), (503, 503)]
)
async def test_a_send_fails_with_the_code_asked_for(
    simulator: Simulator, code: int, status: int
) -> None:
    await simulator.arm(target="send", kind="error", code=code)
    refused = await simulator.send_text()
    assert refused.status_code == status
    assert status == 503 or refused.json()["error"]["code"] == code
    assert await simulator.transcript() == []
    assert (await simulator.send_text()).status_code == 200


async def test_an_http_500_comes_before_acceptance(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="http_500_before")
    answer = await simulator.send_text()
    assert (answer.status_code, answer.json()["error"]["is_transient"]) == (500, True)
    assert await simulator.transcript() == []


@pytest.mark.parametrize("target", ["send", "status"])
async def test_an_accepted_message_fails_later(simulator: Simulator, target: str) -> None:
    await simulator.say(text="oi")
    await simulator.arm(target=target, kind="failed_status", code=131026)
    message_id = await simulator.send_id()
    await eventually(lambda: simulator.gateway.statuses_of(message_id) == ["failed"])
    assert simulator.gateway.statuses[0]["errors"][0]["code"] == 131026


async def test_a_message_is_accepted_though_no_answer_comes(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.arm(target="send", kind="timeout_after_acceptance", delay="PT0.2S")
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        await simulator.send_text("chega", biz_opaque_callback_data="out-1")
    assert time.monotonic() - started >= 0.2
    await eventually(lambda: len(simulator.gateway.statuses) == 3)
    assert simulator.gateway.statuses[0]["biz_opaque_callback_data"] == "out-1"
    assert (await simulator.transcript())[-1]["text"] == "chega"
    assert (await simulator.http.get("/control/sent")).json()[0]["status"] is None


async def test_a_slow_answer_comes_late(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="delay", delay="PT0.2S")
    started = time.monotonic()
    assert (await simulator.send_text()).status_code == 200
    assert time.monotonic() - started >= 0.2


async def test_a_webhook_comes_twice(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="duplicate")
    await simulator.say(text="oi")
    await eventually(lambda: len(simulator.gateway.bodies) == 2)
    assert simulator.gateway.bodies[0] == simulator.gateway.bodies[1]


async def test_a_dropped_webhook_never_comes(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="drop")
    await simulator.say(text="lost")
    await simulator.say(text="next")
    await eventually(lambda: simulator.gateway.messages)
    assert [m["text"]["body"] for m in simulator.gateway.messages] == ["next"]


async def test_two_messages_swap_places(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="reorder")
    await simulator.say(text="um")
    await simulator.say(text="dois")
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    assert [m["text"]["body"] for m in simulator.gateway.messages] == ["dois", "um"]


async def test_a_message_held_for_a_swap_comes_alone_in_the_end(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="reorder", delay="PT0.1S")
    await simulator.say(text="um")
    await eventually(lambda: simulator.gateway.messages)


async def test_statuses_swap_places(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await simulator.arm(target="status", kind="reorder")
    message_id = await simulator.send_id()
    await eventually(lambda: len(simulator.gateway.statuses) == 3)
    assert simulator.gateway.statuses_of(message_id) == ["delivered", "sent", "read"]


async def test_a_forged_webhook_is_followed_by_the_real_one(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="bad_signature")
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    assert (simulator.gateway.refused, len(simulator.gateway.messages)) == (1, 1)


async def test_a_webhook_comes_late_and_only_of_that_phone(simulator: Simulator) -> None:
    await simulator.arm(target="webhook", kind="delay", delay="PT0.3S", phone=f"+{ANA}")
    await simulator.say("14155550100", text="other")
    started = time.monotonic()
    await simulator.say(text="late")
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    assert time.monotonic() - started >= 0.3
    assert [m["text"]["body"] for m in simulator.gateway.messages] == ["other", "late"]


async def test_a_fault_happens_as_often_as_asked_then_is_gone(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="error", code=131000, times=2)
    answers = [(await simulator.send_text()).status_code for _ in range(3)]
    assert answers == [500, 500, 200]
    assert (await simulator.http.get("/control/faults")).json() == []


async def test_a_fault_stays_until_disarmed(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="error", times=None)
    assert [(await simulator.send_text()).status_code for _ in range(3)] == [500] * 3
    armed = (await simulator.http.get("/control/faults")).json()
    assert [(fault["left"], fault["happened"]) for fault in armed] == [(None, 3)]
    assert (await simulator.http.delete("/control/faults")).status_code == 204
    assert (await simulator.send_text()).status_code == 200


async def test_the_same_seed_makes_the_same_failures(simulator: Simulator) -> None:
    await simulator.arm(target="send", kind="error", times=None, rate=0.5)
    failed = [(await simulator.send_text()).status_code == 500 for _ in range(16)]
    dice = random.Random(7)
    assert failed == [dice.random() < 0.5 for _ in range(16)]


@pytest.mark.parametrize(
    "order",
    [
        {"target": "send", "kind": "garbage"},
        {"target": "llm", "kind": "bad_signature"},
        {"target": "send", "kind": "error", "rate": 2},
        {"target": "moon", "kind": "error"},
        {"target": "send", "kind": "error", "colour": "red"},
    ],
)
async def test_a_fault_that_cannot_be_is_refused(
    simulator: Simulator, order: dict[str, object]
) -> None:
    assert (await simulator.http.post("/control/faults", content=json.dumps(order))).is_error
    assert (await simulator.http.get("/control/faults")).json() == []
