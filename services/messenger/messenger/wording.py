"""Values as people read them: codes become words, and what a person typed cannot break markup."""

import re
from collections.abc import Mapping

from common.events import Language
from messenger import lengths
from messenger.catalogue import Terms

MARKUP = re.compile(r"[*_~`]+")
SPACES = re.compile(r"\s+")
NAME_LIMIT = 60
QUOTE_LIMIT = 200
BAR = 10

PERSONS_OWN = {"name": NAME_LIMIT, "text": QUOTE_LIMIT}
"""Typed by a person: shown on one line, without markup, and never long."""


def displayed(
    values: Mapping[str, str], language: Language, terms: Terms, name: str | None
) -> dict[str, str]:
    shown = {key: _clean(value) for key, value in values.items()}
    shown["name"] = _clean(name or "")
    for key, limit in PERSONS_OWN.items():
        if key in shown:
            shown[key] = plain(shown[key], limit)
    return shown | _translated(shown, language, terms)


def plain(text: str, limit: int) -> str:
    return lengths.cut(SPACES.sub(" ", MARKUP.sub("", text)).strip(), limit)


def _translated(values: Mapping[str, str], language: Language, terms: Terms) -> dict[str, str]:
    words: dict[str, str] = {}
    for key, value in values.items():
        match key:
            case "track":
                words[key] = _tracks(value, terms.tracks[language])
            case "level":
                words[key] = terms.levels[language].get(value, value)
            case "streak":
                words[key] = _days(value, language, terms)
            case "tz_label":
                words[key] = _city(value, language, terms)
            case "media":
                media = terms.media[language]
                words[key] = media.get(value, media["other"])
            case "provisional":
                words[key] = terms.provisional[language] if value else ""
            case "score":
                words["bar"] = _bar(value)
    return words


def _city(zone: str, language: Language, terms: Terms) -> str:
    named = terms.cities.get(zone, {}).get(language)
    return named or zone.rsplit("/", 1)[-1].replace("_", " ")


def _tracks(codes: str, names: Mapping[str, str]) -> str:
    return ", ".join(names.get(code.strip(), code.strip()) for code in codes.split(","))


def _days(count: str, language: Language, terms: Terms) -> str:
    """No streak is not worth a word."""
    if not count.isdecimal() or int(count[:9]) == 0:
        return ""
    plural = terms.days[language]
    return (plural.one if int(count[:9]) == 1 else plural.other).replace("#", count)


def _bar(score: str) -> str:
    points = min(int(score), BAR) if score.isdecimal() and len(score) <= 2 else 0
    return "●" * points + "○" * (BAR - points) if points else ""


def _clean(value: str) -> str:
    """Half a surrogate pair cannot be sent, and NUL cannot be stored."""
    if value.isascii() and "\x00" not in value:
        return value
    sound = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return sound.replace("\x00", "")
