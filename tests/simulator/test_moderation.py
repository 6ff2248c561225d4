from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.testing import AUTHORIZED, Gateway, Simulator, Start, eventually, running

EDGE = "/v23.0/100000000000002/message_templates"


def new_template(name: str = "hello", **more: object) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Olá {{1}}, chegou a sua pergunta"}
    made = {"name": name, "language": "pt_BR", "category": "UTILITY", "components": [body]}
    return made | more


async def create(simulator: Simulator, name: str = "hello", **more: Any) -> httpx.Response:
    return await simulator.http.post(EDGE, json=new_template(name, **more), headers=AUTHORIZED)


async def send(simulator: Simulator, text: str = "Ana", language: str = "pt_BR") -> int:
    parameters = [{"type": "text", "text": text}]
    template = {
        "name": "hello",
        "language": {"code": language},
        "components": [{"type": "body", "parameters": parameters}],
    }
    answer = await simulator.send(type="template", template=template)
    return int(answer.json().get("error", {}).get("code", 0))


async def decide(simulator: Simulator, **decision: str) -> None:
    answer = await simulator.http.post("/control/templates/hello", json=decision)
    assert answer.status_code == 200, answer.text


def events(simulator: Simulator, field: str = "message_template_status_update") -> list[Any]:
    return [c["value"] for c in simulator.gateway.changes if c["field"] == field]


async def test_a_review_takes_its_simulated_time(start: Start) -> None:
    simulator = await start(simulator_template_review_seconds=3600)
    made = (await create(simulator)).json()
    assert made["status"] == "PENDING"
    assert await send(simulator) == 132001
    await simulator.advance("PT59M")
    assert await send(simulator) == 132001
    await simulator.advance("PT1M")
    assert await send(simulator) == 0
    await eventually(lambda: events(simulator))
    (approved,) = events(simulator)
    assert (approved["event"], approved["reason"]) == ("APPROVED", "NONE")
    assert approved["message_template_id"] == int(made["id"])


async def test_somebody_may_decide_before(start: Start) -> None:
    simulator = await start(simulator_template_review_seconds=3600)
    template_id = (await create(simulator)).json()["id"]
    await decide(simulator, event="REJECTED", reason="INVALID_FORMAT")
    await simulator.advance("PT2H")
    row = (await simulator.http.get(f"/v23.0/{template_id}", headers=AUTHORIZED)).json()
    assert (row["status"], row["rejected_reason"]) == ("REJECTED", "INVALID_FORMAT")
    await eventually(lambda: events(simulator))
    assert events(simulator)[0]["reason"] == "INVALID_FORMAT"


@pytest.mark.parametrize(
    ("event", "code"), [("PAUSED", 132015), ("DISABLED", 132016), ("FLAGGED", 0)]
)
async def test_a_template_is_stopped_and_comes_back(
    simulator: Simulator, event: str, code: int
) -> None:
    await create(simulator)
    await decide(simulator, event=event)
    assert await send(simulator) == code
    await decide(simulator, event="REINSTATED")
    assert await send(simulator) == 0
    await eventually(lambda: len(events(simulator)) == 3)
    assert [e["event"] for e in events(simulator)] == ["APPROVED", event, "REINSTATED"]


async def test_quality_and_category_change_with_their_webhooks(simulator: Simulator) -> None:
    await create(simulator)
    await decide(simulator, quality="YELLOW")
    await decide(simulator, quality="RED", category="MARKETING")
    await eventually(lambda: events(simulator, "template_category_update"))
    await eventually(lambda: len(events(simulator, "message_template_quality_update")) == 2)
    quality = events(simulator, "message_template_quality_update")[1]
    assert (quality["previous_quality_score"], quality["new_quality_score"]) == ("YELLOW", "RED")
    (category,) = events(simulator, "template_category_update")
    assert (category["previous_category"], category["new_category"]) == ("UTILITY", "MARKETING")
    (row,) = (await simulator.http.get("/control/templates")).json()
    assert (row["quality"], row["category"]) == ("RED", "MARKETING")


async def test_an_approved_template_is_edited_once_a_day(simulator: Simulator) -> None:
    template_id = (await create(simulator)).json()["id"]
    edit = {"components": [{"type": "BODY", "text": "Oi {{1}}, chegou"}]}

    async def try_edit() -> int:
        path = f"/v23.0/{template_id}"
        return (await simulator.http.post(path, json=edit, headers=AUTHORIZED)).status_code

    assert (await try_edit(), await try_edit()) == (200, 400)
    await send(simulator)
    assert (await simulator.transcript())[-1]["text"] == "Oi Ana, chegou"
    for _ in range(9):
        await simulator.advance("P1D")
        assert await try_edit() == 200
    await simulator.advance("P1D")
    assert await try_edit() == 400
    await simulator.advance("P30D")
    assert await try_edit() == 200


async def test_templates_come_in_pages(simulator: Simulator) -> None:
    for number in range(5):
        await create(simulator, f"template_{number}")
    names: list[str] = []
    query = {"limit": "2"}
    while True:
        page = (await simulator.http.get(EDGE, params=query, headers=AUTHORIZED)).json()
        names += [row["name"] for row in page["data"]]
        if "next" not in page["paging"]:
            break
        query["after"] = page["paging"]["cursors"]["after"]
    assert names == [f"template_{number}" for number in range(5)]
    one = {"name": "template_3", "status": "APPROVED", "language": "pt_BR"}
    page = (await simulator.http.get(EDGE, params=one, headers=AUTHORIZED)).json()
    assert len(page["data"]) == 1
    wrong = await simulator.http.get(EDGE, params={"after": "oops"}, headers=AUTHORIZED)
    assert wrong.json()["error"]["code"] == 100


async def test_a_template_is_deleted_by_name(simulator: Simulator) -> None:
    await create(simulator)
    query = {"name": "hello"}
    answer = await simulator.http.delete(EDGE, params=query, headers=AUTHORIZED)
    assert answer.json() == {"success": True}
    again = await simulator.http.delete(EDGE, params=query, headers=AUTHORIZED)
    assert again.status_code == 400
    await eventually(lambda: len(events(simulator)) == 2)


@pytest.mark.parametrize(
    "more",
    [
        {"language": "portuguese"},
        {"category": "DAILY"},
        {"components": []},
        {"components": [{"type": "BODY", "text": "{{1}}"}]},
        {"components": [{"type": "BODY", "text": "Olá {{1"}]},
        {"components": [{"type": "BODY", "text": "x" * 1025}]},
        {
            "components": [
                {"type": "BODY", "text": "x"},
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x" * 26}]},
            ]
        },
    ],
)
async def test_what_cannot_be_a_template_is_refused(
    simulator: Simulator, more: dict[str, Any]
) -> None:
    answer = await create(simulator, **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_the_same_template_is_not_created_twice(simulator: Simulator) -> None:
    await create(simulator)
    error = (await create(simulator)).json()["error"]
    assert (error["code"], error["error_subcode"]) == (100, 2388024)


async def test_how_templates_stand_outlives_a_restart(gateway: Gateway, tmp_path: Path) -> None:
    settings = {"simulator_state": tmp_path / "state.json"}
    async with running(gateway, **settings) as simulator:
        await create(simulator)
        await decide(simulator, event="PAUSED")
    async with running(gateway, **settings) as simulator:
        assert await send(simulator) == 132015
