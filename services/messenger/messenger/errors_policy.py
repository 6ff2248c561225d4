"""What each error code of the Cloud API means for us. The codes are Meta's; the actions are ours.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from messenger.channels.waha_codes import WahaCode


class Action(StrEnum):
    """What becomes of the message that was refused."""

    RETRY = "retry"
    """Passing trouble on their side: again after a pause, a few times."""
    PACE = "pace"
    """We are too fast: again, everything slower for a while."""
    DROP = "drop"
    """This message will never be taken."""
    TEMPLATE = "template"
    """The 24-hour window is closed: once more, as a template."""
    LANGUAGE = "language"
    """Not approved in this language: once more in the fallback language, then as `PAUSE`."""
    PERSON = "person"
    """Too many messages to this one person: theirs wait."""
    PAUSE = "pause"
    """It waits with everything else of the scope; a probe, or news, finds the end of it."""
    FIX = "fix"
    """Our own mistake, in code or configuration: dropped, and somebody is told."""


class Scope(StrEnum):
    """How much a pause holds back. What is held stays in the queue."""

    ALL = "all"
    DAILY = "daily"
    """What nobody asked for; replies go on at a low rate."""
    TEMPLATES = "templates"
    TEMPLATE = "template"
    """One template: written as `template:<name>`."""


class Person(StrEnum):
    """What the refusal says about the person, besides the message."""

    QUIET = "quiet"
    """Nothing proactive for a day."""
    UNREACHABLE = "unreachable"
    """On three days: nothing proactive until they write."""
    WINDOW_CLOSED = "window_closed"
    """We took their window for open."""


@dataclass(frozen=True)
class Probing:
    """When one message tries whether a pause is over: at first, then at doubling intervals."""

    first: timedelta
    longest: timedelta


SOON = Probing(timedelta(seconds=30), timedelta(minutes=10))
CALLS = Probing(timedelta(minutes=5), timedelta(hours=1))
SPAM = Probing(timedelta(hours=1), timedelta(hours=12))
QUALITY = Probing(timedelta(hours=6), timedelta(hours=24))
REGISTRATION = Probing(timedelta(hours=72), timedelta(hours=72))


@dataclass(frozen=True)
class Rule:
    action: Action
    reason: str = ""
    """For MessageFailed; without one, Meta's code is told."""
    tries: int = 5
    pause: timedelta = timedelta(seconds=1)
    scope: Scope | None = None
    """What else is held back from now on."""
    probing: Probing | None = None
    """Without it, only news ends the pause."""
    person: Person | None = None
    needs_fix: bool = False
    """Somebody has to do something about it."""


def _rules(rule: Rule, codes: Iterable[int]) -> dict[int, Rule]:
    return dict.fromkeys(codes, rule)


AUTHORITY = Rule(Action.PAUSE, scope=Scope.ALL, probing=SOON, needs_fix=True)
"""Token, permission, account, payment, number: nothing leaves until somebody has mended it."""
APP_CALLS = Rule(Action.PAUSE, scope=Scope.ALL, probing=CALLS)
"""The hourly limit of the app or the account, whatever is called: minutes to an hour."""
WRONG_PARAMETERS = Rule(Action.FIX, scope=Scope.TEMPLATE, probing=QUALITY, needs_fix=True)
"""Every message of this template would be refused in the same way."""
STOPPED_TEMPLATE = Rule(Action.PAUSE, scope=Scope.TEMPLATE, probing=QUALITY, needs_fix=True)
DROPPED = Rule(Action.DROP)
MISTAKE = Rule(Action.FIX, needs_fix=True)
CLOSED_WINDOW = Rule(Action.TEMPLATE, "window_closed", person=Person.WINDOW_CLOSED)
NOT_REACHED = Rule(Action.DROP, person=Person.UNREACHABLE)
"""Not on WhatsApp, an old app, blocked us, a country with restrictions: it may be passing."""

