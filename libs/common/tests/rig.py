"""Messages, a stream and a running consumer for the tests of the bus."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel

from common.bus import dead_letters
from common.bus.consumer import Processor
from common.bus.publisher import Publisher
from common.bus.puller import Puller
from common.clock import SystemClock
from common.database import Database, Transaction
from common.events import Command, Event
from common.topology import Consumer


class ThingHappened(Event):
    subject: ClassVar[str] = "thing.happened"

    key: str = ""
    number: int = 0

    @property
    def shard_key(self) -> str:
        return self.key or str(self.message_id)


class DoThing(Command):
    subject: ClassVar[str] = "thing.do"


class Done(BaseModel):
    word: str


def happened(key: str = "", number: int = 0) -> ThingHappened:
    return ThingHappened(occurred_at=datetime.now(UTC), key=key, number=number)


class Rig:
    """Everything a consumer needs, and a list of what its handler saw."""

    def __init__(self, publisher: Publisher, database: Database) -> None:
        self.publisher = publisher
        self.database = database
        self.seen: list[ThingHappened] = []
        self.processors: list[Processor] = []

    @asynccontextmanager
    async def running(
        self, consumer: Consumer, register: Callable[[Processor], None]
    ) -> AsyncIterator[Processor]:
        for config in consumer.configs():
            await self.publisher.jetstream.add_consumer(consumer.stream, config)
        processor = Processor(consumer, self.publisher, self.database, SystemClock())
        register(processor)
        pullers = [
            Puller(
                self.publisher.client,
                consumer.stream,
                durable,
                processor.work,
                slots=1 if consumer.is_ordered else consumer.slots,
                batch=consumer.batch,
                ack_wait=consumer.ack_wait,
            )
            for durable, _ in consumer.durables
        ]
        for puller in pullers:
            await puller.start()
        ticker = asyncio.create_task(self._tick(pullers))
        try:
            yield processor
        finally:
            ticker.cancel()
            processor.is_draining.set()
            for puller in pullers:
                await puller.drain(grace=10)

    async def _tick(self, pullers: list[Puller]) -> None:
        while True:
            await asyncio.sleep(0.2)
            for puller in pullers:
                await puller.tick()

    async def record(self, message: ThingHappened, transaction: Transaction) -> None:
        self.seen.append(message)

    async def settled(self, stream: str = "THINGS", *, within: float = 10) -> None:
        async with asyncio.timeout(within):
            while (await self.publisher.jetstream.stream_info(stream)).state.messages:
                await asyncio.sleep(0.02)

    async def dead(self) -> list[dead_letters.DeadLetter]:
        return [letter async for letter in dead_letters.read_all(self.publisher.jetstream)]


PLAIN = Consumer("common-plain", "THINGS", (ThingHappened, DoThing), slots=4, attempts=3)
