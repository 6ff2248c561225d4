"""An answer that was spoken: written down, shown, and graded only once the person agrees."""

from uuid import UUID

from common.events import VoiceProblem
from common.ids import AssignmentId
from users.dialogues import Dialogue, opened
from users.exchange import HandOn, Outcome, Reply, Situation, hand_on, remark, say, silence
from users.keywords import HARD_STOPS, normalised
from users.understanding import Intent


def is_stop(transcript: str) -> bool:
    return normalised(transcript) in HARD_STOPS


def ask_for_transcript(intent: Intent, situation: Situation) -> Outcome:
    """The question is kept: another one may be open when the transcript comes."""
    person = situation.person
    data = {"a": str(situation.open_question), "note": situation.note}
    pending = opened("voice_pending", person.state, situation.now, data)
    return Outcome(person, dialogue=pending, wants_transcript=True)


def show_transcript(situation: Situation) -> Outcome:
    """Nothing when a newer voice note has taken its place."""
    pending = _pending(situation)
    if pending is not None and pending.data["note"] != situation.note:
        return silence(situation)
    question = pending.data["a"] if pending is not None else situation.open_question
    if question is None:
        return remark(situation, "question_closed")
    text = situation.text.replace("\x00", "")
    data = {"text": text, "a": str(question), "note": situation.note}
    person = situation.person
    return Outcome(
        person,
        Reply("voice_heard", {"transcript": text, "a": situation.note}),
        dialogue=opened("voice_heard", person.state, situation.now, data),
    )


def tell_problem(situation: Situation, problem: VoiceProblem) -> Outcome:
    pending = _pending(situation)
    if pending is None:
        return remark(situation, f"voice_{problem}")
    if pending.data["note"] != situation.note:
        return silence(situation)
    return say(situation.person, situation.now, f"voice_{problem}")


def send_note(intent: Intent, situation: Situation) -> Outcome:
    note = _shown(intent, situation)
    if note is None:
        return remark(situation, "voice_gone")
    question = AssignmentId(UUID(note.data["a"]))
    return hand_on(situation, HandOn("text", note.data["text"], question))


def discard_note(intent: Intent, situation: Situation) -> Outcome:
    if _shown(intent, situation) is None:
        return remark(situation, "voice_gone")
    return say(situation.person, situation.now, "voice_discarded")


def _pending(situation: Situation) -> Dialogue | None:
    dialogue = situation.dialogue
    is_about_voice = dialogue is not None and dialogue.step in ("voice_pending", "voice_heard")
    return dialogue if is_about_voice else None


def _shown(intent: Intent, situation: Situation) -> Dialogue | None:
    """The transcript that is asked about; a typed word means the one that was shown last."""
    dialogue = situation.dialogue
    if dialogue is None or dialogue.step != "voice_heard":
        return None
    return dialogue if intent.value in ("", dialogue.data["note"]) else None
