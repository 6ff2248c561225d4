"""Inbound messages, from WhatsApp's webhook to a reply, a change, or the scheduler."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.events import (
    InboundUnderstood,
    Message,
    MessageFailed,
    MessageReceived,
    QuestionAssigned,
    QuestionClosed,
    TranscribeVoice,
    VoiceTranscribed,
)
from common.ids import UserId, derived_id
from users import metrics, voice_notes
from users.acquaintance import SILENT_KINDS, as_met, meet, rename
from users.conversation import respond
from users.exchange import Outcome, Situation
from users.occasion import Occasion
from users.people import Person
from users.recording import record_outcome
from users.store import Circumstances, Store
from users.switch import stop_refused
from users.understanding import Heard, Intent, Meaning, Standing, understand

CLOSED_KEPT = timedelta(days=4)
"""Longer than the stream of events keeps anything that could still arrive."""

RENAMED = "renamed"


@dataclass(frozen=True)
class Turn:
    """One inbound message, and what holds while it is dealt with."""

    message: MessageReceived
    now: datetime
    policy_version: str

    @property
    def occasion(self) -> Occasion:
        message = self.message
        return Occasion(message.message_id, message.channel, self.now, self.policy_version)


async def understand_message(turn: Turn, store: Store) -> None:
    if turn.message.became is not None:
        await _follow_renaming(turn, store)
        return
    met = await meet(turn.message, store, turn.occasion)
    known = await store.get_circumstances(met.person.id)
    if new := known.unknown_of(met.aliases):
        await store.learn_aliases(met.person.id, new, turn.now)
    situation = _situation(turn, as_met(met, turn.message, known), known)
    intent = understand(_heard(turn.message), _standing(situation))
    outcome = respond(intent, situation)
    after = await record_outcome(
        outcome,
        situation,
        met.person,
        known,
        inbound=turn.message.ref,
        occasion=turn.occasion,
        store=store,
    )
    if outcome.wants_transcript:
        store.publish(_transcribe(turn, after))
    store.publish(_understood(turn, after.id, intent.meaning))
    metrics.INBOUND.labels(intent.meaning).inc()


async def _follow_renaming(turn: Turn, store: Store) -> None:
    """Nothing is said: the person has not written."""
    person = await rename(turn.message, store, turn.occasion)
    if person is not None:
        store.publish(_understood(turn, person.id, RENAMED))
    metrics.INBOUND.labels(RENAMED).inc()


def _situation(turn: Turn, person: Person, known: Circumstances) -> Situation:
    return Situation(
        person,
        turn.now,
        turn.message.text or "",
        known.dialogue_at(turn.now),
        known.open_question,
        note_id(turn.message.provider_id),
    )


def note_id(provider_id: str) -> str:
    return str(derived_id("voice-note", provider_id))


def _heard(message: MessageReceived) -> Heard:
    has_media = message.media is not None
    return Heard(message.kind, message.text or "", message.choice_id, has_media)


def _standing(situation: Situation) -> Standing:
    return Standing(
        situation.person.state,
        situation.dialogue.step if situation.dialogue else None,
        situation.open_question is not None,
        situation.person.channel,
    )


def _understood(turn: Turn, user_id: UserId, intent: str) -> InboundUnderstood:
    return InboundUnderstood(
        message_id=derived_id("understood", turn.message.message_id),
        occurred_at=turn.now,
        user_id=user_id,
        inbound=turn.message.ref,
        intent=intent,
        opens_window=turn.message.kind not in SILENT_KINDS,
    )


def _transcribe(turn: Turn, person: Person) -> TranscribeVoice:
    assert turn.message.media is not None
    return TranscribeVoice(
        message_id=derived_id("transcribe", turn.message.message_id),
        occurred_at=turn.now,
        user_id=person.id,
        inbound=turn.message.ref,
        media=turn.message.media,
        language=person.language,
    )


async def hear_transcript(
    event: VoiceTranscribed, store: Store, now: datetime, policy_version: str
) -> None:
    """The end of a voice note's way; by now the person may have left, or written instead."""
    person = await store.find(event.user_id)
    if person is None or person.state not in ("active", "paused"):
        return
    known = await store.get_circumstances(person.id)
    inbound = event.inbound
    situation = Situation(
        person,
        now,
        event.text or "",
        known.dialogue_at(now),
        known.open_question,
        note_id(inbound.provider_id),
    )
    await record_outcome(
        _outcome_of(event, situation),
        situation,
        person,
        known,
        inbound=inbound,
        occasion=Occasion(event.message_id, inbound.channel, now, policy_version),
        store=store,
    )


def _outcome_of(event: VoiceTranscribed, situation: Situation) -> Outcome:
    problem = event.problem or (None if situation.text.strip() else "unreadable")
    metrics.TRANSCRIPTS.labels(problem or "heard").inc()
    if problem is not None:
        return voice_notes.tell_problem(situation, problem)
    if voice_notes.is_stop(situation.text):
        return respond(Intent(Meaning.STOP), situation)
    return voice_notes.show_transcript(situation)


async def follow(
    events: Sequence[Message], store: Store, now: datetime, policy_version: str
) -> None:
    """People are locked before questions, as everywhere."""
    failed = [event for event in events if isinstance(event, MessageFailed)]
    await stop_refused(failed, store, now, policy_version)
    await follow_questions(events, store, now)


async def follow_questions(events: Sequence[Message], store: Store, now: datetime) -> None:
    """Which question is open for whom, whatever the order in which the news comes."""
    opened = [e for e in events if isinstance(e, QuestionAssigned)]
    closed = [e for e in events if isinstance(e, QuestionClosed)]
    await store.open_questions([(e.assignment_id, e.user_id, e.occurred_at) for e in opened])
    await store.close_questions(
        [(e.assignment_id, e.user_id, e.occurred_at) for e in closed], now - CLOSED_KEPT
    )
