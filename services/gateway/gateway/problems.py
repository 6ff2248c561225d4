"""Errors as people and programs can use them: application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from common.errors import CommandRefused, DependencyUnavailable, NotAnswered
from gateway.registration import FIELD_ADVICE

MEDIA_TYPE = "application/problem+json"
STATUS_OF_REFUSAL = {
    "user_not_found": 404,
    "review_not_found": 404,
    "question_not_found": 404,
    "invalid": 422,
    "not_allowed": 409,
}

MEANINGS = {
    401: ("No key was sent.", "Send the key as `Authorization: Bearer ...`."),
    403: ("The key is wrong.", "This key is not valid."),
    404: ("There is no such person.", "There is nobody with this id."),
    409: ("What is asked for is not possible now.", "This person has unsubscribed."),
    413: ("The body is too large.", "The body is larger than 64 KiB."),
    422: ("A field needs another value; each is named, with advice.", ""),
    429: ("Too many from one address.", "Too many registrations from this address."),
    503: ("A service is away; trying again is safe.", "The service that does this is away."),
}
"""For the API's page: when each is answered, and an example of a title."""
WRONG_FIELDS = "Some fields need another value."
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}

Responses = dict[int | str, dict[str, Any]]


class FieldProblem(BaseModel):
    field: str
    message: str
    """What to write in it instead."""


class Problem(BaseModel):
    """RFC 9457."""

    title: str
    status: int
    errors: list[FieldProblem] | None = None


def problem_responses(*statuses: int) -> Responses:
    """What a route's documentation says of its problems."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    description, title = MEANINGS[status]
    example: dict[str, object] = {"title": title or WRONG_FIELDS, "status": status}
    if status == 422:
        example["errors"] = [{"field": "phone", "message": FIELD_ADVICE["phone"]}]
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema, "example": example}}
    headers = {"headers": {"Retry-After": RETRY_AFTER}} if status in {429, 503} else {}
    return {"description": description, "content": content, **headers}


def problem(
    status: int,
    title: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, object] = {"title": title, "status": status}
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(CommandRefused, _refused)
    app.add_exception_handler(NotAnswered, _unavailable)
    app.add_exception_handler(DependencyUnavailable, _unavailable)
    _describe(app)


def _describe(app: FastAPI) -> None:
    """FastAPI describes errors in its own shape, which this API never answers with."""
    original = app.openapi

    def described() -> dict[str, Any]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        operations = [each for path in document["paths"].values() for each in path.values()]
        for responses in (operation["responses"] for operation in operations):
            responses.update({"422": _described(422)} if "422" in responses else {})
        for foreign in ("HTTPValidationError", "ValidationError"):
            schemas.pop(foreign, None)
        template = "#/components/schemas/{model}"
        _, ours = models_json_schema([(Problem, "serialization")], ref_template=template)
        schemas.update(ours["$defs"])
        return document

    app.openapi = described  # type: ignore[method-assign]


async def _invalid(_: Request, error: Exception) -> Response:
    """The field and what to write in it. The value itself is not repeated."""
    assert isinstance(error, RequestValidationError)
    found: list[dict[str, str]] = []
    for each in error.errors():
        if each["type"] == "json_invalid":
            return problem(422, "The body is not valid JSON.")
        # The place within a list is left out: what is wrong is the field.
        named = [part for part in each["loc"] if isinstance(part, str)]
        location = [part for part in named if part not in {"body", "query", "path"}]
        field = ".".join(location)
        if each["type"] == "extra_forbidden":
            advice = "This field is not known; leave it out."
        elif each["type"] == "missing":
            advice = f"Missing. {FIELD_ADVICE.get(field, '')}".strip()
        else:
            advice = FIELD_ADVICE.get(location[0] if location else "", str(each["msg"]))
        if all(earlier["field"] != (field or "body") for earlier in found):
            found.append({"field": field or "body", "message": advice})
    return problem(422, WRONG_FIELDS, errors=found)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, CommandRefused)
    return problem(STATUS_OF_REFUSAL.get(error.code, 409), error.detail)


async def _unavailable(_: Request, __: Exception) -> Response:
    title = "The service that does this is not answering. Try again in a moment."
    return problem(503, title, headers={"Retry-After": "5"})
