"""What is known when somebody says something, and what may come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from common.events import Purpose, ReplyKind
from common.ids import AssignmentId
from users.dialogues import Dialogue, opened
from users.people import Person

NO_VALUES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Situation:
    person: Person
    now: datetime
    text: str = ""
    dialogue: Dialogue | None = None
    open_question: AssignmentId | None = None
    note: str = ""
    """The id of the voice note that this is about."""


@dataclass(frozen=True)
class Reply:
    kind: str
    values: Mapping[str, str] = field(default_factory=dict)
    purpose: Purpose = "reply"


@dataclass(frozen=True)
class HandOn:
    """For the scheduler: it knows the questions."""

    kind: ReplyKind
    text: str = ""
    assignment_id: AssignmentId | None = None


@dataclass(frozen=True)
class Outcome:
    person: Person
    reply: Reply | None = None
    hand_on: HandOn | None = None
    dialogue: Dialogue | None = None
    consent: bool | None = None
    """Given or withdrawn just now: a row of the ledger."""
    wants_transcript: bool = False


def silence(situation: Situation) -> Outcome:
    return Outcome(situation.person, dialogue=situation.dialogue)


def say(person: Person, now: datetime, kind: str, values: Mapping[str, str] = NO_VALUES) -> Outcome:
    """Say `kind`; the conversation then stands where `kind` leaves it."""
    dialogue = opened(kind, person.state, now)
    return Outcome(person, Reply(kind, values), dialogue=dialogue)


def remark(situation: Situation, kind: str, values: Mapping[str, str] = NO_VALUES) -> Outcome:
    """Say `kind` without moving the conversation."""
    return Outcome(situation.person, Reply(kind, values), dialogue=situation.dialogue)


def hand_on(situation: Situation, handed: HandOn) -> Outcome:
    """A hint is looked at between writing an answer and sending it: what waits goes on waiting."""
    kept = situation.dialogue if handed.kind == "hint" else None
    return Outcome(situation.person, hand_on=handed, dialogue=kept)
