import asyncio
import logging
from datetime import timedelta

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError
from pydantic import BaseModel, ConfigDict

from simulator.clock import Clock

SUBJECT = "sabatina.clock.offset"
STREAM = "CLOCK"
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


class ClockOffset(BaseModel):
    model_config = ConfigDict(frozen=True)

    offset_seconds: float


class ClockStream:
    """Tells the services what time it is. NATS may come late, or go away and return."""

    def __init__(self, nats_url: str, clock: Clock) -> None:
        self._nats_url = nats_url
        self._clock = clock
        self._changed = asyncio.Event()
        clock.on_change(self._changed.set)

    async def run(self) -> None:
        while True:
            try:
                await self._publish_changes()
            except (NatsError, OSError, TimeoutError):
                log.warning("clock: NATS is not in reach, trying again")
            await asyncio.sleep(RETRY_SECONDS)

    async def _publish_changes(self) -> None:
        # The client logs every failed attempt; one line of ours is enough.
        connection = await nats.connect(
            self._nats_url, allow_reconnect=False, connect_timeout=2, error_cb=_ignore
        )
        try:
            stream = connection.jetstream(timeout=2)
            await self._adopt_stored(stream)
            while True:
                self._changed.clear()
                await self._publish(stream)
                await self._changed.wait()
        finally:
            await connection.close()

    async def _adopt_stored(self, stream: JetStreamContext) -> None:
        await _ensure_stream(stream)
        try:
            last = await stream.get_last_msg(STREAM, SUBJECT)
        except NotFoundError:
            return
        stored = ClockOffset.model_validate_json(last.data or b"")
        self._clock.adopt(timedelta(seconds=stored.offset_seconds))

    async def _publish(self, stream: JetStreamContext) -> None:
        offset = ClockOffset(offset_seconds=self._clock.offset.total_seconds())
        await stream.publish(SUBJECT, offset.model_dump_json().encode())


async def _ensure_stream(stream: JetStreamContext) -> None:
    try:
        await stream.stream_info(STREAM)
    except NotFoundError:
        await stream.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[SUBJECT],
                max_msgs_per_subject=1,
                storage=StorageType.FILE,
            )
        )


async def _ignore(error: Exception) -> None:
    """Every failure also reaches the caller."""
