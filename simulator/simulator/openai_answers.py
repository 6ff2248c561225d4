"""What the model says, written in OpenAI's two dialects."""

import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict

from simulator.openai_orders import Completion, ResponseOrder
from simulator.schema_filling import Json


class Choice(BaseModel):
    model_config = ConfigDict(frozen=True)

    content: str | None
    refusal: str | None = None
    finish_reason: Literal["stop", "length", "content_filter"] = "stop"

    @property
    def tokens(self) -> int:
        return len(self.content or self.refusal or "") // 4


def completion(order: Completion, choice: Choice, created: int) -> Json:
    asked, answered = order.asked().length // 4, choice.tokens
    message = {"role": "assistant", "content": choice.content, "refusal": choice.refusal}
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": created,
        "model": order.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": choice.finish_reason,
            }
        ],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        },
    }


def response_object(order: ResponseOrder, choice: Choice, created: int) -> Json:
    asked, answered = order.asked().length // 4, choice.tokens
    part: Json = {"type": "output_text", "text": choice.content or "", "annotations": []}
    if choice.refusal:
        part = {"type": "refusal", "refusal": choice.refusal}
    cut = {"length": "max_output_tokens", "content_filter": "content_filter"}
    reason = cut.get(choice.finish_reason)
    status = "incomplete" if reason else "completed"
    message: Json = {
        "type": "message",
        "id": f"msg_{secrets.token_hex(12)}",
        "role": "assistant",
        "status": status,
        "content": [part] if choice.content or choice.refusal else [],
    }
    return {
        "id": f"resp_{secrets.token_hex(12)}",
        "object": "response",
        "created_at": created,
        "model": order.model,
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "error": None,
        "output": [message],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answered,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + answered,
        },
    }
