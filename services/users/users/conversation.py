"""What we do about an intent: the person as they become, and what is said or handed on.

Every function here is `(intent, situation) -> Outcome`, one for each meaning; see ANSWERS.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast, get_args
from uuid import UUID

from common.events import Language, ReplyKind, Track, UserState
from common.ids import AssignmentId
from users import people, voice_notes
from users.dialogues import opened
from users.exchange import HandOn, Outcome, Reply, Situation, hand_on, remark, say, silence
from users.people import Person
from users.understanding import Intent, Meaning
from users.zones import zone_of_number

ALL_TRACKS: tuple[Track, ...] = get_args(Track)
QUOTED_LENGTH = 200


def respond(intent: Intent, situation: Situation) -> Outcome:
    return ANSWERS[intent.meaning](intent, situation)


def _silence(intent: Intent, situation: Situation) -> Outcome:
    return silence(situation)


# STOP and START


def _stop(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    if person.state in ("opted_out", "declined"):
        return Outcome(person)
    reply = Reply("stopped", purpose="stop_confirmation")
    return Outcome(people.opted_out(person), reply, consent=False)


def _ask_stop_or_answer(intent: Intent, situation: Situation) -> Outcome:
    assert situation.open_question is not None
    data = {"text": situation.text, "a": str(situation.open_question)}
    shown = {"text": situation.text.strip()[:QUOTED_LENGTH], "a": data["a"]}
    person = situation.person
    return Outcome(
        person,
        Reply("stop_or_answer", shown),
        dialogue=opened("stop_or_answer", person.state, situation.now, data),
    )


def _submit_kept_answer(intent: Intent, situation: Situation) -> Outcome:
    """The tap carries no text: the answer is what was written before we asked."""
    dialogue = situation.dialogue
    if dialogue is None or dialogue.step != "stop_or_answer":
        return remark(situation, "fallback")
    kept = AssignmentId(UUID(dialogue.data["a"]))
    if intent.assignment_id not in (None, kept):
        return remark(situation, "fallback")
    return hand_on(situation, HandOn("text", dialogue.data["text"], kept))


def _say_still_stopped(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    if not people.may_say_still_stopped(person, situation.now):
        return Outcome(person)
    told = replace(person, last_still_stopped_at=situation.now)
    return Outcome(told, Reply("still_stopped", purpose="stop_confirmation"))


def _start(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    if person.state == "paused":
        return _restart(person, situation.now)
    if person.state == "opted_out" and person.preferences is not None:
        agreed = replace(person, consented_at=situation.now)
        return replace(_restart(agreed, situation.now), consent=True)
    return _welcome(intent, situation)


def _restart(person: Person, now: datetime) -> Outcome:
    back = people.restarted(person, now)
    values = {"track": back.track_value, "time": back.time_of_day or ""}
    return say(back, now, "restarted", values)


# Signing up


def _welcome(intent: Intent, situation: Situation) -> Outcome:
    return say(people.moved(situation.person, "onboarding"), situation.now, "welcome")


def _next_step(intent: Intent, situation: Situation) -> Outcome:
    """Nothing was understood: ask again for what is asked for."""
    if situation.dialogue is not None and situation.dialogue.step == "welcome":
        return say(situation.person, situation.now, "welcome")
    return _advance(situation.person, situation.now)


def _advance(person: Person, now: datetime) -> Outcome:
    """Ask for the first thing that is missing; when nothing is, the person has arrived."""
    if person.consented_at is None:
        return say(person, now, "consent")
    if not person.tracks:
        return say(person, now, "pick_track")
    if person.level is None:
        return say(person, now, "pick_level")
    if person.time_of_day is None:
        return _ask_time_of(person, now)
    return _arrive(person, now)


def _arrive(person: Person, now: datetime) -> Outcome:
    active = people.moved(person, "active")
    values = {
        "track": active.track_value,
        "time": active.time_of_day or "",
        "tz_label": active.timezone or "",
    }
    return say(active, now, "onboarding_done", values)


def _zone_of(person: Person) -> str:
    return person.timezone or zone_of_number(person.number, person.language)


def _ask_time_of(person: Person, now: datetime) -> Outcome:
    zoned = replace(person, timezone=_zone_of(person))
    return say(zoned, now, "pick_time", {"tz_label": zoned.timezone or ""})


def _consent(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    if intent.value == "no" and person.state != "onboarding":
        return _stop(intent, situation)
    if person.state == "pending":
        return _ask_to_confirm(intent, situation)
    if intent.value == "more":
        return remark(situation, "consent_more")
    if person.state != "onboarding":
        return _show_menu(intent, situation)
    if intent.value == "no":
        refused = people.without_profile(people.moved(person, "declined"))
        return replace(say(refused, situation.now, "consent_declined"), consent=False)
    if person.consented_at is not None:
        return _advance(person, situation.now)
    agreed = replace(person, consented_at=situation.now)
    return replace(_advance(agreed, situation.now), consent=True)


def _confirm_signup(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    if person.state != "pending":
        return _show_menu(intent, situation)
    confirmed = replace(person, consented_at=situation.now)
    return replace(_arrive(confirmed, situation.now), consent=True)


def _erase(intent: Intent, situation: Situation) -> Outcome:
    """Whoever has confirmed before is stopped, not erased: the tap may be an old one."""
    if situation.person.state != "pending":
        return _stop(intent, situation)
    return Outcome(people.deleted(situation.person), consent=False)


def _ask_to_confirm(intent: Intent, situation: Situation) -> Outcome:
    person = situation.person
    date = people.signup_date(person, person.last_confirmation_at or person.created_at)
    return say(person, situation.now, "confirm_signup", {"date": date})


# Preferences: the same choices while signing up and later


def _set_language(intent: Intent, situation: Situation) -> Outcome:
    person = replace(situation.person, language=cast("Language", intent.value))
    if person.state == "pending":
        return _ask_to_confirm(intent, replace(situation, person=person))
    if person.state == "onboarding":
        return _advance(person, situation.now)
    return say(person, situation.now, "language_set")


def _set_track(intent: Intent, situation: Situation) -> Outcome:
    tracks = ALL_TRACKS if intent.value == "mixed" else (cast("Track", intent.value),)
    person = replace(situation.person, tracks=tracks)
    return _settled(situation, person, "track_set", {"track": person.track_value})


def _set_level(intent: Intent, situation: Situation) -> Outcome:
    person = replace(situation.person, level=int(intent.value))
    return _settled(situation, person, "level_set", {"level": intent.value})


def _set_time(intent: Intent, situation: Situation) -> Outcome:
    person = replace(situation.person, time_of_day=intent.value)
    zoned = replace(person, timezone=_zone_of(person))
    return _settled(situation, zoned, "time_set", _time_values(zoned))


def _set_zone(intent: Intent, situation: Situation) -> Outcome:
    person = replace(situation.person, timezone=intent.value)
    return _settled(situation, person, "time_set", _time_values(person))


def _settled(situation: Situation, person: Person, kind: str, values: Mapping[str, str]) -> Outcome:
    """A preference is kept once there is consent; then the sign-up goes on, or is told `kind`."""
    if person.state == "pending":
        return _ask_to_confirm(Intent(Meaning.SIGNUP_UNDECIDED), situation)
    if person.consented_at is None:
        return _advance(situation.person, situation.now)
    if person.state == "onboarding":
        return _advance(person, situation.now)
    return say(person, situation.now, kind, values)


def _time_values(person: Person) -> dict[str, str]:
    return {"time": person.time_of_day or "", "tz_label": person.timezone or ""}


def _ask_time(intent: Intent, situation: Situation) -> Outcome:
    return _ask_time_of(situation.person, situation.now)


def _ask_zone(intent: Intent, situation: Situation) -> Outcome:
    if situation.person.state == "pending":
        return _ask_to_confirm(intent, situation)
    if situation.person.consented_at is None:
        return _next_step(intent, situation)
    return say(situation.person, situation.now, "ask_timezone")


# What is only said


def _show_menu(intent: Intent, situation: Situation) -> Outcome:
    return say(situation.person, situation.now, "menu")


def _help(intent: Intent, situation: Situation) -> Outcome:
    is_stopped = situation.person.state == "opted_out"
    outcome = remark(situation, "help")
    reply = Reply("help", purpose="stop_confirmation" if is_stopped else "reply")
    return replace(outcome, reply=reply)


def _media(intent: Intent, situation: Situation) -> Outcome:
    return remark(situation, "media_unsupported", {"media": intent.value})


def _saying(kind: str) -> "Answer":
    return lambda intent, situation: say(situation.person, situation.now, kind)


def _remarking(kind: str) -> "Answer":
    return lambda intent, situation: remark(situation, kind)


def _handing_on(kind: ReplyKind) -> "Answer":
    def answer(intent: Intent, situation: Situation) -> Outcome:
        assignment_id = intent.assignment_id or situation.open_question
        return hand_on(situation, HandOn(kind, assignment_id=assignment_id))

    return answer


def _dispute(intent: Intent, situation: Situation) -> Outcome:
    """Said in words, it is about the last score, never about the question that is open."""
    return hand_on(situation, HandOn("dispute", assignment_id=intent.assignment_id))


def _reply(intent: Intent, situation: Situation) -> Outcome:
    return hand_on(situation, HandOn("text", situation.text))


def _while_signing_up(otherwise: "Answer") -> "Answer":
    """Questions and menus are for those who have arrived."""

    def answer(intent: Intent, situation: Situation) -> Outcome:
        before: dict[UserState, Answer] = {
            "onboarding": _next_step,
            "pending": _ask_to_confirm,
        }
        return before.get(situation.person.state, otherwise)(intent, situation)

    return answer


Answer = Callable[[Intent, Situation], Outcome]

ANSWERS: dict[Meaning, Answer] = {
    Meaning.STOP: _stop,
    Meaning.STOP_OR_ANSWER: _ask_stop_or_answer,
    Meaning.IT_IS_THE_ANSWER: _while_signing_up(_submit_kept_answer),
    Meaning.STILL_STOPPED: _say_still_stopped,
    Meaning.IGNORED: _silence,
    Meaning.WELCOME: _welcome,
    Meaning.START: _start,
    Meaning.HELP: _help,
    Meaning.MENU: _while_signing_up(_show_menu),
    Meaning.MEDIA: _media,
    Meaning.LANGUAGE: _set_language,
    Meaning.CONSENT: _consent,
    Meaning.TRACK: _set_track,
    Meaning.LEVEL: _set_level,
    Meaning.TIME: _set_time,
    Meaning.ZONE: _set_zone,
    Meaning.BAD_TIME: _remarking("time_bad"),
    Meaning.BAD_ZONE: _remarking("timezone_bad"),
    Meaning.ASK_LANGUAGE: _saying("pick_language"),
    Meaning.ASK_TRACK: _while_signing_up(_saying("pick_track")),
    Meaning.ASK_LEVEL: _while_signing_up(_saying("pick_level")),
    Meaning.ASK_TIME: _while_signing_up(_ask_time),
    Meaning.ASK_ZONE: _ask_zone,
    Meaning.SIGNUP_CONFIRM: _confirm_signup,
    Meaning.SIGNUP_NOT_ME: _erase,
    Meaning.SIGNUP_UNDECIDED: _ask_to_confirm,
    Meaning.NEXT_STEP: _next_step,
    Meaning.HINT: _while_signing_up(_handing_on("hint")),
    Meaning.SKIP: _while_signing_up(_handing_on("skip")),
    Meaning.DONT_KNOW: _while_signing_up(_handing_on("dont_know")),
    Meaning.MODEL_ANSWER: _while_signing_up(_handing_on("model_answer")),
    Meaning.DISPUTE: _while_signing_up(_dispute),
    Meaning.VOICE: voice_notes.ask_for_transcript,
    Meaning.VOICE_SEND: _while_signing_up(voice_notes.send_note),
    Meaning.VOICE_DISCARD: _while_signing_up(voice_notes.discard_note),
    Meaning.QUESTION_NOW: _while_signing_up(_handing_on("question_now")),
    Meaning.REPLY: _while_signing_up(_reply),
    Meaning.OLD_CHOICE: _while_signing_up(_remarking("fallback")),
}
