"""JSON that others wrote, read without trusting it: a wrong part is missing, never an error."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import core_schema

OLDEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp began then
TEXT_LIMIT = 65_536  # characters; the longest text that WhatsApp carries
ORIGINAL_LIMIT = 131_072  # characters; NATS takes a message of at most one mebibyte
DEEPEST = 200  # levels; whoever reads deeper JSON recursively runs out of stack
MILLISECONDS_FROM = 10_000_000_000  # both vendors send milliseconds where they document seconds

Part = TypeVar("Part")


class _OrNothing:
    """In the parser itself: calling back into Python for each field costs more than parsing."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


Lenient = Annotated[Part | None, _OrNothing()]
"""A field that is None when it holds something else than it should."""


class LenientPart(BaseModel):
    """A part of a vendor's JSON; what it does not name is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


def dig(value: object, *path: str) -> object:
    """What lies at `path`; None when anything on the way is missing or no object."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_at(value: object, *path: str) -> str | None:
    """The text that lies at `path`; None when it is empty or no text."""
    found = dig(value, *path)
    return found if isinstance(found, str) and found else None


def seconds_of(timestamp: object) -> float | None:
    """Seconds since 1970, from seconds or milliseconds, a number or its digits."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, str | int | float):
        return None
    try:
        seconds = float(timestamp)
    except (ValueError, OverflowError):
        return None
    return seconds / 1000 if seconds > MILLISECONDS_FROM else seconds


def instant(timestamp: object, now: datetime) -> datetime:
    """When something was sent; `now` for what cannot be the time of a message."""
    seconds = seconds_of(timestamp)
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds else now
    except (ValueError, OverflowError, OSError):
        return now
    return at if OLDEST < at < now + timedelta(days=1) else now


def clean(text: str | None) -> str | None:
    """PostgreSQL cannot store a NUL character, nor NATS a message without an end."""
    return text.replace("\x00", "")[:TEXT_LIMIT] if text else text


def as_json(item: object) -> str:
    """The same item gives the same text, in whatever order its fields came."""
    try:
        return json.dumps(item, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(repr(item)[:10_000])


def original_of(item: object) -> str:
    """JSON to be kept: the item, or the beginning of one that is too large to be a message."""
    written = as_json(item)
    if len(written) <= ORIGINAL_LIMIT:
        return written
    return json.dumps({"size": len(written), "beginning": written[:ORIGINAL_LIMIT]})


def mended(value: object, depth: int = 0) -> object:
    """Without what cannot be stored: NUL characters, halves of surrogate pairs, endless nesting."""
    if isinstance(value, str):
        return _mended_text(value)
    if isinstance(value, list):
        return [mended(item, depth + 1) for item in value] if depth < DEEPEST else None
    if isinstance(value, dict) and depth < DEEPEST:
        return {mended(key): mended(item, depth + 1) for key, item in value.items()}
    return None if isinstance(value, dict) else value


def _mended_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")
