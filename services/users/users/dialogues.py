"""The table of what a person may do next: a step is the kind of the message last shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.events import UserState
from users.keywords import NO, YES

EDIT_LIFETIME = timedelta(minutes=30)
"""A form opened from the menu: later, a number or a name is more likely something else."""

SHORTCUT_LIFETIME = timedelta(minutes=10)
STAY_LIFETIME = timedelta(days=30)
"""Nothing else is expected of somebody who has not finished signing up."""

LANGUAGES = ("lang:pt", "lang:en", "lang:es")
QUESTION_OR_MENU = ("question:now", "menu")
TIMES = ("07:00", "08:00", "09:00", "10:00", "12:30", "18:00", "20:00", "21:30")


@dataclass(frozen=True)
class Step:
    options: tuple[str, ...] = ()
    """The choices in the order in which they are shown; a typed number picks one."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Typed words that stand for a choice."""
    lifetime: timedelta = SHORTCUT_LIFETIME


@dataclass(frozen=True)
class Dialogue:
    step: str
    expires_at: datetime
    data: Mapping[str, str] = field(default_factory=dict)


TRACK_WORDS = {
    "python": "track:python",
    **dict.fromkeys(("javascript", "js", "java script"), "track:javascript"),
    "ruby": "track:ruby",
    **dict.fromkeys(
        ("dsa", "algorithms", "algorithms (dsa", "algoritmos", "algoritmos (dsa"), "track:dsa"
    ),
    **dict.fromkeys(("mixed", "mix", "misturado", "mixto"), "track:mixed"),
}
LEVEL_WORDS = {
    **dict.fromkeys(("junior", "jr"), "level:1"),
    **dict.fromkeys(("pleno", "mid", "mid level", "intermedio", "intermediate"), "level:2"),
    **dict.fromkeys(("senior", "sr"), "level:3"),
}

VOICE_LIFETIME = timedelta(hours=24)
VOICE_WORDS = {
    **dict.fromkeys(YES, "voice:send"),
    **dict.fromkeys(
        ("send", "send it", "send as my answer", "enviar", "envia", "envie", "manda"), "voice:send"
    ),
    **dict.fromkeys(
        ("enviar como resposta", "enviar resposta", "enviar respuesta", "enviala"), "voice:send"
    ),
    **dict.fromkeys(NO, "voice:discard"),
    **dict.fromkeys(
        ("discard", "delete", "descartar", "descarta", "apagar", "borrar"), "voice:discard"
    ),
}

STEPS: dict[str, Step] = {
    "welcome": Step(LANGUAGES, lifetime=EDIT_LIFETIME),
    "pick_language": Step(LANGUAGES, lifetime=EDIT_LIFETIME),
    "consent": Step(("consent:yes", "consent:no", "consent:more"), lifetime=EDIT_LIFETIME),
    "pick_track": Step(
        ("track:python", "track:javascript", "track:ruby", "track:dsa", "track:mixed"),
        TRACK_WORDS,
        EDIT_LIFETIME,
    ),
    "pick_level": Step(("level:1", "level:2", "level:3"), LEVEL_WORDS, EDIT_LIFETIME),
    "pick_time": Step((*(f"time:{time}" for time in TIMES), "tz:change"), lifetime=EDIT_LIFETIME),
    "ask_timezone": Step(lifetime=EDIT_LIFETIME),
    "confirm_signup": Step(("signup:confirm", "signup:notme"), lifetime=EDIT_LIFETIME),
    "stop_or_answer": Step(("answer", "stop"), lifetime=timedelta(hours=24)),
    "voice_pending": Step(lifetime=VOICE_LIFETIME),
    "voice_heard": Step(("voice:send", "voice:discard"), VOICE_WORDS, VOICE_LIFETIME),
    "onboarding_done": Step(QUESTION_OR_MENU),
    "restarted": Step(QUESTION_OR_MENU),
    "menu": Step(("question:now", "tracks", "level", "schedule", "language", "help")),
}


def opened(
    kind: str, state: UserState, now: datetime, data: Mapping[str, str] | None = None
) -> Dialogue | None:
    """Where the conversation stands once `kind` was said; None when that expects nothing."""
    if (step := STEPS.get(kind)) is None:
        return None
    is_signing_up = state in ("onboarding", "pending")
    lifetime = STAY_LIFETIME if is_signing_up else step.lifetime
    return Dialogue(kind, now + lifetime, data or {})


def choice_of_number(step: str | None, words: str) -> str | None:
    """The option that a typed number picks."""
    options = STEPS[step].options if step in STEPS else ()
    if not words.isdecimal() or not 1 <= int(words) <= len(options):
        return None
    return options[int(words) - 1]
