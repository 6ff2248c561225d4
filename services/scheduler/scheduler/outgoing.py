"""The messages that the scheduler sends, built from plain values."""

from datetime import date, datetime

from common.events import (
    DisputeGrade,
    GradeAnswer,
    InboundRef,
    Language,
    QuestionAssigned,
    QuestionClosed,
    SendMessage,
)
from common.ids import AnswerId, AssignmentId, MessageId, UserId, derived_id
from common.questions import Question
from scheduler.planning import Streak
from scheduler.practice import Assignment, Learner


def daily_message_id(assignment_id: AssignmentId) -> MessageId:
    return MessageId(derived_id("question", assignment_id))


def question_values(
    question: Question, language: Language, *, assignment_id: AssignmentId, number: int, streak: int
) -> dict[str, str]:
    said = question.languages.of(language)
    return {
        "track": question.track,
        "topic": said.topic,
        "level": str(question.level),
        "n": str(number),
        "streak": str(streak),
        "question_text": said.question,
        "minutes": str(question.minutes),
        "a": str(assignment_id),
    }


def question_assigned(
    user_id: UserId, assignment_id: AssignmentId, question: Question, now: datetime
) -> QuestionAssigned:
    return QuestionAssigned(
        message_id=derived_id("assigned", assignment_id),
        occurred_at=now,
        user_id=user_id,
        assignment_id=assignment_id,
        question_id=question.id,
        version=question.version,
    )


def question_closed(
    user_id: UserId, assignment_id: AssignmentId, reason: str, now: datetime
) -> QuestionClosed:
    return QuestionClosed(
        message_id=derived_id("closed", assignment_id),
        occurred_at=now,
        user_id=user_id,
        assignment_id=assignment_id,
        reason=reason,
    )


def daily_question(
    user_id: UserId,
    assignment_id: AssignmentId,
    values: dict[str, str],
    *,
    now: datetime,
    expires_at: datetime,
) -> SendMessage:
    return SendMessage(
        message_id=daily_message_id(assignment_id),
        occurred_at=now,
        user_id=user_id,
        kind="question",
        values=values,
        purpose="daily",
        expires_at=expires_at,
    )


def streak_of(learner: Learner) -> Streak:
    return Streak(learner.streak, learner.best_streak, learner.last_answered_on)


def grade_answer(
    learner: Learner, assignment: Assignment, question: Question, *, today: date, now: datetime
) -> GradeAnswer:
    """The same command each time it is built: its id comes from the answer."""
    assert assignment.answer_id
    assert assignment.submitted_at
    assert assignment.inbound_id
    assert assignment.inbound_at
    return GradeAnswer(
        message_id=derived_id("grade", assignment.answer_id),
        occurred_at=now,
        user_id=learner.user_id,
        answer_id=AnswerId(assignment.answer_id),
        assignment_id=assignment.id,
        question=question.snapshot(learner.language),
        text=assignment.answer_text or "",
        language=learner.language,
        level=learner.level,
        streak=streak_of(learner).counting(today).as_of(today),
        submitted_at=assignment.submitted_at,
        inbound=InboundRef(
            provider_id=assignment.inbound_id,
            at=assignment.inbound_at,
            channel=assignment.inbound_channel,
            number_id=assignment.inbound_number,
        ),
    )


def dispute_grade(assignment: Assignment, inbound: InboundRef, now: datetime) -> DisputeGrade:
    assert assignment.answer_id
    return DisputeGrade(
        message_id=derived_id("dispute", assignment.answer_id, inbound.provider_id),
        occurred_at=now,
        user_id=assignment.user_id,
        answer_id=AnswerId(assignment.answer_id),
        inbound=inbound,
    )
