"""The clockwork: every second it gives those whose time has come their question."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opentelemetry.context import Context

from common.clock import Clock
from common.database import Database, Transaction
from common.ids import AssignmentId, UserId, new_id
from common.telemetry import span, traceparent_of
from scheduler import metrics, outgoing
from scheduler.bank import QuestionBank
from scheduler.due import DailyAssignment, DueLearner, DueStore, Past
from scheduler.planning import History, choose, seed_of

TICK = 1.0  # seconds
BATCH = 1_000
BREATH = 50  # messages built before replies, which share the event loop, get their turn
NO_PAST = Past(False, History())


@dataclass
class Ticker:
    """Any number of replicas may run one: a learner is claimed by one of them."""

    database: Database
    bank: QuestionBank
    clock: Clock
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            await self.tick()
            try:
                async with asyncio.timeout(TICK):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def tick(self) -> int:
        """Work until nobody is due; returns how many were claimed."""
        total = 0
        self.bank.require_loaded()
        while claimed := await self._work_batch(self.clock.now()):
            total += claimed
        return total

    async def _work_batch(self, now: datetime) -> int:
        async with self.database.transaction() as tx:
            store = DueStore(tx.connection)
            due = await store.claim(now, BATCH)
            if not due:
                return 0
            in_time = [learner for learner in due if not learner.is_too_late(now)]
            pasts = await store.pasts(in_time) if in_time else {}
            fresh = [x for x in in_time if not pasts.get(x.user_id, NO_PAST).is_asked]
            plans = [p for x in fresh if (p := self._plan(x, pasts.get(x.user_id, NO_PAST)))]
            assigned = await self._assign(plans, tx, now) if plans else []
        _count_skipped(late=len(due) - len(in_time), already_asked=len(in_time) - len(fresh))
        _count_skipped(no_question=len(fresh) - len(plans), raced=len(plans) - len(assigned))
        _count_assigned(assigned, now)
        return len(due)

    def _plan(self, learner: DueLearner, past: Past) -> DailyAssignment | None:
        seed = seed_of(learner.user_id, learner.slot_on)
        question = choose(self.bank.library, learner.tracks, learner.level, past.history, seed)
        if question is None:
            return None
        number = len(past.history.question_ids) + 1
        return DailyAssignment(AssignmentId(new_id()), learner, question, number)

    async def _assign(
        self, plans: Sequence[DailyAssignment], tx: Transaction, now: datetime
    ) -> list[DailyAssignment]:
        store = DueStore(tx.connection)
        users = [plan.learner.user_id for plan in plans]
        expired: dict[UserId, AssignmentId] = {
            user: assignment for assignment, user in await store.expire_open(users, now)
        }
        added = await store.add(plans, now)
        assigned = [plan for plan in plans if plan.id in added]
        for place, plan in enumerate(assigned):
            self._tell(plan, expired.get(plan.learner.user_id), tx, now)
            if place % BREATH == 0:
                await asyncio.sleep(0)
        return assigned

    def _tell(
        self, plan: DailyAssignment, expired: AssignmentId | None, tx: Transaction, now: datetime
    ) -> None:
        """Each learner's question begins a trace of its own."""
        learner, question = plan.learner, self.bank.known(plan.question)
        values = outgoing.question_values(
            question,
            learner.language,
            assignment_id=plan.id,
            number=plan.number,
            streak=learner.current_streak,
        )
        with span("assign question", parent=Context(), track=question.track) as started:
            trace = traceparent_of(started)
            if expired is not None:
                tx.publish(
                    outgoing.question_closed(learner.user_id, expired, "expired", now),
                    traceparent=trace,
                )
            tx.publish(
                outgoing.question_assigned(learner.user_id, plan.id, question, now),
                traceparent=trace,
            )
            tx.publish(
                outgoing.daily_question(
                    learner.user_id, plan.id, values, now=now, expires_at=learner.day_ends_at
                ),
                traceparent=trace,
            )


def _count_skipped(**counts: int) -> None:
    for reason, count in counts.items():
        if count:
            metrics.SCHEDULE_SKIPPED.labels(reason).inc(count)


def _count_assigned(assigned: Sequence[DailyAssignment], now: datetime) -> None:
    for plan in assigned:
        metrics.QUESTIONS_ASSIGNED.labels(plan.question.track).inc()
        metrics.SCHEDULE_LAG.observe(max((now - plan.learner.due_at).total_seconds(), 0))
