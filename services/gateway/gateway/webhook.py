"""WhatsApp's two doors: verify, publish, and answer 200 only when NATS has stored every item.

No database is touched here. Whoever sends repeats what is not answered with 200: the Cloud API
for days, WAHA for half a minute.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from common import waha
from common.bus.publisher import Publisher
from common.clock import Clock
from common.errors import DependencyUnavailable
from common.events import Message
from common.telemetry import current_traceparent
from gateway.bodies import BodyTooLarge, UnreadableBody, read_limited, read_object
from gateway.payloads import messages_in
from gateway.settings import Settings
from gateway.signature import is_from_cloud, is_from_waha, is_same

log = structlog.get_logger()

RETRY_AFTER = {"Retry-After": "2"}

ITEMS = Counter("sabatina_webhook_items_total", "Items taken out of webhooks.", ["kind"])
REFUSED = Counter("sabatina_webhook_refused_total", "Webhooks not accepted.", ["reason"])
DROPPED = Counter("sabatina_webhook_dropped_total", "WAHA's events not for us.", ["reason"])


@dataclass(frozen=True)
class Door:
    """What differs between the channels; everything else about a webhook is the same."""

    path: str
    is_genuine: Callable[[bytes, Headers], bool]
    messages_in: Callable[[dict[str, Any], datetime], Iterable[Message]]
    greet: Callable[[Request], Response] | None = None
    """The answer to a GET, where there is one."""


def webhook_routes(settings: Settings, publisher: Publisher, clock: Clock) -> list[Route]:
    """One for each channel that is configured; the other's address does not exist."""
    doors = []
    if settings.app_secrets:
        doors.append(_cloud(settings))
    if settings.waha_keys:
        doors.append(_waha(settings))
    return [_route(door, publisher, clock) for door in doors]


def _cloud(settings: Settings) -> Door:
    secrets = settings.app_secrets
    verify_token = settings.whatsapp_verify_token.get_secret_value()

    def is_genuine(body: bytes, headers: Headers) -> bool:
        return is_from_cloud(body, headers.get("x-hub-signature-256"), secrets)

    def greet(request: Request) -> Response:
        """Meta's handshake: the challenge comes back as it is when the token is ours."""
        query = request.query_params
        is_ours = is_same(query.get("hub.verify_token", ""), verify_token)
        if query.get("hub.mode") == "subscribe" and is_ours:
            return PlainTextResponse(query.get("hub.challenge", ""))
        return PlainTextResponse("The verify token is not the one configured here.", 403)

    return Door("/webhook/whatsapp", is_genuine, messages_in, greet)


def _waha(settings: Settings) -> Door:
    keys, session = settings.waha_keys, settings.waha_session

    def is_genuine(body: bytes, headers: Headers) -> bool:
        algorithm = headers.get("x-webhook-hmac-algorithm")
        return is_from_waha(body, headers.get("x-webhook-hmac"), algorithm, keys)

    def read(event: dict[str, Any], now: datetime) -> list[Message]:
        found = list(waha.events_in(event, session=session, now=now))
        if not found:
            is_ours = event.get("session") in (None, session)
            DROPPED.labels("on_purpose" if is_ours else "foreign_session").inc()
        return found

    return Door("/webhook/waha", is_genuine, read)


def _route(door: Door, publisher: Publisher, clock: Clock) -> Route:
    """A plain Starlette route: FastAPI's dependencies would double the cost of a webhook."""

    async def receive(request: Request) -> Response:
        request.scope["route"] = route  # what the metrics and the span are named by
        if door.greet is not None and request.method != "POST":
            return door.greet(request)
        try:
            body = await read_limited(request)
        except BodyTooLarge:
            return _refused("too_large", 413)
        if not door.is_genuine(body, request.headers):
            return _refused("signature", 401)
        try:
            messages = list(door.messages_in(read_object(body), clock.now()))
        except UnreadableBody:
            return _refused("unreadable", 400)
        try:
            await publish_all(publisher, messages)
        except DependencyUnavailable:
            return _refused("nats_away", 503)
        return Response(status_code=200)

    route = Route(door.path, receive, methods=["GET", "POST"] if door.greet else ["POST"])
    return route


async def publish_all(publisher: Publisher, messages: list[Message]) -> None:
    """Raises DependencyUnavailable unless every message is stored."""
    traceparent = current_traceparent()
    acknowledgements = [
        await publisher.start_publish(
            message.full_subject,
            message.__pydantic_serializer__.to_json(message, exclude_none=True),
            str(message.message_id),
            traceparent,
        )
        for message in messages
    ]
    await publisher.all_acknowledged(acknowledgements)
    for message in messages:
        ITEMS.labels(message.subject).inc()


def _refused(reason: str, status: int) -> Response:
    REFUSED.labels(reason).inc()
    log.warning("webhook_refused", reason=reason)
    return Response(status_code=status, headers=RETRY_AFTER if status == 503 else None)
