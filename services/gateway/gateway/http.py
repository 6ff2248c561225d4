"""What surrounds every request: a span, a count, a limit on the body. Pure ASGI, for speed."""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

from fastapi import HTTPException
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram

from common import metrics, telemetry

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API_BODY_LIMIT = 64 * 1024  # bytes
IMPORT_PATH = "/api/v1/questions/import"
IMPORT_BODY_LIMIT = 768 * 1024
"""Crosses the bus as one message, of which NATS takes 1 MiB."""
WEBHOOK_PREFIX = "/webhook/"


class Observed:
    """Names a request by its route's template: paths hold ids, and queries anything at all."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(event: MutableMapping[str, Any]) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        with telemetry.span(scope["method"], kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, watch)
            finally:
                route = getattr(scope.get("route"), "path", "unmatched")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                count, seconds = _metrics(scope["method"], route, status)
                count.inc()
                seconds.observe(time.perf_counter() - started)


@cache
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Looking a label up costs more than counting; there are few routes and few codes."""
    return (
        metrics.HTTP_REQUESTS.labels(method, route, status),
        metrics.HTTP_SECONDS.labels(method, route),
    )


class LimitedBodies:
    """Refuses API bodies over the limit; the webhook has its own, larger one."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(WEBHOOK_PREFIX):
            await self._app(scope, receive, send)
            return
        is_import = scope["path"] == IMPORT_PATH
        limit, size = IMPORT_BODY_LIMIT if is_import else API_BODY_LIMIT, 0

        async def limited() -> MutableMapping[str, Any]:
            nonlocal size
            event = await receive()
            size += len(event.get("body", b""))
            if size > limit:
                raise BodyOverLimit(limit)
            return event

        await self._app(scope, limited, send)


class BodyOverLimit(HTTPException):
    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is larger than {limit // 1024} KiB.")
