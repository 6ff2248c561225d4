"""An answer comes in, is kept, examined, and has exactly one outcome."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

from common.clock import Clock
from common.database import Transaction
from common.events import GradeAnswer, UserDeleted
from common.telemetry import context_from, span
from grader import metrics, outgoing
from grader.examiners import ExaminerFailed
from grader.examining import Grader, examine_or_stand_in, find_known, keep_known
from grader.outcomes import Outcome, assess
from grader.review_store import ReviewStore
from grader.store import Store

OVERDUE = timedelta(minutes=10)
"""Longer than every retry of the consumer together, so that the two seldom meet."""
LOOK_EVERY = timedelta(minutes=1)
WAITING_BATCH = 20


async def grade_answer(command: GradeAnswer, grader: Grader) -> None:
    """The answer is kept before it is examined; no transaction is open while it is."""
    async with grader.database.transaction() as transaction:
        if not await Store(transaction).receive(command, grader.clock.now()):
            return
        known = await find_known(command, grader, transaction)
    started = time.monotonic()
    examination = known or await examine_or_stand_in(command, grader)
    outcome = assess(command, examination, timedelta(seconds=time.monotonic() - started))
    async with grader.database.transaction() as transaction:
        if not await _record(command, outcome, grader, transaction):
            return
    _count(outcome)


async def _record(
    command: GradeAnswer, outcome: Outcome, grader: Grader, transaction: Transaction
) -> bool:
    now = grader.clock.now()
    if not await Store(transaction).record_grading(command.answer_id, outcome, now):
        return False
    await keep_known(command, outcome, grader, transaction)
    if outcome.examination.needs_review:
        await ReviewStore(transaction).open(command.answer_id, "evidence", now)
    transaction.publish(outgoing.answer_graded(command, outcome, now))
    transaction.publish(outgoing.feedback(command, outcome, now))
    return True


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


def _count(outcome: Outcome) -> None:
    found = outcome.examination
    ending = "provisional" if found.is_provisional else "final"
    metrics.GRADINGS.labels(found.examiner, ending if found.is_gradable else "not_gradable").inc()
    if outcome.is_suspicious:
        metrics.SUSPICIOUS.labels(found.examiner).inc()
