"""Answers and webhooks against Meta's own OpenAPI description, where a copy of it is at hand."""

from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from devstack.reference import CLOUD_OPENAPI
from simulator import samples
from simulator.testing import ANA, AUTHORIZED, NUMBER_PATH, Simulator, Start, eventually

pytestmark = pytest.mark.skipif(not CLOUD_OPENAPI.exists(), reason="no copy of the description")

NUMBER = NUMBER_PATH.removesuffix("/messages")
EDGE = "/v23.0/100000000000002/message_templates"


@cache
def description() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(CLOUD_OPENAPI.read_text("utf-8"), loader)  # noqa: S506
    schemas = found["components"]["schemas"]
    # Incoming messages are described there with the fields of outgoing ones (`to` is required and
    # `from` forbidden), which Meta's own examples do not fit either.
    schemas["IncomingMessage"] = {"type": "object", "required": ["id", "type", "timestamp"]}
    schemas["BaseMessageProperties"] = {"type": "object"}
    return found


def check(schema: dict[str, Any], body: object) -> None:
    whole = schema | {"components": description()["components"]}
    problems = [
        f"{'.'.join(str(step) for step in error.absolute_path)}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(body)
    ]
    assert problems == []


def check_answer(path: str, method: str, body: object) -> None:
    answers = description()["paths"][path][method]["responses"]
    check(answers["200"]["content"]["application/json"]["schema"], body)


async def test_webhooks_fit(start: Start) -> None:
    """Left out: edits, revocations and business-scoped ids: all younger than the description."""
    simulator = await start(simulator_user_ids=False)
    await simulator.say(text="oi", name="Ana")
    buttons = [{"type": "reply", "reply": {"id": "yes", "title": "Sim"}}]
    asked = {"type": "button", "body": {"text": "Pronto?"}, "action": {"buttons": buttons}}
    await simulator.send(type="interactive", interactive=asked)
    await simulator.say(reply="yes")
    kinds = ["image", "video", "audio", "document", "sticker", "location", "contacts", "order"]
    for kind in [*kinds, "reaction", "unsupported"]:
        await simulator.say(type=kind)
    await simulator.arm(target="send", kind="failed_status", code=131026)
    await simulator.send_text()
    await eventually(lambda: len(simulator.gateway.messages) == 12)
    await eventually(lambda: len(simulator.gateway.statuses) == 4)
    schema = {"$ref": "#/components/schemas/WebhookPayload"}
    for change in simulator.gateway.changes:
        entry = {"id": "100000000000002", "changes": [change]}
        check(schema, {"object": "whatsapp_business_account", "entry": [entry]})
    described = {
        "interactive": "InteractiveMessageReply",
        "order": "OrderMessage",
    }
    for message in simulator.gateway.messages:
        if message["type"] in described:
            check({"$ref": f"#/components/schemas/{described[message['type']]}"}, message)


async def test_answers_fit(simulator: Simulator) -> None:
    await simulator.say(text="oi")
    sent = await simulator.send_text()
    check_answer("/{Version}/{Phone-Number-ID}/messages", "post", sent.json())
    form = {"messaging_product": "whatsapp", "type": "image/png"}
    files = {"file": ("a.png", samples.png(), "image/png")}
    path = f"{NUMBER}/media"
    made = await simulator.http.post(path, data=form, files=files, headers=AUTHORIZED)
    check_answer("/{Version}/{Phone-Number-ID}/media", "post", made.json())
    media = f"/v23.0/{made.json()['id']}"
    view = await simulator.http.get(media, headers=AUTHORIZED)
    check_answer("/{Version}/{Media-ID}", "get", view.json())
    gone = await simulator.http.delete(media, headers=AUTHORIZED)
    check_answer("/{Version}/{Media-ID}", "delete", gone.json())


async def test_template_answers_fit(simulator: Simulator) -> None:
    new = {
        "name": "hello",
        "language": "pt_BR",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Olá {{1}}"}],
    }
    made = await simulator.http.post(EDGE, json=new, headers=AUTHORIZED)
    check_answer("/{Version}/{WABA-ID}/message_templates", "post", made.json())
    listed = await simulator.http.get(EDGE, headers=AUTHORIZED)
    check_answer("/{Version}/{WABA-ID}/message_templates", "get", listed.json())
    await simulator.send_text(to=ANA)
