"""Somebody does not agree with their score: another examiner looks, and if the two differ, people
do."""

import time
from datetime import timedelta

import structlog

from common.events import DisputeGrade, SendMessage
from common.ids import derived_id
from grader import metrics, outgoing
from grader.examiners import ExaminerFailed
from grader.examining import Grader, examine, examine_within_budget
from grader.graded import GradedAnswer, find_graded
from grader.outcomes import Outcome, assess
from grader.review_store import Ending, ReviewStore
from grader.store import Store

log = structlog.get_logger()

WITHIN = timedelta(days=7)
AGREEMENT = 1
"""Two examiners who differ by no more than this agree."""


async def dispute_grade(command: DisputeGrade, grader: Grader) -> None:
    """Once an answer. As with a grading, no transaction is open while somebody examines."""
    answer = await _admit(command, grader)
    if answer is None:
        return
    second = await _second_opinion(answer, grader)
    agrees = (
        second is not None
        and second.score is not None
        and (abs(second.score - answer.score) <= AGREEMENT)
    )
    await _end(command, answer, second, "kept" if agrees else "in_review", grader)


async def _admit(command: DisputeGrade, grader: Grader) -> GradedAnswer | None:
    """None when there is nothing (more) to do; the person has been told then."""
    now = grader.clock.now()
    async with grader.database.transaction() as transaction:
        answer = await find_graded(
            transaction.connection, command.answer_id, user_id=command.user_id
        )
        store = ReviewStore(transaction)
        if answer is not None and answer.command.submitted_at + WITHIN > now:
            if await store.raise_dispute(command, now):
                return answer
            if await store.ending_of(command) != "another's":
                return None  # a redelivery
        metrics.DISPUTES.labels("refused").inc()
        transaction.publish(_refusal(command, grader))
    return None


def _refusal(command: DisputeGrade, grader: Grader) -> SendMessage:
    return SendMessage(
        message_id=derived_id("dispute_refused", command.answer_id, command.inbound.provider_id),
        occurred_at=grader.clock.now(),
        user_id=command.user_id,
        kind="dispute_refused",
        purpose="reply",
        inbound=command.inbound,
    )


async def _second_opinion(answer: GradedAnswer, grader: Grader) -> Outcome | None:
    """None when nobody else can be asked: people will look then."""
    examiner = grader.board.other_than(answer.in_effect.examiner)
    if examiner is None:
        return None
    started = time.monotonic()
    try:
        found = await examine_within_budget(answer.command, grader, examiner)
    except ExaminerFailed as failure:
        log.warning("second_opinion_failed", reason=failure.reason)
        if grader.board.stand_in.name == answer.in_effect.examiner:
            return None
        found = await examine(answer.command, grader.board.stand_in)
    return assess(answer.command, found, timedelta(seconds=time.monotonic() - started))


async def _end(
    command: DisputeGrade,
    answer: GradedAnswer,
    second: Outcome | None,
    ending: Ending,
    grader: Grader,
) -> None:
    now = grader.clock.now()
    async with grader.database.transaction() as transaction:
        reviews = ReviewStore(transaction)
        if await reviews.is_open(command.answer_id):
            ending = "in_review"
        if not await reviews.end_dispute(command.answer_id, ending):
            return
        if second is not None:
            await Store(transaction).record_second(command.answer_id, "dispute", second, now)
        if ending == "in_review":
            await reviews.open(command.answer_id, "dispute", now)
        values = _reasons(answer) if ending == "kept" else {}
        values |= {"score": str(answer.score), "a": str(answer.command.assignment_id)}
        kind = "dispute_kept" if ending == "kept" else "dispute_received"
        transaction.publish(outgoing.said(answer.command, kind, command.inbound, now, **values))
    _count(answer, second, ending)


def _reasons(answer: GradedAnswer) -> dict[str, str]:
    reasons = answer.in_effect.feedback
    return {"good": reasons.good, "missing": reasons.missing} if reasons else {
        "good": "", "missing": "",
    }  # fmt: skip


def _count(answer: GradedAnswer, second: Outcome | None, ending: Ending) -> None:
    metrics.DISPUTES.labels(ending).inc()
    if second is not None and second.score is not None:
        first = answer.in_effect
        metrics.DIFFERENCE.labels(
            "dispute", first.model, first.prompt_version, answer.command.language
        ).observe(abs(second.score - answer.score))
