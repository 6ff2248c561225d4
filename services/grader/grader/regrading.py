"""When the model is back, it looks at what the local examiner graded in its place."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from common.ids import AnswerId
from common.telemetry import span
from grader import metrics, outgoing
from grader.examiners import ExaminerFailed
from grader.examining import Grader, examine_within_budget, keep_known
from grader.graded import GradedAnswer, find_graded
from grader.outcomes import Outcome, assess
from grader.review_store import ReviewStore
from grader.store import Store

LOOK_EVERY = timedelta(minutes=1)
ROUND = 20
NOT_AFTER = timedelta(hours=48)
RETRY_AFTER = timedelta(minutes=30)
WORTH_TELLING = 2
"""A smaller difference is no reason to write to somebody again: the score they know holds."""
OF_THIS_ANSWER = frozenset({"refused", "filtered", "truncated", "invalid", "person_limit"})
"""Failures after which the next answer may well succeed."""

CLAIM = text(
    """
    UPDATE grader.answers SET regrade_at = :again_at
    WHERE id = (
        SELECT answers.id FROM grader.gradings JOIN grader.answers ON answers.id = answer_id
        WHERE kind = 'first' AND is_provisional AND is_gradable AND created_at > :oldest
            AND corrected_score IS NULL AND (regrade_at IS NULL OR regrade_at <= :now)
            AND NOT EXISTS (
                SELECT FROM grader.gradings AS later
                WHERE later.answer_id = answers.id AND later.kind = 'regrade')
            AND NOT EXISTS (SELECT FROM grader.reviews WHERE reviews.answer_id = answers.id)
        ORDER BY created_at LIMIT 1 FOR UPDATE OF answers SKIP LOCKED)
    RETURNING id
    """
)


async def regrade_provisional(grader: Grader) -> None:
    """A background job; without a model there is nothing to do."""
    while grader.board.first.name == "openai":
        await regrade_round(grader)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def regrade_round(grader: Grader) -> int:
    """Oldest first, until the model fails again. Returns how many were examined."""
    for done in range(ROUND):
        try:
            if not await _regrade_next(grader):
                return done
        except ExaminerFailed as failure:
            metrics.REGRADES.labels("failed").inc()
            if failure.reason not in OF_THIS_ANSWER:
                return done
    return ROUND


async def _regrade_next(grader: Grader) -> bool:
    """False when nothing waits. An answer that is claimed is not tried again for a while, so that
    one which the model will not take holds up no others."""
    now = grader.clock.now()
    values = {"now": now, "again_at": now + RETRY_AFTER, "oldest": now - NOT_AFTER}
    async with grader.database.transaction() as transaction:
        claimed = (await transaction.connection.execute(CLAIM, values)).scalar_one_or_none()
        answer = await _load(claimed, transaction)
    if claimed is None:
        return False
    if answer is not None:
        await _regrade(answer, grader)
    return True


async def _load(answer_id: UUID | None, transaction: Transaction) -> GradedAnswer | None:
    return await find_graded(transaction.connection, answer_id) if answer_id else None


async def _regrade(answer: GradedAnswer, grader: Grader) -> None:
    started = time.monotonic()
    with span("regrade answer"):
        found = await examine_within_budget(answer.command, grader, grader.board.first)
    outcome = assess(answer.command, found, timedelta(seconds=time.monotonic() - started))
    async with grader.database.transaction() as transaction:
        ending = await _record(answer.command.answer_id, outcome, grader, transaction)
    if ending is not None:
        metrics.REGRADES.labels(ending).inc()


async def _record(
    answer_id: AnswerId, outcome: Outcome, grader: Grader, transaction: Transaction
) -> str | None:
    """None when somebody else was first, or the answer is gone."""
    now = grader.clock.now()
    answer = await find_graded(transaction.connection, answer_id)
    store = Store(transaction)
    if answer is None or not await store.record_second(answer_id, "regrade", outcome, now):
        return None
    if outcome.score is None or outcome.feedback is None:
        return "not_gradable"
    await keep_known(answer.command, outcome, grader, transaction)
    first, old, new = answer.first, answer.score, outcome.score
    if outcome.examination.needs_review:
        await ReviewStore(transaction).open(answer_id, "evidence", now)
    difference = abs(new - old)
    metrics.DIFFERENCE.labels(
        "regrade", first.model, first.prompt_version, answer.command.language
    ).observe(difference)
    if difference < WORTH_TELLING:
        return "confirmed"
    await store.correct_score(answer_id, new)
    asked, examiner = answer.command, outcome.examination.examiner
    transaction.publish(outgoing.answer_regraded(asked, old, new, examiner=examiner, now=now))
    transaction.publish(
        outgoing.correction(
            asked, outcome.feedback, old=old, new=new, inbound=answer.inbound, now=now
        )
    )
    return "corrected"
