"""An answer comes in, is kept, examined, and has exactly one outcome."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from common.clock import Clock
from common.database import Database
from common.events import AnswerGraded, GradeAnswer, SendMessage, UserDeleted
from common.ids import derived_id
from common.telemetry import context_from, span
from grader import metrics
from grader.answer_text import examined_text
from grader.examiners import Board, Examination, Examiner, ExaminerFailed
from grader.feedback import Feedback, compose
from grader.rubric import combine
from grader.store import Outcome, Store

log = structlog.get_logger()

OVERDUE = timedelta(minutes=10)
"""Longer than every retry of the consumer together, so that the two seldom meet."""
LOOK_EVERY = timedelta(minutes=1)
WAITING_BATCH = 20


@dataclass(frozen=True)
class Grader:
    database: Database
    board: Board
    clock: Clock


async def grade_answer(command: GradeAnswer, grader: Grader) -> None:
    """The answer is kept before it is examined; no transaction is open while it is."""
    async with grader.database.transaction() as transaction:
        if not await Store(transaction).receive(command, grader.clock.now()):
            return
    started = time.monotonic()
    examination = await _examine_or_stand_in(command, grader)
    latency = timedelta(seconds=time.monotonic() - started)
    outcome = assess(command, examination, latency)
    async with grader.database.transaction() as transaction:
        now = grader.clock.now()
        if not await Store(transaction).record_grading(command.answer_id, outcome, now):
            return
        transaction.publish(_graded(command, outcome, now))
        transaction.publish(_reply(command, outcome, now))
    _count(examination)


async def grade_waiting(grader: Grader) -> None:
    """A background job: grades what was kept and then lost its message, so that nobody waits."""
    while True:
        overdue = grader.clock.now() - OVERDUE
        async with grader.database.transaction() as transaction:
            waiting = await Store(transaction).claim_waiting(overdue, WAITING_BATCH)
        for answer in waiting:
            with (
                suppress(ExaminerFailed),  # counted; it is tried again in the next round
                span("grade waiting answer", parent=context_from(answer.traceparent)),
            ):
                await grade_answer(answer.command, grader)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def forget_person(event: UserDeleted, store: Store, clock: Clock) -> None:
    await store.delete_person(event.user_id, clock.now())


async def _examine_or_stand_in(command: GradeAnswer, grader: Grader) -> Examination:
    board = grader.board
    try:
        return await _examine(command, board.first)
    except ExaminerFailed as failure:
        async with grader.database.transaction() as transaction:
            tries = await Store(transaction).record_failed_try(command.answer_id)
        if tries < board.patience:
            raise
        log.warning("examiner_stood_in", reason=failure.reason, tries=tries)
        metrics.FALLBACKS.labels(failure.reason).inc()
    return replace(await _examine(command, board.stand_in), is_provisional=True)


async def _examine(command: GradeAnswer, examiner: Examiner) -> Examination:
    with (
        span("examine answer", examiner=examiner.name, model=examiner.model),
        metrics.GRADE_SECONDS.labels(examiner.name).time(),
    ):
        return await examiner.examine(
            command.question,
            examined_text(command.text),
            language=command.language,
            level=command.level,
        )


def assess(command: GradeAnswer, examination: Examination, latency: timedelta) -> Outcome:
    if not examination.is_gradable:
        return Outcome(examination, None, None, latency)
    score = combine(
        command.question,
        examination.marks,
        len(examination.contradictions),
        estimate=examination.estimate,
        cap=examination.cap,
    )
    feedback = compose(
        command.question,
        examination.marks,
        language=command.language,
        level=command.level,
        next_step=examination.next_step,
        contradictions=examination.contradictions,
    )
    return Outcome(examination, score, feedback, latency)


def _graded(command: GradeAnswer, outcome: Outcome, now: datetime) -> AnswerGraded:
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


def _reply(command: GradeAnswer, outcome: Outcome, now: datetime) -> SendMessage:
    """One id for either kind: whatever happens, one answer is replied to once."""
    values = {"a": str(command.assignment_id)}
    if outcome.feedback is not None:
        values |= _feedback_values(command, outcome, outcome.feedback)
    return SendMessage(
        message_id=derived_id("feedback", command.answer_id),
        occurred_at=now,
        user_id=command.user_id,
        kind="feedback" if outcome.feedback else "low_effort",
        values=values,
        purpose="reply",
        inbound=command.inbound,
    )


def _feedback_values(command: GradeAnswer, outcome: Outcome, feedback: Feedback) -> dict[str, str]:
    return {
        "score": str(outcome.score),
        **feedback.model_dump(),
        "streak": str(command.streak),
        "provisional": "yes" if outcome.examination.is_provisional else "",
    }


def _count(examination: Examination) -> None:
    outcome = "provisional" if examination.is_provisional else "final"
    if not examination.is_gradable:
        outcome = "not_gradable"
    metrics.GRADINGS.labels(examination.examiner, outcome).inc()
