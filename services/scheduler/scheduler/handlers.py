"""What the scheduler does with the news of the other services."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from sqlalchemy import func

from common.clock import Clock
from common.database import Transaction
from common.errors import SabatinaError
from common.events import (
    AnswerGraded,
    AnswerRegraded,
    Message,
    MessageAccepted,
    MessageFailed,
    UserChanged,
    UserDeleted,
)
from common.ids import UserId
from scheduler import outgoing
from scheduler.models import AssignmentRow
from scheduler.planning import local_date, next_occurrence
from scheduler.practice import Assignment, Learner
from scheduler.store import AssignmentStore, LearnerStore

Sending = MessageAccepted | MessageFailed


class ScheduleInvalid(SabatinaError):
    """A time or a zone that does not exist: the learner keeps the schedule they had."""


async def follow_user(event: UserChanged, tx: Transaction, clock: Clock) -> None:
    """News may come twice or in any order: the revision tells which is newer."""
    learners = LearnerStore(tx.connection)
    known = await learners.lock(event.user_id)
    if known is not None and known.revision >= event.contact.revision:
        return
    if known is None and await learners.is_forgotten(event.user_id):
        return
    await learners.save(_projected(event, known, clock.now()))
    if event.contact.state == "merged":
        await _close_open_question(event.user_id, tx, clock.now())


async def _close_open_question(user_id: UserId, tx: Transaction, now: datetime) -> None:
    """Of somebody who was found to be somebody else: it would wait for an answer for ever. Their
    history stays theirs, and is there again if the merge is taken back."""
    assignments = AssignmentStore(tx.connection)
    current = await assignments.find_current(user_id)
    if current is not None and current.state == "open":
        await assignments.close(current.id, "expired", now)
        tx.publish(outgoing.question_closed(user_id, current.id, "merged", now))


def _projected(event: UserChanged, known: Learner | None, now: datetime) -> Learner:
    contact, preferences = event.contact, event.preferences
    before = known or Learner(
        event.user_id, 0, "unknown", contact.language, [], 1, "UTC", time(9, 0)
    )
    learner = replace(
        before, revision=contact.revision, state=contact.state, language=contact.language
    )
    paused_until = None
    if preferences is not None:
        paused_until = preferences.paused_until
        learner = replace(
            learner,
            tracks=list(preferences.tracks),
            level=preferences.level,
            timezone=preferences.timezone,
            time_of_day=_time_of_day(preferences.time),
        )
    return replace(learner, next_due_at=_next_due(learner, before, now, paused_until))


def _next_due(
    learner: Learner, before: Learner, now: datetime, paused_until: datetime | None
) -> datetime | None:
    if learner.state != "active" or not learner.tracks:
        return None
    is_same_schedule = (learner.timezone, learner.time_of_day) == (
        before.timezone,
        before.time_of_day,
    )
    resumes_at = max(paused_until or now, now)
    if is_same_schedule and before.next_due_at is not None and resumes_at == now:
        return before.next_due_at
    try:
        return next_occurrence(resumes_at, learner.time_of_day, learner.timezone)
    except (KeyError, ValueError, OSError) as error:  # what zoneinfo raises for an unknown zone
        raise ScheduleInvalid(f"there is no time zone {learner.timezone!r}") from error


def _time_of_day(written: str) -> time:
    try:
        return time.fromisoformat(written)
    except ValueError as error:
        raise ScheduleInvalid(f"{written!r} is no time of day") from error


async def forget_user(event: UserDeleted, tx: Transaction, clock: Clock) -> None:
    await LearnerStore(tx.connection).forget(event.user_id, clock.now())


async def record_grade(event: AnswerGraded, tx: Transaction, clock: Clock) -> None:
    assignments = AssignmentStore(tx.connection)
    found = await assignments.lock_answered(event.assignment_id, event.answer_id, event.user_id)
    if found is None:
        return
    learner, assignment = found
    if assignment.state == "graded" and event.score is not None:
        await assignments.change(assignment.id, score=event.score)  # a provisional one made final
    elif assignment.state == "answered" and event.score is None:
        await _reopen(assignment, tx, clock.now())
    elif assignment.state == "answered" and event.score is not None:
        now = clock.now()
        answered_on = local_date(assignment.submitted_at or now, learner.timezone)
        streak = outgoing.streak_of(learner).counting(answered_on)
        await assignments.record_grade(assignment, event.score, streak, now)
        tx.publish(outgoing.question_closed(assignment.user_id, assignment.id, "graded", now))


async def correct_grade(event: AnswerRegraded, tx: Transaction) -> None:
    """Progress follows the new score; a streak counts answers, whatever they were worth."""
    await AssignmentStore(tx.connection).record_score(
        event.assignment_id, event.answer_id, event.score
    )


async def _reopen(assignment: Assignment, tx: Transaction, now: datetime) -> None:
    """Unless the next question came meanwhile: one at a time is open."""
    assignments = AssignmentStore(tx.connection)
    current = await assignments.find_current(assignment.user_id)
    if current is not None and current.state == "open":
        await assignments.close(assignment.id, "expired", now)
        tx.publish(outgoing.question_closed(assignment.user_id, assignment.id, "expired", now))
    else:
        await assignments.change(
            assignment.id, state="open", answer_text=None, submitted_at=None, answer_id=None
        )


async def note_sendings(news: Sequence[Message], tx: Transaction, clock: Clock) -> None:
    """Which daily questions reached the person, were announced by a template, or failed.

    A question that was not seen is shown before an answer to it is taken. Only assignments are
    locked here, and none waits for a learner: the ticker holds those first.
    """
    questions = [m for m in news if isinstance(m, Sending) and m.kind == "question"]
    assignments = AssignmentStore(tx.connection)
    current = await assignments.ids_of_current({message.user_id for message in questions})
    daily = {outgoing.daily_message_id(assignment_id): assignment_id for assignment_id in current}
    known = [(daily[m.sent_id], m) for m in questions if m.sent_id in daily]
    now = clock.now()
    announced = {i for i, m in known if isinstance(m, MessageAccepted) and m.is_template}
    shown = {i for i, m in known if isinstance(m, MessageAccepted) and not m.is_template}
    failed = {i for i, m in known if isinstance(m, MessageFailed)}
    await assignments.change_all(announced, announced=True)
    await assignments.change_all(shown, shown_at=func.coalesce(AssignmentRow.shown_at, now))
    await assignments.change_all(failed, failed_at=now)
