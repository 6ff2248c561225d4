"""What an examination comes to: a score, and what the person reads."""

from dataclasses import dataclass
from datetime import timedelta

from common.events import GradeAnswer
from grader.answer_text import holds_orders
from grader.evidence import score_of
from grader.examiners import Examination
from grader.feedback import Feedback, compose


@dataclass(frozen=True)
class Outcome:
    """`score` and `feedback` are None when the answer was not gradable."""

    examination: Examination
    score: int | None
    feedback: Feedback | None
    latency: timedelta
    is_suspicious: bool = False
    """The answer gave orders to the examiner, or the examiner's evidence does not hold."""


def assess(command: GradeAnswer, examination: Examination, latency: timedelta) -> Outcome:
    is_suspicious = holds_orders(command.text) or examination.is_thin
    if not examination.is_gradable:
        return Outcome(examination, None, None, latency, is_suspicious)
    feedback = compose(
        command.question,
        examination.marks,
        language=command.language,
        level=command.level,
        next_step=examination.next_step,
        contradictions=examination.contradictions,
    )
    score = score_of(command.question, examination)
    return Outcome(examination, score, feedback, latency, is_suspicious)
