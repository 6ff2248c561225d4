"""What each error code of the Cloud API means for us. The codes are Meta's; the actions are ours.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Action(StrEnum):
    RETRY = "retry"
    """Passing trouble on their side: again after a pause, a few times."""
    PACE = "pace"
    """We are too fast: again, everything slower for a while."""
    DROP = "drop"
    """This message will never be taken."""
    TEMPLATE = "template"
    """The 24-hour window is closed."""
    PERSON = "person"
    """Too many messages to this one person: theirs wait."""
    PAUSE = "pause"
    """Nothing can be sent from this number: all of it waits, a probe finds the end of it."""
    FIX = "fix"
    """Our own mistake, in code or configuration: dropped, and somebody is told."""


@dataclass(frozen=True)
class Rule:
    action: Action
    reason: str = ""
    tries: int = 5
    pause: timedelta = timedelta(seconds=1)


def _rules(action: Action, codes: Iterable[int]) -> dict[int, Rule]:
    return {code: Rule(action) for code in codes}


RULES: dict[int, Rule] = {
    **_rules(Action.RETRY, (1, 2, 131000, 131016, 131053, 132069, 133004)),
    135000: Rule(Action.RETRY, tries=2),
    131057: Rule(Action.RETRY, pause=timedelta(minutes=1)),
    **_rules(Action.PACE, (4, 17, 613, 80007, 130429, 131048, 133016)),
    **_rules(Action.DROP, (130472, 130497, 131021, 131026, 131049, 131062, 132068)),
    131050: Rule(Action.DROP, "person_stopped"),
    131047: Rule(Action.TEMPLATE, "window_closed"),
    470: Rule(Action.TEMPLATE, "window_closed"),
    131056: Rule(Action.PERSON),
    **_rules(Action.PAUSE, (0, 190)),
    **_rules(Action.PAUSE, (3, 10, *range(200, 300), 131005)),
    **_rules(Action.PAUSE, (33, 368, 131031, 131037, 131042, 131044, 131045)),
    **_rules(Action.PAUSE, (133000, 133005, 133006, 133008, 133009, 133010, 133015)),
    **_rules(Action.FIX, (100, 131008, 131009, 131030, 131051, 131052, 131063, 131064)),
    **_rules(Action.FIX, (132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018)),
    **_rules(Action.FIX, (134011, 137000)),
}

TRANSIENT = Rule(Action.RETRY)
TOO_MANY_REQUESTS = Rule(Action.PACE)
STRANGE_ANSWER = Rule(Action.RETRY)
UNKNOWN_REFUSAL = Rule(Action.FIX)


def rule_for(code: int | None, *, http_status: int, is_transient: bool = False) -> Rule:
    """Branches on the code: the HTTP status of one code varies between sources."""
    if code is not None and code in RULES:
        return RULES[code]
    if is_transient:
        return TRANSIENT
    if http_status == 429:
        return TOO_MANY_REQUESTS
    # Not Meta's words but a proxy's, perhaps: too little to give a message up for.
    return STRANGE_ANSWER if code is None else UNKNOWN_REFUSAL


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
