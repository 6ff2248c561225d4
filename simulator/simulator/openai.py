import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from fastapi import APIRouter, Header, HTTPException
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from simulator.connections import NoAnswer
from simulator.faults import FaultOrder, Kind
from simulator.marking import Exam, mark
from simulator.openai_answers import Choice, completion, response_object
from simulator.openai_orders import Asked, Completion, ResponseOrder
from simulator.schema_filling import Json, fill
from simulator.stage import Stage
from simulator.transcription import MissingPart, transcribe

MODEL = "simulated-examiner"
GARBAGE = 'Sure! Here is the marking you asked for: {"points": [{"id": "p1", "verdict": oops'
WRONG_SCHEMA = '{"verdicts": {"p1": "fine"}, "score": "ten"}'
DRIPS = 20
REFUSAL = "I'm sorry, but I can't help with that."
_DEFAULT_HTTP_STATUS = 500

Order = TypeVar("Order", Completion, ResponseOrder)
Written = Callable[[Order, Choice, int], Json]


class OpenAIError(Exception):
    def __init__(self, http_status: int, message: str, kind: str = "invalid_request_error") -> None:
        self.http_status = http_status
        self.kind = kind
        super().__init__(message)

    def response(self) -> Response:
        error = {"message": str(self), "type": self.kind, "param": None, "code": None}
        return JSONResponse({"error": error}, self.http_status)


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
        return await answer(request, Completion, completion)

    @router.post("/responses")
    async def respond(request: Request) -> Response:
        return await answer(request, ResponseOrder, response_object)

    async def answer(request: Request, kind: type[Order], written: Written[Order]) -> Response:
        body = await request.body()
        response = await _outcome(_answer(stage, request, body, kind, written))
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


async def _answer(
    stage: Stage, request: Request, body: bytes, kind: type[Order], written: Written[Order]
) -> Response:
    _check_key(request)
    order = _parse(body, kind)
    fault = stage.faults.strike("llm")
    if fault:
        await _happen_before(fault)
        if fault.kind is Kind.TIMEOUT_AFTER_ACCEPTANCE:
            return NoAnswer(fault.delay.total_seconds())
    choice = _spoil(_choice(order.asked()), fault)
    whole = written(order, choice, int(stage.clock.now().timestamp()))
    if fault and fault.kind is Kind.SLOW_BODY:
        return _dripping(whole, fault.delay.total_seconds())
    return JSONResponse(whole)


def _dripping(whole: Json, seconds: float) -> Response:
    """Byte after byte, never long without one: no time limit between two bytes notices."""
    text = json.dumps(whole).encode()
    step = max(1, len(text) // DRIPS)

    async def drip() -> AsyncIterator[bytes]:
        for start in range(0, len(text), step):
            yield text[start : start + step]
            await asyncio.sleep(seconds / DRIPS)

    return StreamingResponse(drip(), media_type="application/json")


def _has_key(authorization: str) -> bool:
    scheme, _, key = authorization.partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def _parse(body: bytes, kind: type[Order]) -> Order:
    try:
        order = kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise OpenAIError(400, f"{where}: {first['msg']}") from error
    if order.stream:
        raise OpenAIError(400, "stream: the simulator answers only whole completions")
    return order


async def _happen_before(fault: FaultOrder) -> None:
    if fault.kind is Kind.DELAY:
        await asyncio.sleep(fault.delay.total_seconds())
    elif fault.kind in {Kind.ERROR, Kind.HTTP_500_BEFORE}:
        status = fault.code if fault.kind is Kind.ERROR else None
        kind = "rate_limit_exceeded" if status == 429 else "server_error"
        raise OpenAIError(status or _DEFAULT_HTTP_STATUS, "Simulated failure.", kind)


def _choice(asked: Asked) -> Choice:
    exam = find_exam(asked.said)
    marking: Json = mark(exam).model_dump(mode="json") if exam else None
    if asked.schema:
        marking = fill(asked.schema, marking)
    elif asked.is_text:
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
        case Kind.FILTERED:
            return Choice(content=None, finish_reason="content_filter")
        case Kind.WRONG_SCHEMA:
            return Choice(content=WRONG_SCHEMA)
        case _:
            return choice


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
