"""Questions, replies to them, and their grades."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from common.events.base import Command, Event, InboundRef, Language, Track, Value
from common.ids import AnswerId, AssignmentId, UserId

ReplyKind = Literal["text", "hint", "skip", "dont_know", "question_now", "model_answer", "dispute"]


class RubricPoint(Value):
    id: str
    text: str
    keywords: tuple[str, ...] = ()
    weight: int = 1
    required: bool = True


class Misconception(Value):
    """A known wrong belief: an answer that states it gets no more than `cap`."""

    id: str
    text: str
    phrases: tuple[str, ...] = ()
    cap: int


class Anchor(Value):
    """An answer whose score people agreed on."""

    score: int
    text: str


class QuestionSnapshot(Value):
    """A question in one language as it stood when it was asked: later edits do not change it."""

    question_id: str
    version: int
    track: Track
    level: int
    topic: str
    language: Language
    text: str
    points: tuple[RubricPoint, ...]
    reference: str
    misconceptions: tuple[Misconception, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    translations: "tuple[QuestionSnapshot, ...]" = ()
    """The same question in the other languages: people answer in whichever they like."""


class HandleReply(Command):
    """What a person wrote or tapped that is not for the users service itself."""

    subject: ClassVar[str] = "reply.handle"

    user_id: UserId
    kind: ReplyKind
    text: str = ""
    assignment_id: AssignmentId | None = None
    """Set when the person tapped a button of one certain question."""
    inbound: InboundRef


class GradeAnswer(Command):
    subject: ClassVar[str] = "answer.grade"

    user_id: UserId
    answer_id: AnswerId
    assignment_id: AssignmentId
    question: QuestionSnapshot
    text: str
    language: Language
    """The person's language: the feedback is written in it, whatever the answer's is."""
    level: int
    streak: int
    submitted_at: AwareDatetime
    inbound: InboundRef


class QuestionAssigned(Event):
    subject: ClassVar[str] = "question.assigned"

    user_id: UserId
    assignment_id: AssignmentId
    question_id: str
    version: int


class QuestionClosed(Event):
    """The question takes no more answers: graded, skipped, or given up."""

    subject: ClassVar[str] = "question.closed"

    user_id: UserId
    assignment_id: AssignmentId
    reason: str


class AnswerGraded(Event):
    """`score` is 1 to 10, or None when the answer could not be graded: that is not a score."""

    subject: ClassVar[str] = "answer.graded"

    user_id: UserId
    answer_id: AnswerId
    assignment_id: AssignmentId
    score: int | None = None
    examiner: str
    is_provisional: bool = False


class AnswerRegraded(Event):
    """A score that the person was told was changed: by the model coming back, or by people."""

    subject: ClassVar[str] = "answer.regraded"

    user_id: UserId
    answer_id: AnswerId
    assignment_id: AssignmentId
    old_score: int
    score: int
    examiner: str


class DisputeGrade(Command):
    """The person does not agree with the score of this answer."""

    subject: ClassVar[str] = "answer.dispute"

    user_id: UserId
    answer_id: AnswerId
    inbound: InboundRef


class DecideReview(Command):
    """What somebody of ours decided about an answer in the queue. Answered by a ReviewView."""

    subject: ClassVar[str] = "review.decide"

    review_id: UUID
    score: int
    note: str = ""
    """For the person, in their language."""
    decided_by: str

    @property
    def shard_key(self) -> str:
        return str(self.review_id)
