"""A deterministic examiner: it looks for keywords, and quotes the clause that has them."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Verdict = Literal["met", "partly", "missing"]

_WORD = re.compile(r"[^\W_]+")
# A full stop ends a clause only before a space: "Node.js" and "3.11" hold together.
_CLAUSE_END = re.compile(r"[.!?]+(?=\s|$)|[;\n]+")
_FEWEST_WORDS = 3
_SHORT_KEYWORD = 3
_FUNCTION_WORDS = """
    a an and are as at be by for from has have in is it its of on or that the their this to was
    were which with you your can not but if than then when
    o os um uma uns umas e do da dos das no na nos nas em de para por com que se sao ou ao aos
    como mais mas seu sua ser tem nao
    el la los las un unos unas y del en con es son u al su sus lo
"""
_NOT_CONTENT = frozenset(_FUNCTION_WORDS.split())


class Point(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    text: str
    keywords: tuple[str, ...] = ()


class Exam(BaseModel):
    """What the examiner is given to mark."""

    model_config = ConfigDict(frozen=True)

    question: str
    language: str
    points: tuple[Point, ...]
    answer: str


class PointMark(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    verdict: Verdict
    quote: str


class Marking(BaseModel):
    model_config = ConfigDict(frozen=True)

    points: list[PointMark]
    next_step: str
    gradable: bool
    contradictions: list[str] = []


class Span(NamedTuple):
    start: int
    end: int


class Folded(NamedTuple):
    """Text without case, accents and runs of spaces, and where each character came from."""

    text: str
    origins: list[int]


def mark(exam: Exam) -> Marking:
    marks = [_mark_point(point, exam.answer) for point in exam.points]
    return Marking(
        points=marks,
        next_step=_next_step(exam, marks),
        gradable=_is_gradable(exam.answer, marks),
    )


def fold(text: str) -> Folded:
    characters: list[str] = []
    origins: list[int] = []
    for position, original in enumerate(text):
        for character in _folded_character(original):
            if character == " " and characters[-1:] == [" "]:
                continue
            characters.append(character)
            origins.append(position)
    return Folded("".join(characters), origins)


def _folded_character(character: str) -> str:
    if character.isspace():
        return " "
    decomposed = unicodedata.normalize("NFKD", character.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _mark_point(point: Point, answer: str) -> PointMark:
    span = _keyword_span(point.keywords, answer)
    if span:
        return PointMark(id=point.id, verdict="met", quote=_clauses_around(span, answer))
    quote = _partial_quote(point, answer)
    return PointMark(id=point.id, verdict="partly" if quote else "missing", quote=quote)


def _keyword_span(keywords: tuple[str, ...], answer: str) -> Span | None:
    folded = fold(answer)
    for keyword in keywords:
        wanted = fold(keyword).text.strip()
        found = _keyword_pattern(wanted).search(folded.text) if wanted else None
        if found:
            return Span(folded.origins[found.start()], folded.origins[found.end() - 1] + 1)
    return None


@lru_cache(maxsize=4096)
def _keyword_pattern(keyword: str) -> re.Pattern[str]:
    """A keyword begins a word ("mutable" is not in "immutable"); short ones also end it."""
    before = r"(?<!\w)" if keyword[0].isalnum() else ""
    after = r"(?!\w)" if len(keyword) <= _SHORT_KEYWORD and keyword[-1].isalnum() else ""
    return re.compile(before + re.escape(keyword) + after)


def _clauses(answer: str) -> list[Span]:
    ends = [match.end() for match in _CLAUSE_END.finditer(answer)]
    starts = [0, *ends]
    return [Span(a, b) for a, b in zip(starts, [*ends, len(answer)], strict=True) if a < b]


def _clauses_around(span: Span, answer: str) -> str:
    touched = [c for c in _clauses(answer) if c.start < span.end and c.end > span.start]
    return answer[touched[0].start : touched[-1].end].strip()


def _partial_quote(point: Point, answer: str) -> str:
    """The clause with the most of a phrase's words, when half of them are in the answer."""
    answered = _content_words(answer)
    phrases = [_content_words(k) for k in point.keywords if len(_WORD.findall(k)) > 1]
    phrases.append(_content_words(point.text))
    shared = [p & answered for p in phrases if p and 2 * len(p & answered) >= len(p)]
    if not shared:
        return ""
    best = max(_clauses(answer), key=lambda c: _overlap(answer[c.start : c.end], shared))
    return answer[best.start : best.end].strip()


def _overlap(clause: str, phrases: list[set[str]]) -> int:
    words = _content_words(clause)
    return max(len(words & phrase) for phrase in phrases)


def _content_words(text: str) -> set[str]:
    return set(_WORD.findall(fold(text).text)) - _NOT_CONTENT


def _is_gradable(answer: str, marks: list[PointMark]) -> bool:
    if any(mark.verdict == "met" for mark in marks):
        return True
    words = [word for word in _WORD.findall(answer) if any(c.isalpha() for c in word)]
    return len(words) >= _FEWEST_WORDS


def _next_step(exam: Exam, marks: list[PointMark]) -> str:
    missed = next((m.id for m in marks if m.verdict != "met"), None)
    language = exam.language[:2].lower()
    praise, advice = _SENTENCES.get(language, _SENTENCES["en"])
    if missed is None:
        return praise
    text = next(point.text for point in exam.points if point.id == missed)
    return advice.format(text.strip().rstrip("."))


_SENTENCES = {
    "pt": ("Tente explicar isso com um exemplo de código.", "Revise este ponto: {}."),
    "en": ("Try to explain this with a code example.", "Review this point: {}."),
    "es": ("Intenta explicarlo con un ejemplo de código.", "Repasa este punto: {}."),
}
