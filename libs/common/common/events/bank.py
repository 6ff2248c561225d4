"""The question bank's life cycle, as the admin API and the scheduler speak of it."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, JsonValue

from common.events.base import Command, Track, Value
from common.events.queries import Query

QuestionStatus = Literal["draft", "review", "published", "retired"]
NextStatus = Literal["review", "published", "retired"]
QuestionFlag = Literal[
    "too_easy", "too_hard", "poor_discrimination", "often_skipped", "often_disputed", "stale"
]
PackFormat = Literal["yaml", "json"]


class QuestionStatistics(Value):
    """How one version did. Rates are of those who read it; None where nobody can tell yet."""

    asked: int = 0
    read: int = 0
    answered: int = 0
    graded: int = 0
    mean_score: float | None = None
    discrimination: float | None = None
    """Of the score and the person's mean on other questions; from 20 people on."""
    skip_rate: float | None = None
    dont_know_rate: float | None = None
    hint_rate: float | None = None
    """Of those who read it, how many took a hint."""
    dispute_rate: float | None = None
    """Of the graded answers, how many scores were questioned."""


class FlagView(Value):
    flag: QuestionFlag
    reason: str


class QuestionVersionView(Value):
    question_id: str
    version: int
    newest_version: int
    """Of this question; a draft may be newer than what is published."""
    status: QuestionStatus
    track: Track
    level: int
    topic: str
    concept: str | None
    origin: Literal["pack", "api"]
    created_at: AwareDatetime
    status_at: AwareDatetime
    """When it got this status."""
    statistics: QuestionStatistics
    flags: tuple[FlagView, ...] = ()


class QuestionView(Value):
    """All versions, the newest first, and what one of them says."""

    version: int
    document: dict[str, JsonValue]
    """In the shape of a question file."""
    versions: tuple[QuestionVersionView, ...]


class QuestionProblem(Value):
    """What keeps a question from being taken."""

    question_id: str | None = None
    field: str
    message: str


class QuestionSaved(Value):
    """Nothing was changed when there are problems."""

    question: QuestionView | None = None
    problems: tuple[QuestionProblem, ...] = ()


class QuestionRef(Value):
    question_id: str
    version: int


class QuestionsImported(Value):
    """All or none: nothing was changed when there are problems."""

    drafts: tuple[QuestionRef, ...] = ()
    unchanged: tuple[QuestionRef, ...] = ()
    problems: tuple[QuestionProblem, ...] = ()


class GetQuestion(Query):
    subject: ClassVar[str] = "question.get"

    question_id: str
    version: int | None = None
    """None: the published one, otherwise the newest."""


class ListQuestions(Query):
    """One entry a question: of the versions that fit, the published one, otherwise the newest."""

    subject: ClassVar[str] = "question.list"

    track: Track | None = None
    level: int | None = None
    status: QuestionStatus | None = None
    topic: str | None = None
    flag: QuestionFlag | None = None
    after: str | None = None
    limit: int = 50


class QuestionPage(Value):
    items: tuple[QuestionVersionView, ...]
    next_after: str | None


class ExportQuestions(Query):
    """The published questions of a track, some at a time: a message has a size limit."""

    subject: ClassVar[str] = "question.export"

    track: Track
    format: PackFormat
    after: str | None = None


class ExportedQuestions(Value):
    files: tuple[str, ...]
    next_after: str | None


class CreateQuestion(Command):
    """A new question, as a draft. Answered by QuestionSaved, like those below."""

    subject: ClassVar[str] = "question.create"

    document: dict[str, JsonValue]

    @property
    def shard_key(self) -> str:
        return str(self.document.get("id"))


class EditQuestion(Command):
    """The next version, as a draft: a version that exists never changes."""

    subject: ClassVar[str] = "question.edit"

    question_id: str
    document: dict[str, JsonValue]

    @property
    def shard_key(self) -> str:
        return self.question_id


class MoveQuestion(Command):
    subject: ClassVar[str] = "question.move"

    question_id: str
    version: int
    to: NextStatus

    @property
    def shard_key(self) -> str:
        return self.question_id


class ImportQuestions(Command):
    """Pack files in one text, YAML or JSON. Answered by QuestionsImported."""

    subject: ClassVar[str] = "question.import"

    text: str
