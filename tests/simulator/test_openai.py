import json
import time
from typing import Any

import httpx
import jsonschema
import openai.types.responses
import pytest

from simulator.schema_filling import SchemaTooDeep, fill
from simulator.testing import Simulator

EXAM = {
    "question": "Lista ou tupla?",
    "language": "pt",
    "points": [
        {"id": "p1", "text": "Listas mudam", "keywords": ["mutável"]},
        {"id": "p2", "text": "Tuplas servem de chave", "keywords": ["hashable"]},
    ],
    "answer": 'A lista é mutável. {"points": []}',
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["points", "next_step", "gradable", "contradictions"],
    "properties": {
        "points": {"type": "array", "items": {"$ref": "#/$defs/Mark"}},
        "next_step": {"type": "string"},
        "gradable": {"type": "boolean"},
        "contradictions": {"type": "array", "items": {"type": "string"}},
    },
    "$defs": {
        "Mark": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "verdict", "quote"],
            "properties": {
                "id": {"type": "string"},
                "verdict": {"enum": ["met", "partly", "missing"]},
                "quote": {"type": "string"},
            },
        }
    },
}


def request(schema: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    wanted = {"name": "marking", "strict": True, "schema": schema or SCHEMA}
    return {
        "model": "any-model",
        "messages": [
            {"role": "system", "content": "Mark the answer."},
            {"role": "user", "content": f"Here it is:\n```json\n{json.dumps(EXAM)}\n```"},
        ],
        "response_format": {"type": "json_schema", "json_schema": wanted},
        **more,
    }


async def ask(simulator: Simulator, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": "Bearer sk-test"}
    return await simulator.http.post("/openai/v1/chat/completions", json=body, headers=headers)


async def test_an_answer_is_marked_in_the_shape_of_the_schema(simulator: Simulator) -> None:
    completion = (await ask(simulator, request())).json()
    choice = completion["choices"][0]
    content = json.loads(choice["message"]["content"])
    jsonschema.validate(content, SCHEMA)
    assert content["points"] == [
        {"id": "p1", "verdict": "met", "quote": "A lista é mutável."},
        {"id": "p2", "verdict": "missing", "quote": ""},
    ]
    assert content["gradable"] is True
    assert (choice["finish_reason"], choice["message"]["refusal"]) == ("stop", None)
    assert completion["model"] == "any-model"
    usage = completion["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


async def test_another_schema_is_filled_so_that_it_validates(simulator: Simulator) -> None:
    other = {
        "type": "object",
        "required": ["points", "score", "level", "kind", "notes", "next_step"],
        "properties": {
            "points": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "covered", "weight"],
                    "properties": {
                        "id": {"type": "string"},
                        "covered": {"type": "boolean"},
                        "weight": {"type": "number", "exclusiveMinimum": 0},
                    },
                },
            },
            "score": {"type": "integer", "minimum": 1, "maximum": 10},
            "level": {"enum": ["low", "high"]},
            "kind": {"const": "marking"},
            "notes": {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 2},
            "next_step": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 10}]},
            "optional": {"type": "string"},
        },
    }
    completion = (await ask(simulator, request(other))).json()
    content = json.loads(completion["choices"][0]["message"]["content"])
    jsonschema.validate(content, other)
    assert [point["id"] for point in content["points"]] == ["p1", "p2"]
    assert content["next_step"]
    assert "optional" not in content


async def test_content_may_come_in_parts(simulator: Simulator) -> None:
    parts = [{"type": "text", "text": "Mark:"}, {"type": "text", "text": json.dumps(EXAM)}]
    body = request() | {"messages": [{"role": "user", "content": parts}]}
    content = (await ask(simulator, body)).json()["choices"][0]["message"]["content"]
    assert json.loads(content)["points"][0]["verdict"] == "met"


async def test_without_an_exam_the_schema_is_still_filled(simulator: Simulator) -> None:
    body = request() | {"messages": [{"role": "user", "content": "hello {you}"}]}
    content = (await ask(simulator, body)).json()["choices"][0]["message"]["content"]
    jsonschema.validate(json.loads(content), SCHEMA)


async def test_models_are_listed(simulator: Simulator) -> None:
    path, headers = "/openai/v1/models", {"Authorization": "Bearer sk-test"}
    listed = (await simulator.http.get(path, headers=headers)).json()
    assert [model["id"] for model in listed["data"]] == ["simulated-examiner"]
    assert (await simulator.http.get(path)).status_code == 401


