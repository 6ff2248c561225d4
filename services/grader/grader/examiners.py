"""What an examiner is: whoever marks an answer, point by point, with quotes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from common.errors import RetryableError
from common.events import Language, QuestionSnapshot
from grader.rubric import Mark

ExaminerName = Literal["openai", "local", "human"]
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
    "budget_spent",
    "person_limit",
]


@dataclass
class Usage:
    """What one examination has used, its repair included."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def is_unknown(self) -> bool:
        """Some servers do not tell, and a request that timed out cannot."""
        return self.requests > 0 and not self.tokens_in + self.tokens_out


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
    """0 to 1: what the answer is worth by another measure than its marks; see `rubric.combine`.
    Also of what is not gradable only because it seems to be talk."""
    cap: int | None = None
    """The most that the score may be: a known misconception was stated."""
    decided_score: int | None = None
    """What people decided for an equal answer: it stands in for the computed score."""
    is_provisional: bool = False
    is_cached: bool = False
    needs_review: bool = False
    claimed_quotes: int = 0
    true_quotes: int = 0
    """Of those claimed: they stand in the answer, and are about the question."""
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal | None = Decimal(0)
    """None when the model's price is not known."""

    @property
    def is_thin(self) -> bool:
        """Less than half of the evidence that was claimed holds."""
        return self.true_quotes * 2 < self.claimed_quotes


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
        self.used = Usage()


@dataclass(frozen=True)
class Board:
    """Who examines, and who steps in when that one failed `patience` times for one answer."""

    first: Examiner
    stand_in: Examiner
    patience: int = 1
    second: Examiner | None = None
    """Looks again at what `first` has graded, when its person disagrees."""
    recipe: str = ""
    """What, beside its model, decides what `first` replies: an equal answer is known by it too."""

    def other_than(self, examiner: ExaminerName) -> Examiner | None:
        """Whoever can give a second opinion."""
        if examiner == "openai":
            return self.second or self.stand_in
        return self.first if examiner == "local" and self.first.name == "openai" else None