WAHA_RULES: dict[int, Rule] = {
    WahaCode.STARTING: Rule(Action.RETRY, "session_starting", tries=20, pause=timedelta(seconds=5)),
    WahaCode.SCAN_QR_CODE: replace(AUTHORITY, reason="session_unlinked"),
    WahaCode.FAILED: replace(AUTHORITY, reason="session_failed", needs_fix=False),
    WahaCode.STOPPED: replace(AUTHORITY, reason="session_stopped", needs_fix=False),
    WahaCode.NOT_WORKING: replace(AUTHORITY, reason="session_not_working", needs_fix=False),
    WahaCode.UNAUTHORISED: replace(AUTHORITY, reason="waha_unauthorised"),
    WahaCode.NO_SESSION: replace(AUTHORITY, reason="no_session"),
    WahaCode.NOT_UNDERSTOOD: replace(MISTAKE, reason="waha_refused"),
    WahaCode.NOT_ON_WHATSAPP: replace(NOT_REACHED, reason="not_on_whatsapp"),
}
"""The supervisor starts what failed or stopped; only a person can link a phone."""

RULES: dict[int, Rule] = {
    **WAHA_RULES,
    # Passing trouble.
    **_rules(Rule(Action.RETRY), (1, 2, 131000, 131016, 132069, 133004)),
    131053: Rule(Action.RETRY, tries=3),  # an upload that failed
    135000: Rule(Action.RETRY, tries=2, needs_fix=True),  # says nothing; mostly our parameters
    131057: Rule(Action.RETRY, pause=timedelta(minutes=1)),  # the number is being upgraded
    # Too much, too fast.
    130429: Rule(Action.PACE),
    **_rules(APP_CALLS, (4, 17, 613, 80007)),
    133016: Rule(Action.PAUSE, scope=Scope.ALL, probing=REGISTRATION, needs_fix=True),
    131056: Rule(Action.PERSON),
    # The number is taken for a spammer. Trying again makes it worse, so the probes are far apart.
    131048: Rule(Action.PAUSE, scope=Scope.DAILY, probing=SPAM, needs_fix=True),
    # The person.
    **_rules(CLOSED_WINDOW, (131047, 470)),
    131050: Rule(Action.DROP, "person_stopped"),
    131049: Rule(Action.DROP, person=Person.QUIET),
    **_rules(NOT_REACHED, (131026, 130497)),
    **_rules(DROPPED, (130472, 131021, 131062, 132068)),
    # The token, the account, the number.
    **_rules(AUTHORITY, (0, 190)),
    **_rules(AUTHORITY, (3, 10, *range(200, 300), 131005)),
    **_rules(AUTHORITY, (33, 368, 131031, 131037, 131042, 131044, 131045)),
    **_rules(AUTHORITY, (133000, 133005, 133006, 133007, 133008, 133009, 133010, 133015)),
    # Templates.
    131064: Rule(Action.PAUSE, scope=Scope.TEMPLATES, probing=QUALITY, needs_fix=True),
    132001: replace(STOPPED_TEMPLATE, action=Action.LANGUAGE),
    **_rules(STOPPED_TEMPLATE, (132007, 132015)),
    132016: replace(STOPPED_TEMPLATE, probing=None),  # disabled for good
    **_rules(WRONG_PARAMETERS, (132000, 132005, 132008, 132012, 132018)),
    # Our own mistakes.
    **_rules(MISTAKE, (100, 131008, 131009, 131030, 131051, 131052, 131063, 134011, 137000)),
}

TRANSIENT = Rule(Action.RETRY)
TOO_MANY_REQUESTS = Rule(Action.PACE)
STRANGE_ANSWER = Rule(Action.RETRY)
UNKNOWN_REFUSAL = MISTAKE
SERVER_ERROR = 500


def rule_for(code: int | None, *, http_status: int, is_transient: bool = False) -> Rule:
    """Branches on the code: the HTTP status of one code varies between sources."""
    if code is not None and code in RULES:
        return RULES[code]
    if is_transient:
        return TRANSIENT
    if http_status == 429:
        return TOO_MANY_REQUESTS
    # Not Meta's words but a proxy's, perhaps: too little to give a message up for.
    is_strange = code is None or http_status >= SERVER_ERROR
    return STRANGE_ANSWER if is_strange else UNKNOWN_REFUSAL


def rule_for_failure(code: int | None) -> Rule:
    """For a message that was taken and failed afterwards."""
    return RULES.get(code, DROPPED) if code is not None else DROPPED


def reason_for(code: int | None) -> str:
    """What MessageFailed tells: one of our words, or Meta's code."""
    if code is None:
        return "refused"
    rule = RULES.get(code)
    return rule.reason if rule and rule.reason else f"whatsapp_{code}"


def label_for(code: int | None) -> str:
    """A metric label: never more values than there are rules."""
    if code is None:
        return ""
    return str(code) if code in RULES else "other"
