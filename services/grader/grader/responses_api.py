"""OpenAI's own Responses API. Nothing is kept on its side: each examination stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.examiners import FailureReason
from grader.model_api import Dialect, Said
from grader.openai_reply import SCHEMA

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.responses import Response, ResponseTextConfigParam


@dataclass(frozen=True)
class ResponsesApi:
    client: "AsyncOpenAI"
    model: str

    async def ask(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Said:
        from openai import omit
        from openai.types.responses import Response

        response = await self.client.responses.create(
            model=self.model,
            instructions="\n\n".join(instructions),
            input=[{"role": "user", "content": exam}],
            text=_format(dialect),
            reasoning={"effort": dialect.effort} if dialect.effort is not None else omit,
            store=False,
        )
        if not isinstance(response, Response):  # a page of some proxy, as text
            raise ValueError("no response")
        return _read(response)


def _format(dialect: Dialect) -> "ResponseTextConfigParam":
    if not dialect.has_schemas:
        return {"format": {"type": "json_object"}}
    return {"format": {"type": "json_schema", "name": "marking", "strict": True, "schema": SCHEMA}}


def _read(response: "Response") -> Said:
    usage = response.usage
    return Said(
        response.output_text,
        usage.input_tokens if usage else 0,
        usage.output_tokens if usage else 0,
        _problem_of(response),
    )


def _problem_of(response: "Response") -> FailureReason | None:
    if response.status == "incomplete":
        details = response.incomplete_details
        is_filtered = details is not None and details.reason == "content_filter"
        return "filtered" if is_filtered else "truncated"
    if response.status == "failed":
        is_limit = response.error is not None and response.error.code == "rate_limit_exceeded"
        return "rate_limited" if is_limit else "server_error"
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    if any(part.type == "refusal" for part in parts):
        return "refused"
    return None if parts else "invalid"
