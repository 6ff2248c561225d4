"""Every stream and consumer, declared once. `apply` creates them; services only bind.

Run as `python -m common.topology nats://host:4222 [replicas]` by whoever provisions a cluster.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import nats
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from common import events
from common.events import PREFIX, SHARDS, Message, wildcard

DEAD_LETTER_SUBJECT = f"{PREFIX}.dead"
CLOCK_SUBJECT = f"{PREFIX}.clock.offset"


@dataclass(frozen=True)
class Stream:
    name: str
    messages: tuple[type[Message], ...] = ()
    subjects: tuple[str, ...] = ()
    is_work_queue: bool = False
    max_age: timedelta | None = None
    max_bytes: int = 4 * 2**30
    max_msgs_per_subject: int = -1

    def config(self, replicas: int) -> StreamConfig:
        """Work queues refuse new messages when full: the outbox is then the buffer."""
        return StreamConfig(
            name=self.name,
            subjects=[wildcard(message) for message in self.messages] + list(self.subjects),
            retention=RetentionPolicy.WORK_QUEUE if self.is_work_queue else RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW if self.is_work_queue else DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=self.max_age.total_seconds() if self.max_age else 0,
            max_bytes=self.max_bytes,
            max_msgs_per_subject=self.max_msgs_per_subject,
            duplicate_window=timedelta(minutes=10).total_seconds(),
            num_replicas=replicas,
        )


@dataclass(frozen=True)
class Consumer:
    """`is_ordered`: one message of a shard at a time, over all replicas, crashes included.

    The server enforces it (a consumer a shard, one unacknowledged message each), so a stuck
    message holds up its own shard only, and only until it is dead-lettered.
    """

    name: str
    stream: str
    messages: tuple[type[Message], ...]
    is_ordered: bool = False
    slots: int = 64
    """Messages in work at once in one process."""
    batch: int = 1
    """Messages that may share one transaction."""
    linger: timedelta = timedelta()
    """How long a first message waits for others to share its transaction: for news that nobody
    waits for, so that a trickle costs what a batch costs."""
    ack_wait: timedelta = timedelta(seconds=15)
    attempts: int = 6

    @property
    def durables(self) -> Iterator[tuple[str, list[str]]]:
        """The names on the server and what each of them filters."""
        if not self.is_ordered:
            yield self.name, [wildcard(message) for message in self.messages]
            return
        for shard in range(SHARDS):
            subjects = [f"{PREFIX}.{message.subject}.{shard}" for message in self.messages]
            yield f"{self.name}-{shard}", subjects

    def configs(self) -> Iterator[ConsumerConfig]:
        for durable, subjects in self.durables:
            yield ConsumerConfig(
                durable_name=durable,
                filter_subjects=subjects,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=self.ack_wait.total_seconds(),
                max_ack_pending=1 if self.is_ordered else 10_000,
                max_deliver=-1,
            )


STREAMS = (
    Stream(
        "INBOUND",
        (events.MessageReceived, events.PreferenceReceived, events.VoiceTranscribed),
        is_work_queue=True,
    ),
    Stream("STATUSES", (events.StatusReceived, events.NoticeReceived), is_work_queue=True),
    Stream(
        "PEOPLE_COMMANDS",
        (
            events.RegisterUser,
            events.ChangeUser,
            events.UnsubscribeUser,
            events.DeleteUser,
            events.LearnAliases,
            events.ReverseMerge,
        ),
        is_work_queue=True,
    ),
    Stream("REPLIES", (events.HandleReply,), is_work_queue=True),
    Stream(
        "ANSWERS",
        (events.GradeAnswer, events.DisputeGrade, events.DecideReview),
        is_work_queue=True,
    ),
    Stream(
        "QUESTIONS",
        (
            events.CreateQuestion,
            events.EditQuestion,
            events.MoveQuestion,
            events.ImportQuestions,
        ),
        is_work_queue=True,
    ),
    Stream("OUTBOUND", (events.SendMessage,), is_work_queue=True),
    Stream("VOICE", (events.TranscribeVoice,), is_work_queue=True),
    Stream(
        "EVENTS",
        (
            events.UserChanged,
            events.UserRegistered,
            events.UserOptedOut,
            events.UserMerged,
            events.UserDeleted,
            events.InboundUnderstood,
            events.QuestionAssigned,
            events.QuestionClosed,
            events.AnswerGraded,
            events.AnswerRegraded,
            events.MessageAccepted,
            events.MessageDelivered,
            events.MessageFailed,
        ),
        max_age=timedelta(hours=72),
    ),
    Stream("DEAD_LETTERS", subjects=(f"{DEAD_LETTER_SUBJECT}.>",), max_age=timedelta(days=30)),
)

NEWS = timedelta(milliseconds=100)

USERS_UNDERSTAND = Consumer(
    "users-understand",
    "INBOUND",
    (events.MessageReceived, events.PreferenceReceived, events.VoiceTranscribed),
    is_ordered=True,
    ack_wait=timedelta(seconds=5),
)
USERS_COMMANDS = Consumer(
    "users-commands",
    "PEOPLE_COMMANDS",
    (
        events.RegisterUser,
        events.ChangeUser,
        events.UnsubscribeUser,
        events.DeleteUser,
        events.LearnAliases,
        events.ReverseMerge,
    ),
    slots=16,
)
USERS_FOLLOW = Consumer(
    "users-follow",
    "EVENTS",
    (events.QuestionAssigned, events.QuestionClosed, events.MessageFailed),
    slots=400,
    batch=100,
    linger=NEWS,
)
SCHEDULER_REPLIES = Consumer(
    "scheduler-replies",
    "REPLIES",
    (events.HandleReply,),
    is_ordered=True,
    ack_wait=timedelta(seconds=5),
)
SCHEDULER_FOLLOW = Consumer(
    "scheduler-follow",
    "EVENTS",
    (events.UserChanged, events.UserDeleted, events.AnswerGraded, events.AnswerRegraded),
    slots=32,
)
SCHEDULER_SENT = Consumer(
    "scheduler-sent",
    "EVENTS",
    (events.MessageAccepted, events.MessageFailed),
    slots=400,
    batch=100,
    linger=NEWS,
)
SCHEDULER_QUESTIONS = Consumer(
    "scheduler-questions",
    "QUESTIONS",
    (
        events.CreateQuestion,
        events.EditQuestion,
        events.MoveQuestion,
        events.ImportQuestions,
    ),
    slots=2,
)
GRADER_GRADE = Consumer("grader-grade", "ANSWERS", (events.GradeAnswer,), slots=64)
GRADER_DISPUTES = Consumer(
    "grader-disputes", "ANSWERS", (events.DisputeGrade, events.DecideReview), slots=8
)
GRADER_FOLLOW = Consumer("grader-follow", "EVENTS", (events.UserDeleted,), slots=4)
MESSENGER_SEND = Consumer("messenger-send", "OUTBOUND", (events.SendMessage,), slots=400, batch=100)
MESSENGER_STATUSES = Consumer(
    "messenger-statuses",
    "STATUSES",
    (events.StatusReceived, events.NoticeReceived),
    slots=400,
    batch=100,
    linger=NEWS,
)
MESSENGER_FOLLOW = Consumer(
    "messenger-follow",
    "EVENTS",
    (events.UserChanged, events.InboundUnderstood, events.UserDeleted),
    slots=400,
    batch=100,
    linger=NEWS,
)

MESSENGER_TRANSCRIBE = Consumer(
    "messenger-transcribe",
    "VOICE",
    (events.TranscribeVoice,),
    slots=4,
    ack_wait=timedelta(seconds=90),
)

CONSUMERS = (
    USERS_UNDERSTAND,
    USERS_COMMANDS,
    USERS_FOLLOW,
    SCHEDULER_REPLIES,
    SCHEDULER_FOLLOW,
    SCHEDULER_SENT,
    SCHEDULER_QUESTIONS,
    GRADER_GRADE,
    GRADER_DISPUTES,
    GRADER_FOLLOW,
    MESSENGER_SEND,
    MESSENGER_STATUSES,
    MESSENGER_FOLLOW,
    MESSENGER_TRANSCRIBE,
)

CLOCK_STREAM = Stream("CLOCK", subjects=(CLOCK_SUBJECT,), max_msgs_per_subject=1)
"""Exists in simulation only: the offset of the clock that everybody follows."""


async def apply(
    jetstream: JetStreamContext, *, replicas: int = 1, simulation: bool = False
) -> None:
    """Create or update everything; safe to run again, at any time, by several at once."""
    for stream in (*STREAMS, CLOCK_STREAM) if simulation else STREAMS:
        await _apply_stream(jetstream, stream.config(replicas))
    for consumer in CONSUMERS:
        for config in consumer.configs():
            await jetstream.add_consumer(consumer.stream, config)


async def _apply_stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    assert config.name
    try:
        await jetstream.stream_info(config.name)
    except NotFoundError:
        await jetstream.add_stream(config)
    else:
        await jetstream.update_stream(config)


async def _main(url: str, replicas: int) -> None:
    connection = await nats.connect(url)
    await apply(connection.jetstream(), replicas=replicas)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1))
