"""Chat completions: what every compatible server speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.examiners import FailureReason
from grader.model_api import Dialect, Said
from grader.openai_reply import SCHEMA

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
    from openai.types.chat.completion_create_params import ResponseFormat


@dataclass(frozen=True)
class ChatApi:
    client: "AsyncOpenAI"
    model: str

    async def ask(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Said:
        from openai import omit
        from openai.types.chat import ChatCompletion

        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": one} for one in instructions
        ]
        messages.append({"role": "user", "content": exam})
        completion = await self.client.chat.completions.create(
            model=self.model,
            messages=messages,
            response_format=_format(dialect),
            reasoning_effort=dialect.effort if dialect.effort is not None else omit,
        )
        if not isinstance(completion, ChatCompletion):  # a page of some proxy, as text
            raise ValueError("no completion")
        return _read(completion)


def _format(dialect: Dialect) -> "ResponseFormat":
    if not dialect.has_schemas:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": "marking", "strict": True, "schema": SCHEMA},
    }


def _read(completion: "ChatCompletion") -> Said:
    usage = completion.usage
    tokens_in = usage.prompt_tokens if usage else 0
    tokens_out = usage.completion_tokens if usage else 0
    choice = completion.choices[0] if completion.choices else None
    problem: FailureReason | None = None
    if choice is None:
        problem = "invalid"
    elif choice.message.refusal:
        problem = "refused"
    elif choice.finish_reason == "length":
        problem = "truncated"
    elif choice.finish_reason == "content_filter":
        problem = "filtered"
    content = (choice.message.content if choice else None) or ""
    return Said(content, tokens_in, tokens_out, problem)
