"""What is asked of a model, over whichever API: one exam in, one JSON text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from grader.examiners import FailureReason
from grader.settings import Effort

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAIError

log = structlog.get_logger()

_ABOUT_EFFORT = ("effort", "reasoning")
_ABOUT_SCHEMA = ("response_format", "json_schema", "text.format", "structured output")
_REFUSED_REQUEST = frozenset({400, 422})


@dataclass(frozen=True)
class Said:
    content: str
    tokens_in: int = 0
    tokens_out: int = 0
    problem: FailureReason | None = None
    """The request went well, and yet there is nothing to read."""


@dataclass
class Dialect:
    """What this server takes. What it once refused it is not sent again by this process."""

    effort: Effort | None = None
    has_schemas: bool = True

    def is_narrower_after(self, error: "APIStatusError") -> bool:
        """True when the request is worth sending again, without what the server did not take."""
        if error.status_code not in _REFUSED_REQUEST:
            return False
        complaint = (error.param or error.message).lower()
        if self.effort is not None and any(word in complaint for word in _ABOUT_EFFORT):
            self.effort = None
        elif self.has_schemas and any(word in complaint for word in _ABOUT_SCHEMA):
            self.has_schemas = False
        else:
            return False
        log.warning("model_takes_less", effort=self.effort or "", schemas=self.has_schemas)
        return True


class ModelApi(Protocol):
    async def ask(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Said:
        """Raises OpenAIError, and ValueError for what is no answer of this API at all."""
        ...


def reason_of(error: "OpenAIError") -> FailureReason:
    import openai

    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "unreachable"
        case openai.RateLimitError():
            return "rate_limited"
        case openai.APIStatusError() if error.status_code >= 500:
            return "server_error"
        case openai.APIStatusError():
            return "rejected"
        case _:
            return "invalid"
