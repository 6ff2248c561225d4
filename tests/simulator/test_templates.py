from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.templates import InvalidTemplateFile, TemplateBook
from simulator.testing import AUTHORIZED, Simulator, Start, eventually

DAILY = """
name: daily_question
category: UTILITY
languages:
  pt_BR:
    body: "Olá {{1}}, sua pergunta de {{2}} chegou."
    footer: Sabatina
    buttons: ["Responder", "Agora não"]
  en_US:
    body: "Hello {{name}}!"
"""
EDGE = "/v23.0/100000000000002/message_templates"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "daily_question.yaml").write_text(DAILY, "utf-8")
    return tmp_path


def template(
    *texts: str, name: str = "daily_question", language: str = "pt_BR", **more: Any
) -> dict[str, Any]:
    body = {"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}
    components = [body, *more.get("buttons", [])]
    made = {"name": name, "language": {"code": language}, "components": components}
    return {"type": "template", "template": made}


def button(index: int, payload: str) -> dict[str, Any]:
    parameters = [{"type": "payload", "payload": payload}]
    return {
        "type": "button",
        "sub_type": "quick_reply",
        "index": str(index),
        "parameters": parameters,
    }


async def test_a_template_reaches_a_closed_window_filled_in(start: Start, folder: Path) -> None:
    simulator = await start(simulator_templates=folder)
    answer = await simulator.send(**template("Ana", "Python"))
    assert answer.json()["messages"][0]["message_status"] == "accepted"
    message_id = answer.json()["messages"][0]["id"]
    await eventually(lambda: len(simulator.gateway.statuses_of(message_id)) == 3)
    assert simulator.gateway.statuses[0]["pricing"]["category"] == "utility"
    bubble = (await simulator.transcript())[0]
    assert bubble["text"] == "Olá Ana, sua pergunta de Python chegou."
    assert (bubble["template"], bubble["footer"]) == ("daily_question", "Sabatina")
    assert [option["title"] for option in bubble["options"]] == ["Responder", "Agora não"]


async def test_a_template_button_answers_with_its_payload(start: Start, folder: Path) -> None:
    simulator = await start(simulator_templates=folder)
    sent = await simulator.send(**template("Ana", "Python", buttons=[button(0, "answer:42")]))
    await simulator.say(reply="Responder")
    await simulator.say(reply="Agora não")
    await eventually(lambda: len(simulator.gateway.messages) == 2)
    first, second = simulator.gateway.messages
    assert first["type"] == "button"
    assert first["button"] == {"payload": "answer:42", "text": "Responder"}
    assert first["context"]["id"] == sent.json()["messages"][0]["id"]
    assert second["button"] == {"payload": "Agora não", "text": "Agora não"}


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (template("Ana", "x", name="unknown"), 404, 132001),
        (template("Ana", "x", language="es"), 404, 132001),
        (template("Ana"), 400, 132000),
        (template("Ana", "x", "y"), 400, 132000),
        (template("Ana", "two\nlines"), 400, 132018),
        (template("Ana", ""), 400, 131008),
        (template("Ana", "x" * 1025), 400, 132005),
        (template("Ana", "x", buttons=[button(2, "p")]), 400, 132018),
        (template("Ana", language="en_US"), 400, 132012),
    ],
)
async def test_a_template_that_does_not_fit_is_refused(
    start: Start, folder: Path, message: dict[str, Any], status: int, code: int
) -> None:
    simulator = await start(simulator_templates=folder)
    answer = await simulator.send(**message)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_named_parameters_are_filled_by_name(start: Start, folder: Path) -> None:
    simulator = await start(simulator_templates=folder)
    message = template("Ana", language="en_US")
    message["template"]["components"][0]["parameters"][0]["parameter_name"] = "name"
    assert (await simulator.send(**message)).status_code == 200
    assert (await simulator.transcript())[0]["text"] == "Hello Ana!"


async def test_without_a_folder_any_template_is_taken(simulator: Simulator) -> None:
    await simulator.send(**template("Ana", "Python", name="whatever", buttons=[button(0, "go")]))
    bubble = (await simulator.transcript())[0]
    assert bubble["text"] == "whatever\nAna\nPython"
    assert bubble["options"] == [{"id": "go", "title": "go"}]


async def listed(simulator: Simulator) -> list[tuple[str, str, str]]:
    answer: httpx.Response = await simulator.http.get(EDGE, headers=AUTHORIZED)
    rows = answer.json()["data"]
    return [(row["name"], row["language"], row["status"]) for row in rows]


async def test_templates_are_listed_and_created(start: Start, folder: Path) -> None:
    simulator = await start(simulator_templates=folder)
    new = {
        "name": "hello",
        "language": "es",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hola {{1}}"}],
    }
    created = await simulator.http.post(EDGE, json=new, headers=AUTHORIZED)
    assert created.json()["status"] == "APPROVED"
    assert await listed(simulator) == [
        ("daily_question", "pt_BR", "APPROVED"),
        ("daily_question", "en_US", "APPROVED"),
        ("hello", "es", "APPROVED"),
    ]
    await simulator.send(**template("Ana", name="hello", language="es"))
    assert (await simulator.transcript())[0]["text"] == "Hola Ana"
    refused = await simulator.http.post(EDGE, json={"name": "Bad Name"}, headers=AUTHORIZED)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)


def test_a_template_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: x", "utf-8")
    with pytest.raises(InvalidTemplateFile, match=r"broken\.yaml"):
        TemplateBook(tmp_path)
