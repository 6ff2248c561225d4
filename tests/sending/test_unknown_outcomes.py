"""Time-outs after acceptance, refusals and duplicated webhooks: each message arrives once.

SENDS=10000 makes it the acceptance run; what was counted is printed.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from opentelemetry import trace
from sqlalchemy import text

from common import inbox
from common.bus.consumer import Delivery
from common.clock import SystemClock
from common.database import Database
from common.events import (
    Contact,
    InboundRef,
    InboundUnderstood,
    Message,
    SendMessage,
    StatusReceived,
    UserChanged,
)
from common.ids import UserId, new_id
from devstack.pytest_plugin import Migrated
from gateway.bodies import read_object
from gateway.payloads import messages_in
from messenger import catalogue
from messenger.channels.cloud import CloudChannel
from messenger.dispatch import Dispatcher, Outlet
from messenger.handlers import Handlers
from messenger.limits.pacing import LocalPacer
from messenger.rendering import Renderer
from messenger.sweeping import Sweeper
from simulator.testing import Gateway, Simulator, free_port, running

SENDS = int(os.environ.get("SENDS", "1500"))
RATE = 300.0
WITHIN = 60 + SENDS / 50  # seconds
NUMBER, ACCESS = "100200300", "token"
CONTENT = Path(__file__).parents[2] / "content"
TIMEOUTS, REFUSALS, DUPLICATES = 0.02, 0.01, 0.05
CONSTANTS = {
    "brand": "Sabatina",
    "controller": "Sabatina Lda",
    "privacy_url": "https://sabatina.example/privacy",
    "support_contact": "support@sabatina.example",
    "ai_provider": "OpenAI",
    "policy_version": "1",
}
QUESTION = {
    "track": "python",
    "topic": "GIL",
    "level": "2",
    "n": "12",
    "streak": "5",
    "question_text": "What is the GIL?",
    "minutes": "3",
    "a": "a1",
}
ARRIVED = "('sent', 'delivered', 'read')"


@dataclass
class Messenger:
    """The whole service but the bus, whose part is played by `handle`."""

    database: Database
    api_url: str
    statuses: asyncio.Queue[StatusReceived] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.channel = CloudChannel(self.api_url, NUMBER, ACCESS, connections=64)
        renderer = Renderer(catalogue.load(CONTENT), CONSTANTS)
        outlet = Outlet("cloud", NUMBER, self.channel, LocalPacer(RATE))
        self.dispatcher = Dispatcher(self.database, self.clock, renderer, outlet)
        self.sweeper = Sweeper(self.database, self.clock, self.dispatcher.wake)
        self.handlers = Handlers(self.clock, self.dispatcher.wake)

    def take_webhook(self, body: bytes) -> int:
        for message in messages_in(read_object(body), self.clock.now()):
            if isinstance(message, StatusReceived):
                self.statuses.put_nowait(message)
        return 200

    async def follow_statuses(self) -> None:
        while True:
            batch = [await self.statuses.get()]
            while len(batch) < 50 and not self.statuses.empty():
                batch.append(self.statuses.get_nowait())
            await self.handle(batch)

    async def handle(self, messages: Iterable[Message]) -> None:
        batch = [Delivery(message, cast("Any", None), trace.INVALID_SPAN) for message in messages]
        async with self.database.transaction() as transaction:
            ids = [delivery.message.message_id for delivery in batch]
            connection = transaction.connection
            now = self.clock.now()
            new = await inbox.record(connection, "messenger", "harness", ids, now)
            fresh = list({d.message.message_id: d for d in batch}.values())
            await self._take([d for d in fresh if d.message.message_id in new], transaction)

    async def _take(self, fresh: list[Delivery], transaction: Any) -> None:
        if not fresh:
            return
        match fresh[0].message:
            case SendMessage():
                await self.handlers.queue_messages(fresh, transaction)
            case StatusReceived():
                await self.handlers.follow_deliveries(fresh, transaction)
            case _:
                await self.handlers.follow_people(fresh, transaction)

    async def count(self, query: str) -> int:
        async with self.database.transaction() as transaction:
            return int((await transaction.connection.execute(text(query))).scalar_one())

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        parts = (self.dispatcher.run(), self.sweeper.run(), self.follow_statuses())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.channel.close()


async def test_each_message_arrives_once_whatever_the_answers_are(migrated: Migrated) -> None:
    migrated.empty("messenger")
    database = Database(migrated.url("messenger"), "messenger", pool_size=5)
    gateway = Gateway(free_port())
    await gateway.start()
    async with running(
        gateway,
        whatsapp_phone_number_id=NUMBER,
        whatsapp_access_token=ACCESS,
        simulator_templates=CONTENT / "templates",
        simulator_webhook_batch=50,
    ) as simulator:
        messenger = Messenger(database, f"{simulator.url}/v26.0")
        gateway.answer = messenger.take_webhook
        counted = await _run(messenger, simulator)
    await gateway.stop()
    await database.close()
    print(json.dumps(counted))
    assert counted["sent_twice"] == counted["lost"] == counted["unresolved"] == 0
    assert counted["told_accepted_twice"] == 0
    assert counted["timeouts"] >= SENDS * TIMEOUTS / 4
    assert counted["refusals"] >= SENDS * REFUSALS / 4


async def _run(messenger: Messenger, simulator: Simulator) -> dict[str, int]:
    phones = {uuid4(): f"55119{80_000_000 + number:08}" for number in range(SENDS)}
    talking = set(list(phones)[::2])
    await _meet(messenger, simulator, phones, talking)
    await _arm(simulator)
    messages = [
        _send(messenger, user, "skipped", "reply")
        if user in talking
        else _send(messenger, user, "question", "daily", **QUESTION)
        for user in phones
    ]
    async with messenger.working():
        for start in range(0, SENDS, 100):
            await messenger.handle(messages[start : start + 100])
        async with asyncio.timeout(WITHIN):
            while await _count_open(messenger):
                await asyncio.sleep(0.2)
        await asyncio.sleep(1)  # a second one would be on its way
    return await _counted(messenger, simulator, list(phones.values()))


async def _meet(
    messenger: Messenger, simulator: Simulator, phones: dict[UUID, str], talking: set[UUID]
) -> None:
    room = asyncio.Semaphore(32)

    async def say(phone: str) -> None:
        async with room:
            assert (await simulator.say(phone, text="oi")).is_success

    await asyncio.gather(*(say(phones[user]) for user in talking))
    for start in range(0, SENDS, 100):
        users = list(phones)[start : start + 100]
        await messenger.handle([_contact(messenger, user, phones[user]) for user in users])
        wrote = [_wrote(messenger, user) for user in users if user in talking]
        await messenger.handle(wrote)


async def _arm(simulator: Simulator) -> None:
    orders: tuple[dict[str, object], ...] = (
        {
            "target": "send",
            "kind": "timeout_after_acceptance",
            "rate": TIMEOUTS,
            "delay": "PT1S",
        },
        {"target": "send", "kind": "http_500_before", "rate": REFUSALS},
        {"target": "status", "kind": "duplicate", "rate": DUPLICATES},
        {"target": "status", "kind": "reorder", "rate": DUPLICATES, "delay": "PT0.2S"},
    )
    for order in orders:
        answer = await simulator.arm(times=None, **order)
        assert answer.status_code == 201, answer.text


async def _count_open(messenger: Messenger) -> int:
    return await messenger.count(
        f"SELECT count(*) FROM messenger.messages WHERE state NOT IN {ARRIVED}"
    )


async def _counted(messenger: Messenger, simulator: Simulator, phones: list[str]) -> dict[str, int]:
    faults = {f["order"]["kind"]: f["happened"] for f in await _faults(simulator)}
    bubbles: Counter[int] = Counter()
    for phone in phones:
        said = await simulator.transcript(phone)
        bubbles[sum(1 for message in said if message["from"] == "bot")] += 1
    return {
        "messages": SENDS,
        "calls": await messenger.count("SELECT count(*) FROM messenger.attempts"),
        "timeouts": faults["timeout_after_acceptance"],
        "refusals": faults["http_500_before"],
        "duplicated_webhooks": faults["duplicate"],
        "reordered_webhooks": faults["reorder"],
        "sent_twice": sum(phones for seen, phones in bubbles.items() if seen > 1),
        "lost": bubbles[0],
        "unresolved": await _count_open(messenger),
        "told_accepted_twice": await messenger.count(
            "SELECT count(*) - count(DISTINCT convert_from(body, 'UTF8')::jsonb ->> 'sent_id')"
            " FROM messenger.outbox WHERE subject LIKE '%message.accepted%'"
        ),
    }


async def _faults(simulator: Simulator) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await simulator.http.get("/control/faults")).json()
    return found


def _contact(messenger: Messenger, user: UUID, phone: str) -> UserChanged:
    contact = Contact(
        user_id=UserId(user),
        revision=1,
        state="active",
        language="pt",
        address=phone,
        name="Ana",
    )
    return UserChanged(occurred_at=messenger.clock.now(), user_id=contact.user_id, contact=contact)


def _wrote(messenger: Messenger, user: UUID) -> InboundUnderstood:
    now = messenger.clock.now()
    inbound = InboundRef(provider_id=f"wamid.in.{user}", at=now)
    return InboundUnderstood(occurred_at=now, user_id=UserId(user), inbound=inbound, intent="text")


def _send(messenger: Messenger, user: UUID, kind: str, purpose: Any, **values: str) -> SendMessage:
    return SendMessage(
        message_id=new_id(),
        occurred_at=messenger.clock.now(),
        user_id=UserId(user),
        kind=kind,
        purpose=purpose,
        values=values,
    )
