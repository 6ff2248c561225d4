"""The messages that the grader sends, built from plain values. Their ids derive from what they are
about: whatever is done twice is said once."""

from datetime import datetime

from common.events import AnswerGraded, AnswerRegraded, GradeAnswer, InboundRef, SendMessage
from common.ids import derived_id
from grader.feedback import Feedback
from grader.outcomes import Outcome


def answer_graded(command: GradeAnswer, outcome: Outcome, now: datetime) -> AnswerGraded:
    return AnswerGraded(
        message_id=derived_id("graded", command.answer_id),
        occurred_at=now,
        user_id=command.user_id,
        answer_id=command.answer_id,
        assignment_id=command.assignment_id,
        score=outcome.score,
        examiner=outcome.examination.examiner,
        is_provisional=outcome.examination.is_provisional,
    )


def answer_regraded(
    command: GradeAnswer, old: int, new: int, *, examiner: str, now: datetime
) -> AnswerRegraded:
    return AnswerRegraded(
        message_id=derived_id("regraded", command.answer_id, examiner, old, new),
        occurred_at=now,
        user_id=command.user_id,
        answer_id=command.answer_id,
        assignment_id=command.assignment_id,
        old_score=old,
        score=new,
        examiner=examiner,
    )


def feedback(command: GradeAnswer, outcome: Outcome, now: datetime) -> SendMessage:
    """One id for either kind: whatever happens, one answer is replied to once."""
    values = {"a": str(command.assignment_id)}
    if outcome.feedback is not None:
        values |= {
            "score": str(outcome.score),
            **outcome.feedback.model_dump(),
            "streak": str(command.streak),
            "provisional": "yes" if outcome.examination.is_provisional else "",
        }
    return SendMessage(
        message_id=derived_id("feedback", command.answer_id),
        occurred_at=now,
        user_id=command.user_id,
        kind="feedback" if outcome.feedback else "low_effort",
        values=values,
        purpose="reply",
        inbound=command.inbound,
    )


def correction(
    command: GradeAnswer,
    reasons: Feedback,
    *,
    old: int,
    new: int,
    inbound: InboundRef,
    now: datetime,
) -> SendMessage:
    values = {"old": str(old), "score": str(new), **reasons.model_dump()}
    return _changed_score(command, "grade_corrected", values, inbound, now)


def decision(
    command: GradeAnswer, note: str, *, old: int, new: int, inbound: InboundRef, now: datetime
) -> SendMessage:
    """People's. What an examiner had found is left out: it may be what they refuted."""
    values = {"old": str(old), "score": str(new), "note": note}
    return _changed_score(command, "grade_decided", values, inbound, now)


def _changed_score(
    command: GradeAnswer, kind: str, values: dict[str, str], inbound: InboundRef, now: datetime
) -> SendMessage:
    """One id for either kind: a change is told once."""
    return SendMessage(
        message_id=derived_id("corrected", command.answer_id, values["old"], values["score"]),
        occurred_at=now,
        user_id=command.user_id,
        kind=kind,
        values={**values, "a": str(command.assignment_id)},
        purpose="reply",
        inbound=inbound,
    )


def said(
    command: GradeAnswer, kind: str, inbound: InboundRef, now: datetime, **values: str
) -> SendMessage:
    """About one answer and in reply to one message, each kind once."""
    return SendMessage(
        message_id=derived_id(kind, command.answer_id, inbound.provider_id),
        occurred_at=now,
        user_id=command.user_id,
        kind=kind,
        values=values,
        purpose="reply",
        inbound=inbound,
    )
