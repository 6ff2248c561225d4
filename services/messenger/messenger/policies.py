"""What to do with a message when nobody can tell whether it left."""

from datetime import timedelta
from enum import StrEnum

STATUS_WITHIN = timedelta(seconds=90)
"""A message that did leave has a status by then."""

CRASHED_AFTER = timedelta(seconds=60)
"""An attempt without an outcome for so long has lost its process."""


class WhenUnknown(StrEnum):
    RESEND_ONCE = "resend_once"
    GIVE_UP = "give_up"


TEMPLATES = WhenUnknown.GIVE_UP
"""Each one is paid for, and reaches a person who has not written: rather never than twice."""

FREE_FORM = WhenUnknown.RESEND_ONCE
"""A person waits for it: rather twice than never."""

BY_KIND: dict[str, WhenUnknown] = {"still_stopped": WhenUnknown.GIVE_UP}


def when_unknown(kind: str, *, is_template: bool, resends: int) -> WhenUnknown:
    if is_template or resends > 0:
        return WhenUnknown.GIVE_UP
    return BY_KIND.get(kind, FREE_FORM)
