import asyncio
import json
import secrets
from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from simulator.connections import NoAnswer
from simulator.faults import FaultOrder, Kind
from simulator.marking import Exam, mark
from simulator.schema_filling import Json, fill
from simulator.stage import Stage
from simulator.transcription import MissingPart, transcribe

MODEL = "simulated-examiner"
GARBAGE = 'Sure! Here is the marking you asked for: {"points": [{"id": "p1", "verdict": oops'
REFUSAL = "I'm sorry, but I can't help with that."
_DEFAULT_HTTP_STATUS = 500


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = ""
    schema_: dict[str, JsonValue] = Field(alias="schema")


class ResponseFormat(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class Completion(BaseModel):
    """The parts of a chat completion request that the simulator heeds."""

    model_config = ConfigDict(frozen=True)

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    response_format: ResponseFormat | None = None
    stream: bool | None = False


class OpenAIError(Exception):
    def __init__(self, http_status: int, message: str, kind: str = "invalid_request_error") -> None:
        self.http_status = http_status
        self.kind = kind
        super().__init__(message)

    def response(self) -> Response:
        error = {"message": str(self), "type": self.kind, "param": None, "code": None}
        return JSONResponse({"error": error}, self.http_status)


class Choice(BaseModel):
    model_config = ConfigDict(frozen=True)

    content: str | None
    refusal: str | None = None
    finish_reason: Literal["stop", "length"] = "stop"


def routes(stage: Stage) -> APIRouter:
    router = APIRouter(prefix="/openai/v1")

    @router.get("/models")
    async def list_models(authorization: str = Header("")) -> Response:
        if not _has_key(authorization):
            raise HTTPException(401, "a bearer key is required")
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "sabatina"}
        return JSONResponse({"object": "list", "data": [model]})

    @router.post("/chat/completions")
    async def complete(request: Request) -> Response:
        body = await request.body()
        response = await _outcome(_answer(stage, request, body))
        _record(stage, request, body, response)
        return response

    @router.post("/audio/transcriptions")
    async def transcribe_audio(request: Request) -> Response:
        body = await request.body()
        response = await _outcome(_transcribe(stage, request, body))
        _record(stage, request, json.dumps({"multipart_bytes": len(body)}).encode(), response)
        return response

    return router


async def _outcome(answer: Awaitable[Response]) -> Response:
    try:
        return await answer
    except OpenAIError as error:
        return error.response()


def _record(stage: Stage, request: Request, body: bytes, response: Response) -> None:
    stage.calls.record(
        method="POST",
        path=request.url.path,
        body=body,
        at=stage.clock.now(),
        status=None if isinstance(response, NoAnswer) else response.status_code,
    )


async def _transcribe(stage: Stage, request: Request, body: bytes) -> Response:
    _check_key(request)
    try:
        text, wanted = transcribe(request.headers.get("content-type", ""), body)
    except MissingPart as error:
        raise OpenAIError(400, str(error)) from error
    fault = stage.faults.strike("llm")
    if fault:
        await _happen_before(fault)
        if fault.kind is Kind.TIMEOUT_AFTER_ACCEPTANCE:
            return NoAnswer(fault.delay.total_seconds())
    spoilt = _spoil(Choice(content=text), fault)
    heard = spoilt.content or ""
    return PlainTextResponse(heard) if wanted == "text" else JSONResponse({"text": heard})


def _check_key(request: Request) -> None:
    if not _has_key(request.headers.get("authorization", "")):
        raise OpenAIError(401, "You didn't provide an API key.", "authentication_error")


async def _answer(stage: Stage, request: Request, body: bytes) -> Response:
    _check_key(request)
    completion = _parse(body)
    fault = stage.faults.strike("llm")
    if fault:
        await _happen_before(fault)
        if fault.kind is Kind.TIMEOUT_AFTER_ACCEPTANCE:
            return NoAnswer(fault.delay.total_seconds())
    choice = _spoil(_choice(completion), fault)
    return JSONResponse(_completion(completion, choice, int(stage.clock.now().timestamp())))


def _has_key(authorization: str) -> bool:
    scheme, _, key = authorization.partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def _parse(body: bytes) -> Completion:
    try:
        completion = Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise OpenAIError(400, f"{where}: {first['msg']}") from error
    if completion.stream:
        raise OpenAIError(400, "stream: the simulator answers only whole completions")
    return completion


async def _happen_before(fault: FaultOrder) -> None:
    if fault.kind is Kind.DELAY:
        await asyncio.sleep(fault.delay.total_seconds())
    elif fault.kind in {Kind.ERROR, Kind.HTTP_500_BEFORE}:
        status = fault.code if fault.kind is Kind.ERROR else None
        kind = "rate_limit_exceeded" if status == 429 else "server_error"
        raise OpenAIError(status or _DEFAULT_HTTP_STATUS, "Simulated failure.", kind)


def _choice(completion: Completion) -> Choice:
    exam = find_exam(_last_user_text(completion))
    marking: Json = mark(exam).model_dump(mode="json") if exam else None
    wanted = completion.response_format
    if wanted and wanted.json_schema:
        marking = fill(wanted.json_schema.schema_, marking)
    elif wanted is None or wanted.type == "text":
        return Choice(content=mark(exam).next_step if exam else "This answer is simulated.")
    return Choice(content=json.dumps(marking if marking is not None else {}, ensure_ascii=False))


def _spoil(choice: Choice, fault: FaultOrder | None) -> Choice:
    match fault.kind if fault else None:
        case Kind.GARBAGE:
            return Choice(content=GARBAGE)
        case Kind.REFUSAL:
            return Choice(content=None, refusal=REFUSAL)
        case Kind.TRUNCATED:
            content = choice.content or ""
            return Choice(content=content[: len(content) // 2], finish_reason="length")
        case _:
            return choice


def _last_user_text(completion: Completion) -> str:
    texts = [message.text for message in completion.messages if message.role == "user"]
    return texts[-1] if texts else ""


def find_exam(text: str) -> Exam | None:
    """The first JSON object in the text that is an exam; whatever surrounds it is prose."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position != -1:
        try:
            found, _ = decoder.raw_decode(text, position)
            return Exam.model_validate(found)
        except ValueError:
            position = text.find("{", position + 1)
    return None


def _completion(completion: Completion, choice: Choice, created: int) -> dict[str, object]:
    asked = sum(len(message.text) for message in completion.messages) // 4
    answered = len(choice.content or choice.refusal or "") // 4
    message = {"role": "assistant", "content": choice.content, "refusal": choice.refusal}
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": created,
        "model": completion.model,
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
