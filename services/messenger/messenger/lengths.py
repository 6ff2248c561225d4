"""WhatsApp's limits, and cutting to them. Counted in UTF-16, the strictest way to count."""

import re
from collections.abc import Mapping

TEXT = 4096
INTERACTIVE_BODY = 1024
TEMPLATE_BODY = 1024
CAPTION = 1024
BUTTON_TITLE = 20
BUTTONS = 3
OPTION_ID = 200
ROWS = 10
ROW_TITLE = 24
ROW_DESCRIPTION = 72
SECTION_TITLE = 24
FOOTER = 60
TEMPLATE_BUTTON = 25
PARAMETER = 300

ELLIPSIS = "…"
FENCE = "```"
_LOOSE_END = re.compile(r"[\s\u200d\ufe0f,;:]+$")
_MIN_WORD_CUT = 0.6  # of the room: a text without spaces is cut inside a word


def units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """At most `limit` units: whole words and an ellipsis. A code block that is cut stays one."""
    if units(text) <= limit:
        return text
    head = _cut_words(text, limit - 1)
    if head.count(FENCE) % 2:
        head = _cut_words(text, limit - 2 - len(FENCE))
        if head.count(FENCE) % 2:
            return f"{head}{ELLIPSIS}\n{FENCE}"
    return head + ELLIPSIS if limit > 0 else ""


def share(lengths: Mapping[str, int], room: int) -> dict[str, int]:
    """How much of `room` each text gets: short ones all they need, long ones equal parts."""
    shares: dict[str, int] = {}
    left = max(room, 0)
    for waiting, (name, length) in zip(
        range(len(lengths), 0, -1),
        sorted(lengths.items(), key=lambda item: item[1]),
        strict=True,
    ):
        shares[name] = min(length, left // waiting)
        left -= shares[name]
    return shares


def _cut_words(text: str, limit: int) -> str:
    head = cut_anywhere(text, max(limit, 0))
    space = max(head.rfind(" "), head.rfind("\n"))
    if space >= len(head) * _MIN_WORD_CUT:
        head = head[:space]
    return _LOOSE_END.sub("", head)


def cut_anywhere(text: str, limit: int) -> str:
    head = text[:limit]
    while units(head) > limit:
        head = head[: len(head) - max(1, (units(head) - limit) // 2)]
    return head
