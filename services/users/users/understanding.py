"""What an inbound message means, given where the conversation stands. No I/O, no time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.events import Channel, InboundKind, UserState
from common.ids import AssignmentId
from users import keywords
from users.dialogues import STEPS, choice_of_number
from users.sentences import is_stop_wish, language_in, level_in, time_in
from users.times import is_time, parse_time
from users.zones import find_zone

SILENT_KINDS: frozenset[InboundKind] = frozenset({"reaction", "edit", "revoke", "system"})
SPOKEN_KINDS: frozenset[InboundKind] = frozenset({"text", "button", "choice"})
SHORT = 40  # characters; a longer text is not an attempt at a city or a time
ZONE_COMMAND = re.compile(r"(?:zone|time ?zone|fuso(?: horario)?|zona(?: horaria)?)\s+(?P<rest>.+)")
BARE_TIME = re.compile(r"\d{1,2}(?:\s?[:h]\s?\d{2}|\s?h|\s?hs)?(?:\s?[ap]m)?")


class Meaning(StrEnum):
    """Also the word that other services see in InboundUnderstood."""

    STOP = "stop"
    STOP_OR_ANSWER = "stop_or_answer"
    IT_IS_THE_ANSWER = "it_is_the_answer"
    STILL_STOPPED = "still_stopped"
    IGNORED = "ignored"
    WELCOME = "welcome"
    START = "start"
    HELP = "help"
    MENU = "menu"
    MEDIA = "media"
    LANGUAGE = "language"
    CONSENT = "consent"
    TRACK = "track"
    LEVEL = "level"
    TIME = "time"
    ZONE = "zone"
    BAD_TIME = "bad_time"
    BAD_ZONE = "bad_zone"
    ASK_LANGUAGE = "ask_language"
    ASK_TRACK = "ask_track"
    ASK_LEVEL = "ask_level"
    ASK_TIME = "ask_time"
    ASK_ZONE = "ask_zone"
    SIGNUP_CONFIRM = "signup_confirm"
    SIGNUP_NOT_ME = "signup_not_me"
    SIGNUP_UNDECIDED = "signup_undecided"
    NEXT_STEP = "next_step"
    HINT = "hint"
    SKIP = "skip"
    DONT_KNOW = "dont_know"
    MODEL_ANSWER = "model_answer"
    DISPUTE = "dispute"
    QUESTION_NOW = "question_now"
    VOICE = "voice"
    VOICE_SEND = "voice_send"
    VOICE_DISCARD = "voice_discard"
    REPLY = "reply"
    OLD_CHOICE = "old_choice"


@dataclass(frozen=True)
class Intent:
    meaning: Meaning
    value: str = ""
    assignment_id: AssignmentId | None = None


@dataclass(frozen=True)
class Heard:
    kind: InboundKind
    text: str = ""
    choice_id: str | None = None
    has_media: bool = False
    """There is something to fetch."""

    @property
    def words(self) -> str:
        return keywords.normalised(self.text)


@dataclass(frozen=True)
class Standing:
    """Where the conversation stands."""

    state: UserState
    step: str | None = None
    has_open_question: bool = False
    channel: Channel = "cloud"


Rule = Callable[[Heard, str, Standing], Intent | None]


def understand(heard: Heard, standing: Standing) -> Intent:
    """The first rule that knows wins; STOP is the first of all."""
    words = heard.words
    for rule in RULES:
        if (intent := rule(heard, words, standing)) is not None:
            return intent
    return Intent(Meaning.REPLY)


def _silence(heard: Heard, words: str, standing: Standing) -> Intent | None:
    return Intent(Meaning.IGNORED) if heard.kind in SILENT_KINDS else None


def _stop(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if heard.choice_id is not None:
        # A template's button without an id comes with its title for one.
        is_stop = keywords.normalised(heard.choice_id) in keywords.HARD_STOPS
        return Intent(Meaning.STOP) if is_stop else None
    if words in keywords.HARD_STOPS:
        return Intent(Meaning.STOP)
    if words not in keywords.AMBIGUOUS_STOPS and not is_stop_wish(words):
        return None
    if standing.has_open_question and standing.step != "stop_or_answer":
        is_asked = standing.state in ("active", "paused")
        return Intent(Meaning.STOP_OR_ANSWER if is_asked else Meaning.STOP)
    return Intent(Meaning.STOP)


def _gate(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if standing.state not in ("paused", "opted_out", "declined"):
        return None
    if heard.choice_id is None and words in keywords.STARTS:
        return Intent(Meaning.START)
    if standing.state == "paused":
        return None
    if standing.state == "declined":
        return Intent(Meaning.IGNORED)
    is_help = heard.choice_id == "help" or (heard.choice_id is None and _is_help(heard, words))
    return Intent(Meaning.HELP if is_help else Meaning.STILL_STOPPED)


def _stranger(heard: Heard, words: str, standing: Standing) -> Intent | None:
    return Intent(Meaning.WELCOME) if standing.state == "unknown" else None


def _media(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if heard.kind in SPOKEN_KINDS:
        return None
    may_answer = standing.state in ("active", "paused") and standing.has_open_question
    if heard.kind == "audio" and heard.has_media and may_answer:
        return Intent(Meaning.VOICE)
    return Intent(Meaning.MEDIA, heard.kind)


def _choice(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if heard.choice_id is None:
        return None
    return intent_of_choice(heard.choice_id) or Intent(Meaning.OLD_CHOICE)


def intent_of_choice(choice_id: str) -> Intent | None:
    """The meaning of a button or a row of a list; None when this version has no such one."""
    if choice_id in PLAIN_CHOICES:
        return PLAIN_CHOICES[choice_id]
    name, _, value = choice_id.partition(":")
    if name == "time":
        return Intent(Meaning.TIME, value) if is_time(value) else None
    if name == "voice":
        word, _, note = value.partition(":")
        return Intent(VOICE_CHOICES[word], note) if word in VOICE_CHOICES else None
    if name in QUESTION_CHOICES:
        return _question_choice(QUESTION_CHOICES[name], value)
    return None


def _question_choice(meaning: Meaning, value: str) -> Intent | None:
    try:
        return Intent(meaning, assignment_id=AssignmentId(UUID(value)))
    except ValueError:
        return None


def _step(heard: Heard, words: str, standing: Standing) -> Intent | None:
    """What was asked for, typed: a number, a name, a time, a city."""
    step = standing.step
    if step in ("pick_time", "ask_timezone"):
        return _typed_form(heard, words, standing)
    if (choice := choice_of_number(step, words)) is not None:
        return Intent(Meaning.IT_IS_THE_ANSWER) if choice == "answer" else _known(choice)
    if step in STEPS and (choice := STEPS[step].words.get(words)) is not None:
        return _known(choice)
    if step == "consent":
        answers = ((keywords.YES, "yes"), (keywords.NO, "no"), (keywords.MORE, "more"))
        return next((Intent(Meaning.CONSENT, v) for known, v in answers if words in known), None)
    return None


def _typed_form(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if standing.step == "pick_time":
        # WAHA shows the list with numbers; where it is a real list, `8` is an hour.
        if standing.channel == "waha" and (choice := choice_of_number("pick_time", words)):
            return _known(choice)
        if (time := parse_time(words)) is not None:
            return Intent(Meaning.TIME, time)
    elif (zone := find_zone(heard.text)) is not None:
        return Intent(Meaning.ZONE, zone)
    return None


def _known(choice: str) -> Intent:
    intent = Intent(Meaning.STOP) if choice == "stop" else intent_of_choice(choice)
    assert intent is not None, f"a step offers {choice}, which means nothing"
    return intent


def _command(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if _is_help(heard, words):
        return Intent(Meaning.HELP)
    if words in COMMANDS:
        return COMMANDS[words]
    if standing.has_open_question and words in keywords.REPEATS:
        return Intent(Meaning.QUESTION_NOW)
    if words in keywords.LANGUAGE_NAMES:
        return Intent(Meaning.LANGUAGE, keywords.LANGUAGE_NAMES[words])
    return _command_with_value(words, standing)


def _command_with_value(words: str, standing: Standing) -> Intent | None:
    if language := language_in(words):
        return Intent(Meaning.LANGUAGE, language)
    if level := level_in(words):
        return Intent(Meaning.LEVEL, level)
    if (written := time_in(words)) is not None:
        time = parse_time(written)
        return Intent(Meaning.TIME, time) if time else _unless_open(Meaning.BAD_TIME, standing)
    if len(words) <= SHORT and (found := ZONE_COMMAND.fullmatch(words)):
        zone = find_zone(found["rest"])
        return Intent(Meaning.ZONE, zone) if zone else _unless_open(Meaning.BAD_ZONE, standing)
    return None


def _unless_open(meaning: Meaning, standing: Standing) -> Intent | None:
    return None if standing.has_open_question else Intent(meaning)


def _signup(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if standing.state != "pending":
        return None
    if words in keywords.CONFIRMS:
        return Intent(Meaning.SIGNUP_CONFIRM)
    return Intent(Meaning.SIGNUP_NOT_ME if words in keywords.NOT_ME else Meaning.SIGNUP_UNDECIDED)


def _unfinished_form(heard: Heard, words: str, standing: Standing) -> Intent | None:
    """An attempt that failed is told so; what looks like an answer to a question passes."""
    is_attempt = len(words) <= SHORT and not standing.has_open_question
    if standing.step == "pick_time" and (is_attempt or BARE_TIME.fullmatch(words)):
        return Intent(Meaning.BAD_TIME)
    if standing.step == "ask_timezone" and (is_attempt or len(words.split()) <= 3):
        return Intent(Meaning.BAD_ZONE)
    return Intent(Meaning.NEXT_STEP) if standing.state == "onboarding" else None


def _idle_command(heard: Heard, words: str, standing: Standing) -> Intent | None:
    if standing.has_open_question:
        return None
    if words in IDLE_COMMANDS:
        return IDLE_COMMANDS[words]
    if not words.isdecimal() and BARE_TIME.fullmatch(words) and (time := parse_time(words)):
        return Intent(Meaning.TIME, time)
    return None


def _is_help(heard: Heard, words: str) -> bool:
    return words in keywords.HELPS or heard.text.strip() == "?"


def _table(*rows: tuple[frozenset[str], Meaning]) -> dict[str, Intent]:
    return {word: Intent(meaning) for words, meaning in rows for word in words}


COMMANDS = _table(
    (keywords.MENUS, Meaning.MENU),
    (keywords.QUESTIONS_NOW, Meaning.QUESTION_NOW),
    (keywords.HINTS, Meaning.HINT),
    (keywords.SKIPS, Meaning.SKIP),
    (keywords.DONT_KNOWS, Meaning.DONT_KNOW),
    (keywords.MODEL_ANSWERS, Meaning.MODEL_ANSWER),
    (keywords.DISPUTES, Meaning.DISPUTE),
    (keywords.TRACKS, Meaning.ASK_TRACK),
    (keywords.LEVELS, Meaning.ASK_LEVEL),
    (keywords.SCHEDULES, Meaning.ASK_TIME),
    (keywords.LANGUAGES, Meaning.ASK_LANGUAGE),
    (keywords.ZONE_CHANGES, Meaning.ASK_ZONE),
)
IDLE_COMMANDS = _table(
    (keywords.IDLE_HELPS, Meaning.HELP),
    (keywords.IDLE_MENUS, Meaning.MENU),
    (keywords.IDLE_QUESTIONS_NOW, Meaning.QUESTION_NOW),
    (keywords.IDLE_SCHEDULES, Meaning.ASK_TIME),
)
PLAIN_CHOICES: dict[str, Intent] = {
    **{f"lang:{code}": Intent(Meaning.LANGUAGE, code) for code in ("pt", "en", "es")},
    **{f"consent:{word}": Intent(Meaning.CONSENT, word) for word in ("yes", "no", "more")},
    **{
        f"track:{track}": Intent(Meaning.TRACK, track)
        for track in ("python", "javascript", "ruby", "dsa", "mixed")
    },
    **{f"level:{level}": Intent(Meaning.LEVEL, level) for level in "123"},
    "tz:change": Intent(Meaning.ASK_ZONE),
    "signup:confirm": Intent(Meaning.SIGNUP_CONFIRM),
    "signup:notme": Intent(Meaning.SIGNUP_NOT_ME),
    "question:now": Intent(Meaning.QUESTION_NOW),
    "menu": Intent(Meaning.MENU),
    "tracks": Intent(Meaning.ASK_TRACK),
    "level": Intent(Meaning.ASK_LEVEL),
    "schedule": Intent(Meaning.ASK_TIME),
    "language": Intent(Meaning.ASK_LANGUAGE),
    "help": Intent(Meaning.HELP),
}
VOICE_CHOICES = {"send": Meaning.VOICE_SEND, "discard": Meaning.VOICE_DISCARD}
QUESTION_CHOICES = {
    "hint": Meaning.HINT,
    "skip": Meaning.SKIP,
    "dontknow": Meaning.DONT_KNOW,
    "model": Meaning.MODEL_ANSWER,
    "dispute": Meaning.DISPUTE,
    "answer": Meaning.IT_IS_THE_ANSWER,
}
RULES: tuple[Rule, ...] = (
    _silence,
    _stop,
    _gate,
    _stranger,
    _media,
    _choice,
    _step,
    _command,
    _signup,
    _unfinished_form,
    _idle_command,
)
