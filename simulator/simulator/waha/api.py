"""The REST API of a WAHA server: who may call, what was called, and which part answers."""

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import Clock
from simulator.connections import NoAnswer
from simulator.journal import Journal
from simulator.waha.errors import Unauthorized, WahaError

PREFIX = "/waha"
Handler = Callable[[Request, bytes], Awaitable[Response]]


class Part(Protocol):
    """Some of the API's calls: method, path and handler."""

    def calls(self) -> list[tuple[str, str, Handler]]: ...


class WahaApi:
    def __init__(self, api_key: str, clock: Clock, journal: Journal, parts: list[Part]) -> None:
        self._api_key = api_key
        self._clock = clock
        self._journal = journal
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            Route(PREFIX + path, self._recorded(handler), methods=[method])
            for part in self._parts
            for method, path, handler in part.calls()
        ]

    def _recorded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            try:
                self._check_key(request)
                response = await handler(request, body)
            except WahaError as error:
                response = answer(error.body, error.http_status)
            self._journal.record(
                method=request.method,
                path=request.url.path,
                body=body,
                at=self._clock.now(),
                status=None if isinstance(response, NoAnswer) else response.status_code,
            )
            return response

        return handle

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("x-api-key") or request.query_params.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), self._api_key.encode()):
            raise Unauthorized


def answer(body: object, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, media_type="application/json")


def query_value(request: Request, name: str, default: str = "") -> str:
    found = parse_qs(request.url.query).get(name)
    return found[-1] if found else default


def query_number(request: Request, name: str, default: int) -> int:
    value = query_value(request, name)
    return int(float(value)) if value.replace(".", "", 1).isdecimal() else default
