"""Publishes again what never came to an end: a lost message must not leave a person waiting."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.clock import Clock
from common.database import Database, Transaction
from scheduler import metrics, outgoing
from scheduler.bank import QuestionBank
from scheduler.planning import end_of_day, local_date
from scheduler.practice import Assignment, Learner
from scheduler.store import AssignmentStore

EVERY = timedelta(minutes=1)
PATIENCE = timedelta(minutes=10)
OLDEST_UNSENT = timedelta(hours=12)
LOOK = 1.0  # seconds of real time between two looks at the clock, which may be a simulated one
BATCH = 200


@dataclass
class Reconciler:
    """Safe on every replica: whoever receives a message again knows its id."""

    database: Database
    bank: QuestionBank
    clock: Clock
    _last_at: datetime | None = field(default=None)

    async def run(self) -> None:
        while True:
            now = self.clock.now()
            if self._last_at is None or not timedelta() <= now - self._last_at < EVERY:
                await self.reconcile()
                self._last_at = now
            await asyncio.sleep(LOOK)

    async def reconcile(self) -> int:
        """Returns how many messages were published again."""
        total = 0
        while repeated := await self._repeat_batch(self.clock.now()):
            total += repeated
        return total

    async def _repeat_batch(self, now: datetime) -> int:
        async with self.database.transaction() as tx:
            store = AssignmentStore(tx.connection)
            stuck = await store.claim_stuck(now, PATIENCE, OLDEST_UNSENT, BATCH)
            for assignment, learner in stuck:
                if assignment.state == "answered":
                    await self._grade_again(assignment, learner, tx, now)
                elif learner.state == "active":
                    await self._ask_again(assignment, learner, tx, now)
        return len(stuck)

    async def _grade_again(
        self, assignment: Assignment, learner: Learner, tx: Transaction, now: datetime
    ) -> None:
        question = await self.bank.get(assignment.question_id, assignment.question_version, tx)
        answered_on = local_date(assignment.submitted_at or now, learner.timezone)
        tx.publish(outgoing.grade_answer(learner, assignment, question, today=answered_on, now=now))
        metrics.RECONCILED.labels("grade").inc()

    async def _ask_again(
        self, assignment: Assignment, learner: Learner, tx: Transaction, now: datetime
    ) -> None:
        question = await self.bank.get(assignment.question_id, assignment.question_version, tx)
        streak = outgoing.streak_of(learner).as_of(local_date(now, learner.timezone))
        values = outgoing.question_values(
            question,
            learner.language,
            assignment_id=assignment.id,
            number=assignment.number,
            streak=streak,
        )
        expires_at = end_of_day(assignment.local_date, learner.timezone)
        tx.publish(
            outgoing.daily_question(
                learner.user_id, assignment.id, values, now=now, expires_at=expires_at
            )
        )
        metrics.RECONCILED.labels("question").inc()
