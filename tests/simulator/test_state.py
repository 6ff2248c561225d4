from typing import Any

import pytest

from simulator.testing import ANA, Gateway, Simulator, eventually, running


async def state(simulator: Simulator) -> dict[str, Any]:
    found: dict[str, Any] = (await simulator.http.get("/control/state")).json()
    return found


async def test_a_state_is_taken_to_another_simulator(gateway: Gateway) -> None:
    async with running(gateway) as first:
        await first.advance("PT2H")
        await first.say(text="oi", name="Ana")
        await first.http.put(f"/control/phones/{ANA}", json={"username": "ana.dev"})
        await first.send_text()
        await eventually(lambda: len(gateway.statuses) == 3)
        await first.http.post("/control/account", json={"problem": 131042, "tier": 250})
        await first.http.put("/control/quirks", json={"pricing": "none"})
        taken = await state(first)
        messages = await first.transcript()
    async with running(gateway, simulator_seed=8) as second:
        await second.say("14155550100", text="hi")
        assert (await second.http.put("/control/state", json=taken)).status_code == 204
        assert await second.transcript() == messages
        assert await second.transcript("14155550100") == []
        given = await state(second)
        assert given["offset_seconds"] >= 7200
        assert {**given, "offset_seconds": 0} == {**taken, "offset_seconds": 0}
        assert (await second.send_text()).json()["error"]["code"] == 131042
        await second.http.post("/control/account", json={"problem": None})
        message_id = await second.send_id("a janela segue aberta")
        await eventually(lambda: len(gateway.statuses_of(message_id)) == 3)


async def test_what_is_no_state_is_refused(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    answer = await simulator.http.put("/control/state", json={"phones": "many"})
    assert answer.status_code == 422
    assert len(await simulator.transcript()) == 1


async def test_a_recorded_webhook_is_posted_again(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    answer = await simulator.http.post("/control/webhooks/0/replay")
    assert answer.json() == {"status": 200}
    assert simulator.gateway.refused == 0
    first, second = simulator.gateway.bodies
    assert first == second
    assert len((await simulator.http.get("/control/webhooks")).json()) == 2


@pytest.mark.parametrize("n", [-1, 1, 99])
async def test_only_recorded_webhooks_are_replayed(simulator: Simulator, n: int) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    assert (await simulator.http.post(f"/control/webhooks/{n}/replay")).status_code == 404


async def test_a_replay_that_nobody_takes_says_so(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.messages)
    await simulator.gateway.stop()
    answer = await simulator.http.post("/control/webhooks/0/replay")
    assert answer.json() == {"status": None}
