"""Every body that we send, against WAHA's own description of its API."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from common.events import Attachment
from devstack.reference import WAHA_OPENAPI
from messenger.channels import OutboundMessage
from messenger.channels.waha_codes import WahaCode, code_of
from messenger.channels.waha_payloads import request_of, sent_id
from messenger.errors_policy import RULES, Action
from messenger.rendering import TextContent


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not WAHA_OPENAPI.exists():
        pytest.skip("WAHA's OpenAPI description is not here")
    found: dict[str, Any] = json.loads(WAHA_OPENAPI.read_text())
    return found


def attachment(kind: str, mime_type: str) -> Attachment:
    return Attachment.model_validate(
        {"kind": kind, "mime_type": mime_type, "filename": "a", "data": "aGVsbG8="}
    )


def bodies() -> Iterator[tuple[str, dict[str, object]]]:
    files = (None, attachment("image", "image/png"), attachment("document", "application/pdf"))
    for file in files:
        message = OutboundMessage(uuid4(), "1", TextContent("Olá"), "reply", attachment=file)
        yield request_of(message, "default", "5511987654321@c.us")
    chat: dict[str, object] = {"session": "default", "chatId": "123@lid"}
    for path in ("sendSeen", "startTyping", "stopTyping"):
        yield path, chat


@pytest.mark.parametrize(("path", "body"), list(bodies()), ids=lambda one: str(one)[:20])
def test_a_body_has_the_form_that_waha_describes(
    description: dict[str, Any], path: str, body: dict[str, object]
) -> None:
    operation = description["paths"][f"/api/{path}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rsplit("/", 1)[-1]
    schemas = _local(description["components"]["schemas"])
    Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schemas}).validate(body)
    known = _properties(description["components"]["schemas"], name)
    assert set(body) <= known


def test_every_path_that_is_asked_exists(description: dict[str, Any]) -> None:
    for path in (
        "/api/contacts/check-exists",
        "/api/sessions/{session}",
        "/api/sessions/{session}/start",
        "/api/sessions/{session}/restart",
        "/api/server/version",
        "/api/{session}/lids/{lid}",
        "/api/{session}/chats/overview",
        "/api/{session}/chats/{chatId}/messages",
        "/api/{session}/chats/{chatId}/messages/{messageId}",
    ):
        assert path in description["paths"], path


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"id": "true_551@c.us_3EB0AB"}', "3EB0AB"),
        ('{"id": "3EB0AB"}', "3EB0AB"),
        ('{"id": {"_serialized": "true_1@lid_3EB0AB", "id": "x"}}', "3EB0AB"),
        ('{"key": {"remoteJid": "1@s.whatsapp.net", "fromMe": true, "id": "3EB0AB"}}', "3EB0AB"),
    ],
)
def test_the_id_of_an_answer_is_the_bare_one(answer: str, found: str) -> None:
    assert sent_id(answer.encode()) == found


@pytest.mark.parametrize("answer", ["{}", "[]", "", "<html>", '{"id": null}', '{"id": 7}'])
def test_an_answer_without_an_id_says_nothing(answer: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        sent_id(answer.encode())


@pytest.mark.parametrize(
    ("http_status", "body", "code", "action"),
    [
        (422, '{"status": "STARTING"}', WahaCode.STARTING, Action.RETRY),
        (422, '{"status": "SCAN_QR_CODE"}', WahaCode.SCAN_QR_CODE, Action.PAUSE),
        (422, '{"status": "FAILED"}', WahaCode.FAILED, Action.PAUSE),
        (422, '{"status": "STOPPED"}', WahaCode.STOPPED, Action.PAUSE),
        (422, '{"status": "PASSKEY_REQUIRED"}', WahaCode.SCAN_QR_CODE, Action.PAUSE),
        (422, '{"status": "UNHEARD_OF"}', WahaCode.NOT_WORKING, Action.PAUSE),
        (401, "", WahaCode.UNAUTHORISED, Action.PAUSE),
        (404, "{}", WahaCode.NO_SESSION, Action.PAUSE),
        (400, "{}", WahaCode.NOT_UNDERSTOOD, Action.FIX),
    ],
)
def test_every_refusal_has_a_rule(
    http_status: int, body: str, code: WahaCode, action: Action
) -> None:
    assert code_of(http_status, body.encode()) is code
    assert RULES[code].action is action
    assert all(RULES[each].reason for each in WahaCode)


def test_an_answer_of_a_proxy_is_no_word_of_waha() -> None:
    assert code_of(422, b"<html>") is None
    assert code_of(429, b"") is None


def _local(schemas: object) -> object:
    return json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))


def _properties(schemas: dict[str, Any], name: str) -> set[str]:
    return set(schemas[name]["properties"])
