"""People look at an answer, and what they decide holds."""

from common.clock import Clock
from common.database import Database, Transaction
from common.errors import CommandRefused
from common.events import DecideReview, ListReviews, ReviewPage, ReviewView
from grader import metrics, outgoing
from grader.answer_text import examined_text
from grader.examiners import Examination
from grader.feedback import plain, trimmed
from grader.graded import Found, GradedAnswer, find_graded
from grader.known import KnownStore, human_key, remembered
from grader.review_store import ReviewRow, ReviewStore
from grader.rubric import Mark
from grader.store import Store

PAGE_LIMIT = 50
LONGEST_NOTE = 600


async def list_reviews(query: ListReviews, database: Database) -> ReviewPage:
    limit = min(max(query.limit, 1), PAGE_LIMIT)
    async with database.transaction() as transaction:
        rows = await ReviewStore(transaction).page(is_decided=query.is_decided, limit=limit)
        found = [
            (row, await find_graded(transaction.connection, row.answer_id, for_update=False))
            for row in rows
        ]
    return ReviewPage(items=tuple(_view(row, answer) for row, answer in found if answer))


async def decide_review(
    command: DecideReview, transaction: Transaction, clock: Clock
) -> ReviewView:
    """Raises CommandRefused when there is nothing to decide."""
    now = clock.now()
    if not 1 <= command.score <= 10:
        raise CommandRefused("invalid", "a score is 1 to 10")
    store = ReviewStore(transaction)
    review = await store.find(command.review_id)
    answer = await find_graded(transaction.connection, review.answer_id) if review else None
    if review is None or answer is None:
        raise CommandRefused("review_not_found", "there is no review with this id")
    decided = await store.decide(command, now)
    if decided is None:
        raise CommandRefused("review_decided", "this review was decided already")
    await _approve(command, answer, transaction, clock)
    await _tell(command, review, answer, transaction, clock)
    transaction.after_commit(lambda: _count(command, answer))
    return _view(decided, answer)


def _view(review: ReviewRow, answer: GradedAnswer) -> ReviewView:
    return ReviewView(
        review_id=review.id,
        reason=review.reason,
        question=answer.command.question,
        answer=answer.command.text,
        language=answer.command.language,
        score=answer.score,
        examinations=tuple(one.view for one in answer.found),
        opened_at=review.opened_at,
        decided_at=review.decided_at,
        decided_score=review.score,
        decided_by=review.decided_by,
    )


async def _approve(
    command: DecideReview, answer: GradedAnswer, transaction: Transaction, clock: Clock
) -> None:
    """Whoever answers the same from now on gets what people decided."""
    nearest = answer.nearest_to(command.score)
    asked = answer.command
    approved = remembered(_as_decided(nearest, command.score), examined_text(asked.text))
    key = human_key(asked.question, examined_text(asked.text))
    await KnownStore(transaction).keep(key, approved, None, clock.now())


def _as_decided(found: Found, score: int) -> Examination:
    return Examination(
        marks=tuple(
            Mark.model_validate(point.model_dump(include={"point_id", "verdict", "quote"}))
            for point in found.points
        ),
        is_gradable=True,
        examiner="human",
        model="",
        prompt_version="",
        decided_score=score,
    )


async def _tell(
    command: DecideReview,
    review: ReviewRow,
    answer: GradedAnswer,
    transaction: Transaction,
    clock: Clock,
) -> None:
    """Nobody is told that a score stays which they did not question."""
    now, asked = clock.now(), answer.command
    if command.score == answer.score:
        if review.reason == "dispute" or answer.inbound != asked.inbound:
            values = {
                "score": str(command.score),
                "note": trimmed(plain(command.note), LONGEST_NOTE),
                "a": str(asked.assignment_id),
            }
            transaction.publish(
                outgoing.said(asked, "grade_confirmed", answer.inbound, now, **values)
            )
        return
    await Store(transaction).correct_score(asked.answer_id, command.score)
    scores = {"old": answer.score, "new": command.score}
    transaction.publish(outgoing.answer_regraded(asked, **scores, examiner="human", now=now))
    note = trimmed(plain(command.note), LONGEST_NOTE)
    transaction.publish(outgoing.decision(asked, note, **scores, inbound=answer.inbound, now=now))


def _count(command: DecideReview, answer: GradedAnswer) -> None:
    changed = command.score != answer.score
    metrics.REVIEWS.labels("corrected" if changed else "confirmed").inc()
    for one in answer.found:
        if one.score is not None:
            metrics.DIFFERENCE.labels(
                "human", one.model, one.prompt_version, answer.command.language
            ).observe(abs(one.score - command.score))
