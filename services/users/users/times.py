"""A time of day as people write it, and as we keep it: HH:MM."""

import re

KEPT = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
WRITTEN = re.compile(
    r"(?P<hour>\d{1,2})"
    r"(?:\s?[:.h]\s?(?P<minute>\d{2})|\s?(?:h|hs|horas|hrs))?"
    r"(?P<half>\s(?:e|y) (?:meia|media))?"
    r"(?:\s?(?P<half_day>am|pm|a\.m|p\.m))?"
)
LEADING = re.compile(r"^(?:(?:at|as|a las|a la|las|la|a|para|pra|to)\s+)+")
NAMED = {
    **dict.fromkeys(("noon", "midday", "meio dia", "mediodia"), "12:00"),
    **dict.fromkeys(("midnight", "meia noite", "medianoche"), "00:00"),
}


def is_time(value: str) -> bool:
    return KEPT.fullmatch(value) is not None


def parse_time(words: str) -> str | None:
    """HH:MM for normalised words such as `7:30`, `7h30`, `19h`, `7 pm`; None when unclear."""
    words = LEADING.sub("", words)
    if words in NAMED:
        return NAMED[words]
    found = WRITTEN.fullmatch(words)
    if found is None:
        return None
    hour = _hour(int(found["hour"]), found["half_day"])
    minute = 30 if found["half"] else int(found["minute"] or 0)
    if hour is None or minute > 59:
        return None
    return f"{hour:02}:{minute:02}"


def _hour(hour: int, half_day: str | None) -> int | None:
    if half_day is None:
        return hour if hour <= 23 else None
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half_day.startswith("p") else 0)
