"""What a person's reply means for the question in front of them, and what is said back."""

from dataclasses import dataclass
from datetime import date, datetime

from common.clock import Clock
from common.database import Transaction
from common.events import HandleReply, SendMessage
from common.ids import AnswerId, AssignmentId, derived_id, new_id
from common.questions import Question
from scheduler import metrics, outgoing
from scheduler.bank import QuestionBank
from scheduler.errors import LearnerNotKnownYet
from scheduler.planning import ONE_DAY, choose, instant_of, local_date, seed_of
from scheduler.practice import Assignment, Learner
from scheduler.store import AssignmentStore, LearnerStore

EXTRA_QUESTIONS = 5
"""How many a person may ask for on one local date, beyond the daily one."""

ANSWERING_STATES = ("active", "paused")
CLOSED_STATES = ("graded", "skipped", "given_up", "expired")


async def handle_reply(
    reply: HandleReply, tx: Transaction, bank: QuestionBank, clock: Clock
) -> None:
    """Once for each message of the person: the id of `reply` is derived from it, and the inbox
    knows the id."""
    now = clock.now()
    learner = await LearnerStore(tx.connection).lock(reply.user_id)
    if learner is None or learner.state not in ANSWERING_STATES:
        raise LearnerNotKnownYet(reply.user_id, now - reply.occurred_at)
    turn = Turn(reply, learner, tx, bank, now)
    match reply.kind:
        case "text":
            await turn.take_answer()
        case "hint":
            await turn.give_hint()
        case "skip":
            await turn.skip()
        case "dont_know":
            await turn.give_up()
        case "question_now":
            await turn.give_question()
        case "model_answer":
            await turn.give_model_answer()
        case "dispute":
            await turn.dispute()


