"""Who examines an answer, and with what: an equal answer's examination, the model, the stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import structlog

from common.clock import Clock
from common.database import Database, Transaction
from common.events import GradeAnswer
from common.telemetry import span
from grader import metrics
from grader.answer_text import examined_text, holds_orders
from grader.evidence import doubted
from grader.examiners import Board, Examination, Examiner, ExaminerFailed
from grader.known import Keys, KnownStore, recalled, remembered
from grader.outcomes import Outcome
from grader.settings import Price
from grader.spending import Limits, Purse, used_by
from grader.store import Store

log = structlog.get_logger()

FINAL = frozenset({"budget_spent", "person_limit"})
"""Reasons for which trying again soon cannot help."""


@dataclass(frozen=True)
class Grader:
    database: Database
    board: Board
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    prices: Mapping[str, Price] = field(default_factory=dict)

    @cached_property
    def purse(self) -> Purse:
        return Purse(self.database, self.clock, self.limits, self.prices)


async def examine_or_stand_in(command: GradeAnswer, grader: Grader) -> Examination:
    """Raises ExaminerFailed while the first examiner is worth waiting for."""
    try:
        return await examine_within_budget(command, grader, grader.board.first)
    except ExaminerFailed as failure:
        if failure.reason not in FINAL:
            await _count_failed_try(command, grader, failure)
        metrics.FALLBACKS.labels(failure.reason).inc()
    return replace(await examine(command, grader.board.stand_in), is_provisional=True)


async def examine_within_budget(
    command: GradeAnswer, grader: Grader, examiner: Examiner
) -> Examination:
    """Raises ExaminerFailed. An examiner that costs nothing needs no budget."""
    if examiner.name != "openai":
        return await examine(command, examiner)
    reservation = await grader.purse.reserve(examiner, command.user_id)
    try:
        found = await examine(command, examiner)
    except ExaminerFailed as failure:
        await grader.purse.settle(reservation, used_by(failure))
        raise
    await grader.purse.settle(reservation, used_by(found))
    if found.is_gradable and found.is_thin:
        local = await examine(command, grader.board.stand_in)
        return doubted(command.question, found, local)
    return found


async def examine(command: GradeAnswer, examiner: Examiner) -> Examination:
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


async def _count_failed_try(command: GradeAnswer, grader: Grader, failure: ExaminerFailed) -> None:
    """Raises the failure while the answer may still be tried again."""
    async with grader.database.transaction() as transaction:
        tries = await Store(transaction).record_failed_try(command.answer_id)
    if tries < grader.board.patience:
        raise failure
    log.warning("examiner_stood_in", reason=failure.reason, tries=tries)


async def find_known(
    command: GradeAnswer, grader: Grader, transaction: Transaction
) -> Examination | None:
    """What an equal answer was given, by people or by the model."""
    if holds_orders(command.text):
        return None
    keys = Keys.of(command, grader.board.first, grader.board.recipe)
    wanted = [key for key in (keys.human, keys.machine) if key is not None]
    now = grader.clock.now()
    found = await KnownStore(transaction).find(wanted, command.user_id, now)
    if found is None:
        return None
    metrics.KNOWN.labels("people" if found.decided_score is not None else "model").inc()
    return recalled(found, examined_text(command.text))


async def keep_known(
    command: GradeAnswer, outcome: Outcome, grader: Grader, transaction: Transaction
) -> None:
    found = outcome.examination
    key = Keys.of(command, grader.board.first, grader.board.recipe).machine
    is_ours = found.examiner == grader.board.first.name and not found.is_cached
    if key is None or outcome.score is None or outcome.is_suspicious or not is_ours:
        return
    known = remembered(found, examined_text(command.text))
    await KnownStore(transaction).keep(key, known, command.user_id, grader.clock.now())
