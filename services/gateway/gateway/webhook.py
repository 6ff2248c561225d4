"""WhatsApp's door: verify, publish, and answer 200 only when NATS has stored every item.

No database is touched here. WhatsApp repeats, for days, what is not answered with 200.
"""

import structlog
from prometheus_client import Counter
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from common.bus.publisher import Publisher
from common.clock import Clock
from common.errors import DependencyUnavailable
from common.events import Message
from common.telemetry import current_traceparent
from gateway.payloads import UnreadableBody, messages_in, read_body
from gateway.settings import Settings
from gateway.signature import is_genuine, is_same

log = structlog.get_logger()

BODY_LIMIT = 4 * 2**20  # bytes; a batch of a thousand updates passes one mebibyte
RETRY_AFTER = {"Retry-After": "2"}

ITEMS = Counter("sabatina_webhook_items_total", "Items taken out of webhooks.", ["kind"])
REFUSED = Counter("sabatina_webhook_refused_total", "Webhooks not accepted.", ["reason"])


class BodyTooLarge(Exception):
    pass


def webhook_route(settings: Settings, publisher: Publisher, clock: Clock) -> Route:
    """A plain Starlette route: FastAPI's dependencies would double the cost of a webhook."""
    secrets = settings.app_secrets
    verify_token = settings.whatsapp_verify_token.get_secret_value()

    def verify(query: QueryParams) -> Response:
        """Meta's handshake: the challenge comes back as it is when the token is ours."""
        is_ours = is_same(query.get("hub.verify_token", ""), verify_token)
        if query.get("hub.mode") == "subscribe" and is_ours:
            return PlainTextResponse(query.get("hub.challenge", ""))
        return PlainTextResponse("The verify token is not the one configured here.", 403)

    async def receive(request: Request) -> Response:
        request.scope["route"] = route  # what the metrics and the span are named by
        if request.method != "POST":
            return verify(request.query_params)
        try:
            body = await read_limited(request)
        except BodyTooLarge:
            return _refused("too_large", 413)
        if not is_genuine(body, request.headers.get("x-hub-signature-256"), secrets):
            return _refused("signature", 401)
        try:
            messages = list(messages_in(read_body(body), clock.now()))
        except UnreadableBody:
            return _refused("unreadable", 400)
        try:
            await publish_all(publisher, messages)
        except DependencyUnavailable:
            return _refused("nats_away", 503)
        return Response(status_code=200)

    route = Route("/webhook/whatsapp", receive, methods=["GET", "POST"])
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


async def read_limited(request: Request) -> bytes:
    """The raw body. Raises BodyTooLarge before more than the limit is held in memory."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise BodyTooLarge
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _refused(reason: str, status: int) -> Response:
    REFUSED.labels(reason).inc()
    log.warning("webhook_refused", reason=reason)
    return Response(status_code=status, headers=RETRY_AFTER if status == 503 else None)
