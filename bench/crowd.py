"""Thousands of people, told to the services as the events of real ones would tell them."""

import asyncio
from datetime import UTC, datetime

import nats

from common.events import Contact, InboundRef, InboundUnderstood, Preferences, UserChanged
from common.ids import UserId, new_id
from devstack.stack import Stack

NUMBERS_FROM = 5_511_980_000_000


def address(number: int) -> str:
    return str(NUMBERS_FROM + number)


async def announce(stack: Stack, people: list[UserId], *, time_of_day: str, zone: str) -> None:
    """Publish what the users service would: everybody is active and has just written."""
    connection = await nats.connect(stack.nats.url)
    jetstream = connection.jetstream(publish_async_max_pending=2_000)
    now = datetime.now(UTC)
    futures = []
    for number, user_id in enumerate(people):
        for message in (
            _changed(user_id, number, time_of_day, zone, now),
            InboundUnderstood(
                user_id=user_id,
                occurred_at=now,
                inbound=InboundRef(provider_id=f"bench-{number}", at=now),
                intent="bench",
            ),
        ):
            body = message.model_dump_json(exclude_none=True).encode()
            headers = {"Nats-Msg-Id": str(message.message_id)}
            futures.append(
                await jetstream.publish_async(message.full_subject, body, headers=headers)
            )
    await asyncio.gather(*futures)
    await connection.close()


def _changed(
    user_id: UserId, number: int, time_of_day: str, zone: str, now: datetime
) -> UserChanged:
    contact = Contact(
        user_id=user_id,
        revision=1,
        state="active",
        language="en",
        address=address(number),
        name="Ana",
    )
    preferences = Preferences(tracks=("python", "dsa"), level=2, timezone=zone, time=time_of_day)
    return UserChanged(user_id=user_id, occurred_at=now, contact=contact, preferences=preferences)


def people(count: int) -> list[UserId]:
    return [UserId(new_id()) for _ in range(count)]