@pytest.mark.parametrize("body", [request(stream=True), {"model": "m", "messages": []}, {}])
async def test_what_cannot_be_done_is_a_clear_400(
    simulator: Simulator, body: dict[str, Any]
) -> None:
    answer = await ask(simulator, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_a_call_without_a_key_is_refused(simulator: Simulator) -> None:
    answer = await simulator.http.post("/openai/v1/chat/completions", json=request())
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("status", [429, 500])
async def test_the_model_may_fail(simulator: Simulator, status: int) -> None:
    await simulator.arm(target="llm", kind="error", code=status)
    assert (await ask(simulator, request())).status_code == status
    assert (await ask(simulator, request())).status_code == 200


async def test_the_model_may_talk_nonsense(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="garbage")
    message = (await ask(simulator, request())).json()["choices"][0]["message"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(message["content"])


async def test_the_model_may_be_cut_off_or_refuse(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="truncated")
    await simulator.arm(target="llm", kind="refusal")
    cut = (await ask(simulator, request())).json()["choices"][0]
    assert cut["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut["message"]["content"])
    refused = (await ask(simulator, request())).json()["choices"][0]["message"]
    assert refused["content"] is None
    assert refused["refusal"]


async def test_the_model_may_never_answer(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="timeout_after_acceptance", delay="PT0.1S")
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(simulator, request())


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"allOf": [{"type": "object"}, {"required": ["a"], "properties": {"a": {"type": "null"}}}]},
        {"oneOf": [{"type": "integer", "exclusiveMinimum": 4}, {"type": "string"}]},
        {"type": "array", "items": {"type": "number", "exclusiveMaximum": 0}, "minItems": 1},
        {"type": "object", "required": ["x"], "properties": {}},
        {"properties": {"a": {"enum": [3, 4]}}, "required": ["a"]},
    ],
)
def test_any_schema_is_filled_with_what_validates(schema: dict[str, Any]) -> None:
    jsonschema.validate(fill(schema, None), schema)


def test_a_schema_without_an_end_is_refused() -> None:
    endless: dict[str, Any] = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"$ref": "#"}},
    }
    with pytest.raises(SchemaTooDeep):
        fill(endless, None)


def order(**more: object) -> dict[str, Any]:
    """`request`, as the Responses API wants it."""
    asked = request()
    wanted = asked["response_format"]["json_schema"]
    return {
        "model": "any-model",
        "instructions": asked["messages"][0]["content"],
        "input": asked["messages"][1:],
        "text": {"format": {"type": "json_schema", **wanted}},
        **more,
    }


async def respond(simulator: Simulator, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": "Bearer sk-test"}
    answer = await simulator.http.post("/openai/v1/responses", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    openai.types.responses.Response.model_validate(read, strict=True)
    return read


async def test_the_responses_api_marks_like_chat_completions(simulator: Simulator) -> None:
    completion = (await ask(simulator, request())).json()
    response = await respond(simulator, order())
    [message] = response["output"]
    [part] = message["content"]
    assert part["text"] == completion["choices"][0]["message"]["content"]
    assert (response["status"], part["type"]) == ("completed", "output_text")
    usage = response["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


async def test_words_alone_may_be_asked_and_answered(simulator: Simulator) -> None:
    response = await respond(simulator, {"model": "m", "input": json.dumps(EXAM)})
    assert response["output"][0]["content"][0]["text"].startswith("Revise este ponto")


@pytest.mark.parametrize(
    ("kind", "status", "details", "parts"),
    [
        ("truncated", "incomplete", {"reason": "max_output_tokens"}, ["output_text"]),
        ("filtered", "incomplete", {"reason": "content_filter"}, []),
        ("refusal", "completed", None, ["refusal"]),
    ],
)
async def test_a_response_may_end_in_other_ways(
    simulator: Simulator,
    kind: str,
    status: str,
    details: dict[str, str] | None,
    parts: list[str],
) -> None:
    await simulator.arm(target="llm", kind=kind)
    response = await respond(simulator, order())
    assert (response["status"], response["incomplete_details"]) == (status, details)
    assert [part["type"] for part in response["output"][0]["content"]] == parts


async def test_the_content_filter_may_take_a_completion(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="filtered")
    choice = (await ask(simulator, request())).json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", None)


async def test_the_model_may_answer_in_another_schema(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="wrong_schema")
    content = (await ask(simulator, request())).json()["choices"][0]["message"]["content"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(content), SCHEMA)


async def test_an_answer_may_come_drop_by_drop(simulator: Simulator) -> None:
    await simulator.arm(target="llm", kind="slow_body", delay="PT0.4S")
    started = time.monotonic()
    answer = await ask(simulator, request())
    assert time.monotonic() - started >= 0.4
    assert answer.json()["choices"][0]["finish_reason"] == "stop"
