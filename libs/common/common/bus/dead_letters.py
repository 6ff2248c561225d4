"""Messages that were given up: kept with the reason, listed, sent again, or thrown away.

Run as `python -m common.bus.dead_letters list|replay|discard nats://host:4222 [sequence ...]`;
without sequences, `replay` and `discard` take all of them.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from common.bus.publisher import MESSAGE_ID, Publisher
from common.topology import DEAD_LETTER_SUBJECT, Consumer

STREAM = "DEAD_LETTERS"
SUBJECT = "Sabatina-Subject"
REASON = "Sabatina-Reason"
CONSUMER = "Sabatina-Consumer"
DELIVERIES = "Sabatina-Deliveries"


@dataclass(frozen=True)
class DeadLetter:
    sequence: int
    subject: str
    consumer: str
    reason: str
    deliveries: int
    body: bytes
    headers: dict[str, str]


async def keep(publisher: Publisher, consumer: Consumer, original: Msg, reason: str) -> None:
    """Raises DependencyUnavailable when NATS did not store it. Keeping it twice stores it once."""
    metadata = original.metadata
    headers = dict(original.headers or {}) | {
        MESSAGE_ID: f"{consumer.name}-{metadata.sequence.stream}-{metadata.timestamp}",
        SUBJECT: original.subject,
        REASON: reason,
        CONSUMER: consumer.name,
        DELIVERIES: str(metadata.num_delivered),
        "Sabatina-Original-Id": (original.headers or {}).get(MESSAGE_ID, ""),
    }
    future = await publisher.jetstream.publish_async(
        f"{DEAD_LETTER_SUBJECT}.{consumer.name}", original.data, headers=headers
    )
    await publisher.all_acknowledged([future])


async def read_all(jetstream: JetStreamContext) -> AsyncIterator[DeadLetter]:
    """Oldest first."""
    state = (await jetstream.stream_info(STREAM)).state
    for sequence in range(max(1, state.first_seq), state.last_seq + 1):
        try:
            raw = await jetstream.get_msg(STREAM, sequence)
        except NotFoundError:
            continue
        headers = dict(raw.headers or {})
        yield DeadLetter(
            sequence,
            headers.get(SUBJECT, ""),
            headers.get(CONSUMER, ""),
            headers.get(REASON, ""),
            int(headers.get(DELIVERIES, "0")),
            raw.data or b"",
            headers,
        )


async def replay(jetstream: JetStreamContext, letter: DeadLetter) -> None:
    """Send it again to where it died. The inbox of a consumer that did handle it ignores it."""
    headers = {MESSAGE_ID: f"replay-{letter.sequence}"}
    if traceparent := letter.headers.get("traceparent"):
        headers["traceparent"] = traceparent
    await jetstream.publish(letter.subject, letter.body, headers=headers)
    await jetstream.delete_msg(STREAM, letter.sequence)


async def discard(jetstream: JetStreamContext, letter: DeadLetter) -> None:
    await jetstream.delete_msg(STREAM, letter.sequence)


async def _main(action: str, url: str, sequences: set[int]) -> None:
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    found = 0
    async for letter in read_all(jetstream):
        if sequences and letter.sequence not in sequences:
            continue
        if action == "replay":
            await replay(jetstream, letter)
        elif action == "discard":
            await discard(jetstream, letter)
        found += 1
        row = (letter.sequence, letter.consumer, letter.subject, letter.reason, letter.deliveries)
        sys.stdout.write("\t".join(str(column) for column in row) + "\n")
    await connection.close()
    if not found:
        sys.stdout.write("no dead letters\n")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in {"list", "replay", "discard"}:
        sys.exit(__doc__)
    asyncio.run(_main(sys.argv[1], sys.argv[2], {int(number) for number in sys.argv[3:]}))