@dataclass(frozen=True)
class Turn:
    """One reply, with all that is needed to deal with it."""

    reply: HandleReply
    learner: Learner
    tx: Transaction
    bank: QuestionBank
    now: datetime

    @property
    def assignments(self) -> AssignmentStore:
        return AssignmentStore(self.tx.connection)

    @property
    def learners(self) -> LearnerStore:
        return LearnerStore(self.tx.connection)

    @property
    def today(self) -> date:
        return local_date(self.now, self.learner.timezone)

    async def take_answer(self) -> None:
        assignment = await self._open_assignment()
        if assignment is None:
            return
        answer_id = AnswerId(derived_id("answer", self.reply.inbound.provider_id))
        answered = await self.assignments.record_submission(
            assignment, answer_id, self.reply.text, self.reply.inbound, self.now
        )
        question = await self._question_of(answered)
        self.tx.publish(
            outgoing.grade_answer(self.learner, answered, question, today=self.today, now=self.now)
        )

    async def give_hint(self) -> None:
        """The next one; after the last, the last again."""
        assignment = await self._open_assignment()
        if assignment is None:
            return
        hints = (await self._question_of(assignment)).languages.of(self.learner.language).hints
        number = min(assignment.hints_used + 1, len(hints))
        await self.assignments.change(assignment.id, hints_used=number)
        self._say(
            "hint",
            k=str(number),
            total=str(len(hints)),
            hint_text=hints[number - 1],
            a=str(assignment.id),
        )

    async def skip(self) -> None:
        assignment = await self._open_assignment()
        if assignment is None:
            return
        await self.assignments.close(assignment.id, "skipped", self.now)
        self.tx.publish(
            outgoing.question_closed(assignment.user_id, assignment.id, "skipped", self.now)
        )
        self._say("skipped")

    async def give_up(self) -> None:
        assignment = await self._open_assignment()
        if assignment is None:
            return
        await self.assignments.close(assignment.id, "given_up", self.now)
        streak = outgoing.streak_of(self.learner).counting(self.today)
        await self.learners.record_streak(self.learner.user_id, streak)
        self.tx.publish(
            outgoing.question_closed(assignment.user_id, assignment.id, "given_up", self.now)
        )
        self._say("dont_know", model=await self._model_answer_of(assignment))

    async def give_model_answer(self) -> None:
        """Only when the question is closed: before, it would be the answer."""
        assignment = await self._named_assignment()
        if assignment is None:
            self._say("question_closed")
        elif assignment.state in CLOSED_STATES:
            self._say("model_answer", model=await self._model_answer_of(assignment))
        elif assignment.state == "answered":
            self._say("being_graded")
        else:
            self._say("answer_first", a=str(assignment.id))

    async def dispute(self) -> None:
        """Whether it may still be questioned, the grader knows."""
        assignment = await self._graded_assignment()
        if assignment is None:
            self._say("dispute_refused")
        else:
            await self.assignments.change(assignment.id, disputed_at=self.now)
            self.tx.publish(outgoing.dispute_grade(assignment, self.reply.inbound, self.now))

    async def _graded_assignment(self) -> Assignment | None:
        user_id, named = self.learner.user_id, self.reply.assignment_id
        if named is None:
            return await self.assignments.find_last_graded(user_id)
        found = await self.assignments.find(named, user_id)
        return found if found is not None and found.state == "graded" else None

    async def give_question(self) -> None:
        current = await self.assignments.find_current(self.learner.user_id)
        if current is None:
            await self._assign_now()
        elif current.state == "open":
            await self._show(current)
        else:
            self._say("being_graded")

    async def _assign_now(self) -> None:
        """Today's question before its time, or an extra one after it."""
        asked = await self.assignments.count_on(self.learner.user_id, self.today)
        history = await self.assignments.history(self.learner.user_id)
        learner, seed = self.learner, seed_of(self.learner.user_id, self.today)
        candidate = choose(self.bank.library, learner.tracks, learner.level, history, seed)
        if candidate is None or asked.get("extra", 0) >= EXTRA_QUESTIONS:
            self._say("no_more_questions")
            return
        assignment = Assignment(
            id=AssignmentId(new_id()),
            user_id=learner.user_id,
            question_id=candidate.id,
            question_version=candidate.version,
            number=len(history.question_ids) + 1,
            local_date=self.today,
            kind="extra" if "daily" in asked else "daily",
            state="open",
            created_at=self.now,
        )
        await self.assignments.add(assignment)
        if assignment.kind == "daily":
            await self._postpone_to_tomorrow()
        question = self.bank.known(candidate)
        self.tx.publish(
            outgoing.question_assigned(learner.user_id, assignment.id, question, self.now)
        )
        metrics.QUESTIONS_ASSIGNED.labels(question.track).inc()
        await self._show(assignment)

    async def _postpone_to_tomorrow(self) -> None:
        zone, slot = self.learner.timezone, self.learner.time_of_day
        tomorrow = instant_of(self.today + ONE_DAY, slot, zone)
        await self.learners.postpone(self.learner.user_id, tomorrow)

    async def _show(self, assignment: Assignment) -> None:
        if assignment.shown_at is None:
            await self.assignments.change(assignment.id, shown_at=self.now)
        question = await self._question_of(assignment)
        values = outgoing.question_values(
            question,
            self.learner.language,
            assignment_id=assignment.id,
            number=assignment.number,
            streak=outgoing.streak_of(self.learner).as_of(self.today),
        )
        self._say("question", **values)

    async def _open_assignment(self) -> Assignment | None:
        """The one that the reply is about, if it can be replied to; if not, the person is told."""
        assignment = await self._named_assignment()
        if assignment is None:
            is_plain_text = self.reply.kind == "text" and self.reply.assignment_id is None
            self._say("fallback" if is_plain_text else "question_closed")
        elif assignment.state == "answered":
            self._say("being_graded")
        elif assignment.state != "open":
            self._say("question_closed")
        elif assignment.is_unseen and self.reply.kind != "skip":
            await self._show(assignment)
        else:
            return assignment
        return None

    async def _named_assignment(self) -> Assignment | None:
        """The one whose button was tapped; for words, the one in front of the person."""
        user_id = self.learner.user_id
        if self.reply.assignment_id is not None:
            return await self.assignments.find(self.reply.assignment_id, user_id)
        if self.reply.kind == "model_answer":
            return await self.assignments.find_last(user_id)
        return await self.assignments.find_current(user_id)

    async def _question_of(self, assignment: Assignment) -> Question:
        return await self.bank.get(assignment.question_id, assignment.question_version, self.tx)

    async def _model_answer_of(self, assignment: Assignment) -> str:
        """What a good candidate would say; of a question without one, what is expected."""
        question = await self._question_of(assignment)
        written = question.languages.of(self.learner.language)
        return written.model_answer or written.reference

    def _say(self, kind: str, **values: str) -> None:
        inbound = self.reply.inbound
        self.tx.publish(
            SendMessage(
                message_id=derived_id(kind, inbound.provider_id),
                occurred_at=self.now,
                user_id=self.learner.user_id,
                kind=kind,
                values=values,
                purpose="reply",
                inbound=inbound,
            )
        )
