"""What to do with a message when nobody can tell whether it left."""

from datetime import timedelta
from enum import StrEnum

STATUS_WITHIN = timedelta(seconds=90)
"""A message that did leave has a status by then."""

CRASHED_AFTER = timedelta(seconds=60)
"""An attempt without an outcome for so long has lost its process."""

NOT_THERE_AFTER = timedelta(seconds=30)
"""WAHA: a send that cannot be looked up by then has not left."""

LOOKED_UP = frozenset({"waha"})
"""Channels that can be asked about a send in doubt: there the answer decides, not the time."""

LOOKED_UP_WITHIN = timedelta(days=1)
"""Then time decides after all: the channel may have been given up."""

SAME_ID_RESENDS = 3
"""A resend under the same id is one message more at the worst, and mostly the same one."""


class WhenUnknown(StrEnum):
    RESEND_ONCE = "resend_once"
    GIVE_UP = "give_up"


TEMPLATES = WhenUnknown.GIVE_UP
"""Each one is paid for, and reaches a person who has not written: rather never than twice."""

FREE_FORM = WhenUnknown.RESEND_ONCE
"""Inside the window, and mostly awaited: rather twice than never."""

BY_KIND: dict[str, WhenUnknown] = {
    # Said to somebody who left and wrote again: they know already, and a second one annoys.
    "still_stopped": WhenUnknown.GIVE_UP,
}
"""Where a kind differs from the other free-form messages. A question, with or without an answer
to come, is free-form while the window is open, and a template (`daily_ready`) outside it."""


def when_not_there(kind: str, *, resends: int) -> WhenUnknown:
    """Where WhatsApp can be asked: it does not have the message."""
    if resends >= SAME_ID_RESENDS:
        return WhenUnknown.GIVE_UP
    return BY_KIND.get(kind, FREE_FORM)


def when_unknown(kind: str, *, is_template: bool, resends: int) -> WhenUnknown:
    if is_template:
        return TEMPLATES
    if resends > 0:
        return WhenUnknown.GIVE_UP
    return BY_KIND.get(kind, FREE_FORM)
