"""For the tests: questions and people made to order, and what was published meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select, text

from common import inbox
from common.clock import FixedClock
from common.database import Database, Transaction
from common.events import (
    AnswerGraded,
    AnswerRegraded,
    Contact,
    GradeAnswer,
    HandleReply,
    InboundRef,
    Language,
    Message,
    MessageAccepted,
    MessageFailed,
    Preferences,
    ReplyKind,
    SendMessage,
    Track,
    UserChanged,
    UserDeleted,
    UserState,
    message_class,
)
from common.ids import AssignmentId, MessageId, UserId, derived_id, new_id
from common.questions import ANCHOR_SCORES, Question
from common.topology import SCHEDULER_REPLIES
from scheduler import handlers
from scheduler.bank import QuestionBank
from scheduler.models import AssignmentRow, LearnerRow
from scheduler.practice import Assignment, Learner
from scheduler.reconciler import Reconciler
from scheduler.replies import handle_reply
from scheduler.store import ASSIGNMENT_COLUMNS, LEARNER_COLUMNS, assignment_from, learner_from
from scheduler.ticker import Ticker

POINTS = ("first", "second", "third")


def make_question(
    track: Track = "python", name: str = "lists", *, level: int = 1, version: int = 1
) -> Question:
    languages = {
        language: {
            "topic": f"{name} ({language})",
            "question": f"What is {name}, version {version}? ({language})",
            "points": {
                point: {
                    "text": f"It is {point}.",
                    "keywords": [f"{point} {word}" for word in ("thing", "one", "part", "piece")],
                }
                for point in POINTS
            },
            "reference": f"The first thing, the second thing, the third thing ({language}).",
            "model_answer": f"All three things, with an example ({language}).",
            "misconceptions": {
                "no-thing": {
                    "text": "There is none.",
                    "phrases": ["there is nothing", "no thing at all"],
                }
            },
            "anchors": {name: f"A {name} answer." for name in ANCHOR_SCORES},
            "hints": [f"Hint {number} ({language})" for number in (1, 2, 3)],
        }
        for language in ("pt", "en", "es")
    }
    return Question.model_validate(
        {
            "id": f"{track}-{name}",
            "version": version,
            "track": track,
            "level": level,
            "topic": name,
            "concept": name,
            "reviewed_on": "2026-02-01",
            "minutes": 3,
            "points": [{"id": point, "weight": 1, "required": True} for point in POINTS],
            "misconceptions": [{"id": "no-thing", "cap": 4}],
            "languages": languages,
        }
    )


def make_pack(
    tracks: Sequence[Track] = ("python", "javascript", "ruby", "dsa"), size: int = 10
) -> list[Question]:
    return [
        make_question(track, f"q{number:02}", level=number % 3 + 1)
        for track in tracks
        for number in range(size)
    ]


@dataclass
class World:
    """The scheduler on a real database, with a clock that the test moves."""

    database: Database
    clock: FixedClock
    bank: QuestionBank
    revisions: dict[UserId, int] = field(default_factory=dict)

    @property
    def ticker(self) -> Ticker:
        return Ticker(self.database, self.bank, self.clock)

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(self.database, self.bank, self.clock)

    def news_of(
        self,
        user_id: UserId,
        *,
        state: UserState = "active",
        language: Language = "en",
        tracks: tuple[Track, ...] = ("python",),
        level: int = 1,
        timezone: str = "UTC",
        time: str = "09:00",
        revision: int | None = None,
        paused_until: datetime | None = None,
    ) -> UserChanged:
        self.revisions[user_id] = revision or self.revisions.get(user_id, 0) + 1
        return UserChanged(
            occurred_at=self.clock.now(),
            user_id=user_id,
            contact=Contact(
                user_id=user_id,
                revision=self.revisions[user_id],
                state=state,
                language=language,
            ),
            preferences=Preferences(
                tracks=tracks,
                level=level,
                timezone=timezone,
                time=time,
                paused_until=paused_until,
            ),
        )

    async def tell(self, *news: Message) -> None:
        for message in news:
            async with self.database.transaction() as tx:
                match message:
                    case UserChanged():
                        await handlers.follow_user(message, tx, self.clock)
                    case UserDeleted():
                        await handlers.forget_user(message, tx, self.clock)
                    case AnswerGraded():
                        await handlers.record_grade(message, tx, self.clock)
                    case AnswerRegraded():
                        await handlers.correct_grade(message, tx)
                    case MessageAccepted() | MessageFailed():
                        await handlers.note_sendings([message], tx, self.clock)
                    case HandleReply():
                        await self._hear(message, tx)

    async def _hear(self, reply: HandleReply, tx: Transaction) -> None:
        """As the consumer does: a reply that the inbox knows changes nothing."""
        name, ids = SCHEDULER_REPLIES.name, [reply.message_id]
        if await inbox.record(tx.connection, "scheduler", name, ids, self.clock.now()):
            await handle_reply(reply, tx, self.bank, self.clock)

    async def person(self, **news: object) -> UserId:
        user_id = UserId(uuid4())
        await self.tell(self.news_of(user_id, **news))  # type: ignore[arg-type]
        return user_id

    def reply_of(
        self,
        user_id: UserId,
        kind: ReplyKind = "text",
        said: str = "",
        *,
        about: AssignmentId | None = None,
        provider_id: str | None = None,
    ) -> HandleReply:
        now = self.clock.now()
        name = provider_id or f"wamid.{new_id()}"
        ref = InboundRef(provider_id=name, at=now, channel="waha", number_id="default")
        return HandleReply(
            message_id=derived_id("hand-on", ref.provider_id),
            occurred_at=now,
            user_id=user_id,
            kind=kind,
            text=said,
            assignment_id=about,
            inbound=ref,
        )

    async def reply(
        self,
        user_id: UserId,
        kind: ReplyKind = "text",
        said: str = "",
        *,
        about: AssignmentId | None = None,
    ) -> list[Message]:
        """Returns all that was published for it."""
        await self.published()
        await self.tell(self.reply_of(user_id, kind, said, about=about))
        return await self.published()

    async def ask(self, user_id: UserId) -> Assignment:
        """Give the person a question that they have read."""
        await self.reply(user_id, "question_now")
        [*_, last] = await self.assignments(user_id)
        return last

    async def answer(self, user_id: UserId, score: int | None = 7) -> None:
        [grading] = [m for m in await self.reply(user_id, "text", "An answer.") if is_grading(m)]
        assert isinstance(grading, GradeAnswer)
        await self.tell(self.grade_of(grading, score))

    def grade_of(self, grading: GradeAnswer, score: int | None) -> AnswerGraded:
        return AnswerGraded(
            occurred_at=self.clock.now(),
            user_id=grading.user_id,
            answer_id=grading.answer_id,
            assignment_id=grading.assignment_id,
            score=score,
            examiner="local",
        )

    def accepted(self, sent: SendMessage, *, is_template: bool) -> MessageAccepted:
        return MessageAccepted(
            occurred_at=self.clock.now(),
            user_id=sent.user_id,
            sent_id=MessageId(sent.message_id),
            kind=sent.kind,
            is_template=is_template,
        )

    async def published(self) -> list[Message]:
        """What waits in the outbox, which is empty afterwards."""
        statement = text("DELETE FROM scheduler.outbox RETURNING sequence, subject, body")
        async with self.database.transaction() as tx:
            rows = sorted(await tx.connection.execute(statement), key=lambda row: row.sequence)
        return [message_class(row.subject).model_validate_json(bytes(row.body)) for row in rows]

    async def learner(self, user_id: UserId) -> Learner | None:
        query = select(*LEARNER_COLUMNS).where(LearnerRow.user_id == user_id)
        async with self.database.transaction() as tx:
            row = (await tx.connection.execute(query)).one_or_none()
        return learner_from(row) if row else None

    async def assignments(self, user_id: UserId) -> list[Assignment]:
        """Oldest first."""
        query = (
            select(*ASSIGNMENT_COLUMNS)
            .where(AssignmentRow.user_id == user_id)
            .order_by(AssignmentRow.number)
        )
        async with self.database.transaction() as tx:
            return [assignment_from(row) for row in await tx.connection.execute(query)]


def is_grading(message: Message) -> bool:
    return isinstance(message, GradeAnswer)


def said(messages: Sequence[Message]) -> list[str]:
    """The kinds of what is said to people, in order."""
    return [message.kind for message in messages if isinstance(message, SendMessage)]
