"""Errors as people and programs can use them: application/problem+json (RFC 9457)."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from common.errors import CommandRefused, DependencyUnavailable, NotAnswered
from gateway.registration import FIELD_ADVICE

STATUS_OF_REFUSAL = {"user_not_found": 404, "invalid": 422, "not_allowed": 409}


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
    return JSONResponse(
        body, status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(CommandRefused, _refused)
    app.add_exception_handler(NotAnswered, _unavailable)
    app.add_exception_handler(DependencyUnavailable, _unavailable)


async def _invalid(_: Request, error: Exception) -> Response:
    """The field and what to write in it. The value itself is not repeated."""
    assert isinstance(error, RequestValidationError)
    found = []
    for each in error.errors():
        if each["type"] == "json_invalid":
            return problem(422, "The body is not valid JSON.")
        location = [str(part) for part in each["loc"] if part not in {"body", "query", "path"}]
        field = ".".join(location)
        if each["type"] == "extra_forbidden":
            advice = "This field is not known; leave it out."
        elif each["type"] == "missing":
            advice = f"Missing. {FIELD_ADVICE.get(field, '')}".strip()
        else:
            advice = FIELD_ADVICE.get(location[0] if location else "", str(each["msg"]))
        found.append({"field": field or "body", "message": advice})
    return problem(422, "Some fields need another value.", errors=found)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, CommandRefused)
    return problem(STATUS_OF_REFUSAL.get(error.code, 409), error.detail)


async def _unavailable(_: Request, __: Exception) -> Response:
    title = "The service that does this is not answering. Try again in a moment."
    return problem(503, title, headers={"Retry-After": "5"})
