"""What an examiner is: whoever marks an answer, point by point, with quotes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from common.errors import RetryableError
from common.events import Language, QuestionSnapshot
from grader.rubric import Mark

ExaminerName = Literal["openai", "local"]
FailureReason = Literal[
    "timeout",
    "unreachable",
    "rate_limited",
    "server_error",
    "rejected",
    "refused",
    "filtered",
    "truncated",
    "invalid",
    "circuit_open",
]


@dataclass(frozen=True, kw_only=True)
class Examination:
    marks: tuple[Mark, ...]
    """One for each point, its quote checked against the answer."""
    is_gradable: bool
    examiner: ExaminerName
    model: str
    prompt_version: str
    next_step: str = ""
    contradictions: tuple[str, ...] = ()
    """Statements of the answer, word for word, that the reference contradicts."""
    estimate: float | None = None
    """0 to 1: what the answer is worth by another measure than its marks; see `rubric.combine`."""
    cap: int | None = None
    """The most that the score may be: a known misconception was stated."""
    is_provisional: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal | None = Decimal(0)
    """None when the model's price is not known."""


class Examiner(Protocol):
    @property
    def name(self) -> ExaminerName: ...

    @property
    def model(self) -> str: ...

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        """`answer` is an `examined_text`. Raises ExaminerFailed, after which others may try."""
        ...


class ExaminerFailed(RetryableError):
    def __init__(self, reason: FailureReason) -> None:
        super().__init__(f"the examiner failed: {reason}")
        self.reason: FailureReason = reason


@dataclass(frozen=True)
class Board:
    """Who examines, and who steps in when that one failed `patience` times for one answer."""

    first: Examiner
    stand_in: Examiner
    patience: int = 1
