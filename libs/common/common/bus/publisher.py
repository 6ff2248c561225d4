"""The connection to NATS, and everything that sends."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import Error as JetStreamError
from pydantic import BaseModel, ConfigDict

from common import metrics, telemetry
from common.errors import CommandRefused, DependencyUnavailable, NotAnswered
from common.events import PREFIX, Command, Message, Query

log = structlog.get_logger()

MESSAGE_ID = "Nats-Msg-Id"
REPLY_TO = "Sabatina-Reply-To"
ACK_TIMEOUT = 5.0  # seconds for NATS to say that it stored a message
RECONNECT_WAIT = 0.2  # seconds; doubles with each failed try
RECONNECT_WAIT_LIMIT = 5.0
UNACKNOWLEDGED = 4_000  # messages on their way to NATS at once

Result = TypeVar("Result", bound=BaseModel)


class Refusal(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str
    detail: str


class Publisher:
    """Owns the connection. It reconnects for ever; `on_reconnect` tells who must ask again."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.jetstream: JetStreamContext = client.jetstream(
            publish_async_max_pending=UNACKNOWLEDGED, timeout=ACK_TIMEOUT
        )

    @property
    def is_connected(self) -> bool:
        return bool(self.client.is_connected)

    async def publish(self, message: Message) -> None:
        """Returns when NATS has stored it. Raises DependencyUnavailable when it is not known to
        have; doing it again with the same message is safe."""
        future = await self.start_publish(
            message.full_subject,
            message.model_dump_json(exclude_none=True).encode(),
            str(message.message_id),
            telemetry.current_traceparent(),
        )
        await self.all_acknowledged([future])
        metrics.BUS_PUBLISHED.labels(message.subject).inc()

    async def start_publish(
        self,
        subject: str,
        body: bytes,
        message_id: str,
        traceparent: str | None = None,
        reply_to: str | None = None,
    ) -> asyncio.Future[PubAck]:
        if not self.is_connected:
            raise DependencyUnavailable("NATS is away")
        headers = {MESSAGE_ID: message_id}
        if traceparent:
            headers[telemetry.TRACEPARENT] = traceparent
        if reply_to:
            headers[REPLY_TO] = reply_to
        try:
            return await self.jetstream.publish_async(subject, body, headers=headers)
        except (NatsError, JetStreamError) as error:
            raise DependencyUnavailable("NATS is away") from error

    async def all_acknowledged(self, futures: Sequence[asyncio.Future[PubAck]]) -> None:
        """Raises DependencyUnavailable when any is refused or late."""
        try:
            async with asyncio.timeout(ACK_TIMEOUT):
                for future in futures:
                    await future
        except (TimeoutError, NatsError, JetStreamError) as error:
            for future in futures:
                if not future.cancel() and not future.cancelled():
                    future.exception()  # looked at, so that it is not reported as forgotten
            raise DependencyUnavailable("NATS did not acknowledge") from error

    async def ask(self, command: Command, answer: type[Result], *, timeout: float = 5.0) -> Result:
        """Publish `command` durably, then wait for whoever handles it to say how it went.

        Raises CommandRefused with the handler's reason. Raises NotAnswered when no answer comes
        in time: the command is stored all the same and will be handled.
        """
        inbox = self.client.new_inbox()
        subscription = await self.client.subscribe(inbox, max_msgs=1)
        try:
            future = await self.start_publish(
                command.full_subject,
                command.model_dump_json(exclude_none=True).encode(),
                str(command.message_id),
                telemetry.current_traceparent(),
                reply_to=inbox,
            )
            await self.all_acknowledged([future])
            return _decode(await subscription.next_msg(timeout=timeout), answer)
        except (TimeoutError, NatsError) as error:
            raise NotAnswered(f"no answer to {command.subject} yet") from error
        finally:
            await subscription.unsubscribe()

    async def query(self, query: Query, answer: type[Result], *, timeout: float = 2.0) -> Result:
        """A short read from another service. Raises CommandRefused, or NotAnswered."""
        headers = {}
        if traceparent := telemetry.current_traceparent():
            headers[telemetry.TRACEPARENT] = traceparent
        try:
            reply = await self.client.request(
                f"{PREFIX}.query.{query.subject}",
                query.model_dump_json().encode(),
                timeout=timeout,
                headers=headers or None,
            )
        except (TimeoutError, NatsError, NoRespondersError) as error:
            raise NotAnswered(f"no answer to {query.subject}") from error
        return _decode(reply, answer)

    async def serve(
        self, query: type[Query], handler: Callable[[Query], Awaitable[BaseModel]], *, group: str
    ) -> None:
        """Answer `query` as one of the `group`."""

        async def respond(request: Msg) -> None:
            parent = telemetry.context_from(request.headers)
            with telemetry.span(f"answer {query.subject}", parent=parent):
                try:
                    body = await handler(query.model_validate_json(request.data))
                    await answer_with(self.client, request.reply, body)
                except CommandRefused as refusal:
                    await refuse(self.client, request.reply, refusal)
                except Exception as error:  # the asker's timeout tells them; the loop lives on
                    log.error("query_failed", subject=query.subject, error=type(error).__name__)

        await self.client.subscribe(f"{PREFIX}.query.{query.subject}", queue=group, cb=respond)


async def answer_with(client: Client, inbox: str, body: BaseModel) -> None:
    await client.publish(inbox, body.model_dump_json().encode())


async def refuse(client: Client, inbox: str, refusal: CommandRefused) -> None:
    body = Refusal(code=refusal.code, detail=refusal.detail)
    await client.publish(inbox, body.model_dump_json().encode(), headers={"Sabatina-Refused": "1"})


def _decode(reply: Msg, answer: type[Result]) -> Result:
    if reply.headers and reply.headers.get("Sabatina-Refused"):
        refusal = Refusal.model_validate_json(reply.data)
        raise CommandRefused(refusal.code, refusal.detail)
    return answer.model_validate_json(reply.data)


async def connect(
    url: str, name: str, *, on_reconnect: Callable[[], None], on_closed: Callable[[], None]
) -> Publisher:
    """Waits for the first connection for as long as it takes, with a pause between tries."""

    async def reconnected() -> None:
        log.info("nats_reconnected")
        client.options["reconnect_time_wait"] = RECONNECT_WAIT
        on_reconnect()

    async def disconnected() -> None:
        if not client.is_closed:
            log.warning("nats_disconnected")

    async def closed() -> None:
        on_closed()

    async def failed(error: Exception) -> None:
        log.warning("nats_error", error=type(error).__name__)
        # The client itself waits the same time after every try, all replicas in step.
        wait = client.options.get("reconnect_time_wait", RECONNECT_WAIT)
        longer = min(wait * 2, RECONNECT_WAIT_LIMIT) * random.uniform(0.8, 1.0)
        client.options["reconnect_time_wait"] = longer

    client = Client()
    await client.connect(
        url,
        name=name,
        max_reconnect_attempts=-1,  # the default of 60 closes the connection for good
        reconnect_time_wait=RECONNECT_WAIT,  # type: ignore[arg-type]  # seconds, any number works
        connect_timeout=3,
        ping_interval=20,  # a half-open connection is found in under a minute
        max_outstanding_pings=2,
        allow_reconnect=True,
        reconnected_cb=reconnected,
        disconnected_cb=disconnected,
        closed_cb=closed,
        error_cb=failed,
    )
    return Publisher(client)
