"""The bytes of a webhook: bounded while they are read, and JSON or refused."""

import json
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from common.lenient import mended

BODY_LIMIT = 4 * 2**20  # bytes; a batch of a thousand updates passes one mebibyte


class BodyTooLarge(Exception):
    pass


class UnreadableBody(Exception):
    """Not a JSON object."""


async def read_limited(request: Request) -> bytes:
    """The raw body. Raises BodyTooLarge before more than the limit is held in memory."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise BodyTooLarge
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def read_object(body: bytes) -> dict[str, Any]:
    """Raises UnreadableBody. Half surrogate pairs, which the strict parser refuses, are mended."""
    try:
        parsed = from_json(body, allow_inf_nan=False)
    except ValueError:
        parsed = _read_leniently(body)
    if not isinstance(parsed, dict):
        raise UnreadableBody
    return parsed


def _read_leniently(body: bytes) -> object:
    try:
        return mended(json.loads(body, parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise UnreadableBody from error


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)
