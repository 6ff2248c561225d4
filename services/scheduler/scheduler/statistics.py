"""How questions did with people, and what that says about them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from common.connection import Connection
from common.events import FlagView, QuestionStatistics

ENOUGH = 20
"""Answers, or people, below which a number says more about chance than about the question."""

TOO_EASY = 9.3
TOO_HARD = 2.5
LEAST_DISCRIMINATION = 0.1
MOST_SKIPPED = 0.30
MOST_DISPUTED = 0.05
FRESH_FOR = timedelta(days=548)  # 18 months

# A question skipped unseen was not skipped for what it asks: rates are of those who read it.
# Discrimination compares a score with the person's mean on all other questions.
STATISTICS = text(
    """
    WITH asked AS (
        SELECT *, (shown_at IS NOT NULL OR answer_id IS NOT NULL OR state = 'given_up') AS is_read
        FROM scheduler.assignments WHERE question_id = ANY(CAST(:ids AS text[]))
    ), own AS (
        SELECT user_id, question_id, sum(score) AS total, count(*) AS graded
        FROM asked WHERE score IS NOT NULL GROUP BY user_id, question_id
    ), everything AS (
        SELECT user_id, sum(score) AS total, count(*) AS graded FROM scheduler.assignments
        WHERE score IS NOT NULL AND user_id IN (SELECT user_id FROM own) GROUP BY user_id
    ), compared AS (
        SELECT asked.*, (everything.total - own.total)::double precision
            / nullif(everything.graded - own.graded, 0) AS mean_elsewhere
        FROM asked LEFT JOIN own USING (user_id, question_id) LEFT JOIN everything USING (user_id)
    )
    SELECT question_id, question_version, count(*) AS asked,
        count(*) FILTER (WHERE is_read) AS read,
        count(answer_id) AS answered,
        count(score) AS graded,
        avg(score)::double precision AS mean_score,
        corr(score, mean_elsewhere) AS correlation,
        regr_count(score, mean_elsewhere) AS compared,
        count(*) FILTER (WHERE is_read AND state = 'skipped') AS skipped,
        count(*) FILTER (WHERE state = 'given_up') AS given_up,
        count(*) FILTER (WHERE is_read AND hints_used > 0) AS hinted,
        count(disputed_at) AS disputed
    FROM compared GROUP BY question_id, question_version
    """
)


async def statistics_of(
    connection: Connection, ids: Sequence[str]
) -> Mapping[tuple[str, int], QuestionStatistics]:
    """Of every version that was asked, by id and version."""
    rows = await connection.execute(STATISTICS, {"ids": list(ids)})
    return {(row.question_id, row.question_version): _statistics(row) for row in rows}


def _statistics(row: Any) -> QuestionStatistics:
    is_comparable = row.compared >= ENOUGH and row.correlation is not None
    return QuestionStatistics(
        asked=row.asked,
        read=row.read,
        answered=row.answered,
        graded=row.graded,
        mean_score=None if row.mean_score is None else round(row.mean_score, 2),
        discrimination=round(row.correlation, 3) if is_comparable else None,
        skip_rate=_rate(row.skipped, row.read),
        dont_know_rate=_rate(row.given_up, row.read),
        hint_rate=_rate(row.hinted, row.read),
        dispute_rate=_rate(row.disputed, row.graded),
    )


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def flags_of(
    found: QuestionStatistics, reviewed_on: date | None, today: date
) -> tuple[FlagView, ...]:
    """What somebody should look at, each with its reason."""
    return (*_score_flags(found), *_behaviour_flags(found), *_age_flags(reviewed_on, today))


def _score_flags(found: QuestionStatistics) -> Iterator[FlagView]:
    mean = found.mean_score
    if mean is not None and found.graded >= ENOUGH:
        if mean >= TOO_EASY:
            yield FlagView(flag="too_easy", reason=f"mean {mean} of {found.graded} answers")
        if mean <= TOO_HARD:
            yield FlagView(flag="too_hard", reason=f"mean {mean} of {found.graded} answers")
    if found.discrimination is not None and found.discrimination < LEAST_DISCRIMINATION:
        reason = f"its scores go with the person's others by {found.discrimination} only"
        yield FlagView(flag="poor_discrimination", reason=reason)


def _behaviour_flags(found: QuestionStatistics) -> Iterator[FlagView]:
    if found.read >= ENOUGH and (found.skip_rate or 0) > MOST_SKIPPED:
        reason = f"{found.skip_rate:.0%} of {found.read} people skipped it"
        yield FlagView(flag="often_skipped", reason=reason)
    if found.graded >= ENOUGH and (found.dispute_rate or 0) > MOST_DISPUTED:
        reason = f"{found.dispute_rate:.0%} of {found.graded} scores were questioned"
        yield FlagView(flag="often_disputed", reason=reason)


def _age_flags(reviewed_on: date | None, today: date) -> Iterator[FlagView]:
    if reviewed_on is None:
        yield FlagView(flag="stale", reason="it was never reviewed")
    elif today - reviewed_on > FRESH_FOR:
        yield FlagView(flag="stale", reason=f"last reviewed on {reviewed_on}")
