"""From marks to a score. Praise needs evidence: words that stand in the answer itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import floor
from typing import Literal

from common.events import QuestionSnapshot, RubricPoint, Value

Verdict = Literal["met", "partly", "missing", "wrong"]

WORTH: dict[Verdict, float] = {"met": 1.0, "partly": 0.5, "missing": 0.0, "wrong": 0.0}
BONUS_SHARE = 0.15
"""What the points that are not required weigh together: without them the best score is 9."""
WITHOUT_EVIDENCE = 3
"""The most for an answer of which nothing can be quoted."""
MARKS_SHARE = 0.3
"""Of the score, beside an estimate, which knows the marks too: so that each point that a person
sees as met is worth something. Points without keywords cannot be marked well: there the estimate
alone counts."""
MOST_CONTRADICTIONS = 2
"""A model that sees errors everywhere must not undo the marks that it gave itself."""

_ELLIPSIS = re.compile(r"\s*(?:\.{3,}|…|\[…\]|\[\.\.\.\])\s*")
_QUOTATION_MARKS = " \t\r\n\"'“”‘’«»`"


class Mark(Value):
    """What an examiner found for one point of the rubric, and where."""

    point_id: str
    verdict: Verdict
    quote: str = ""


def combine(
    question: QuestionSnapshot,
    marks: Iterable[Mark],
    contradictions: int = 0,
    *,
    estimate: float | None = None,
    cap: int | None = None,
) -> int:
    """1 to 10; 10 only when every point is met and nothing is contradicted. `cap` is the most
    that a known misconception in the answer leaves."""
    worth = {mark.point_id: WORTH[mark.verdict] for mark in marks}
    # Rounded first: a sum of floats may fall just short of the half that it stands for.
    score = floor(round(1 + 9 * share_of(question, worth, estimate), 9) + 0.5)
    if any(worth.get(point.id, 0.0) < 1 for point in question.points):
        score = min(score, 9)
    if not any(worth.values()):
        score = min(score, WITHOUT_EVIDENCE)
    score -= min(contradictions, MOST_CONTRADICTIONS)
    return max(1, score if cap is None else min(score, cap))


def share_at(score: int) -> float:
    """What `share_of` comes to at just this score."""
    return (score - 1) / 9


def share_of(
    question: QuestionSnapshot, worth: Mapping[str, float], estimate: float | None = None
) -> float:
    """0 to 1: the weighted points, moved towards the estimate where there is one."""
    required = _coverage([p for p in question.points if p.required], worth)
    bonus = _coverage([p for p in question.points if not p.required], worth)
    if required is None or bonus is None:
        coverage = required or bonus or 0.0
    else:
        coverage = (1 - BONUS_SHARE) * required + BONUS_SHARE * bonus
    if estimate is None or coverage == 1:
        return coverage
    trust = MARKS_SHARE if any(point.keywords for point in question.points) else 0.0
    return trust * coverage + (1 - trust) * estimate


def _coverage(points: Sequence[RubricPoint], worth: Mapping[str, float]) -> float | None:
    total = sum(max(point.weight, 0) for point in points)
    if not total:
        return None
    return sum(max(point.weight, 0) * worth.get(point.id, 0.0) for point in points) / total


def with_evidence(question: QuestionSnapshot, marks: Iterable[Mark], answer: str) -> list[Mark]:
    """One mark for each point, in the rubric's order, each quote as it stands in the answer.

    The first mark counts when an examiner gives several for one point.
    """
    found: dict[str, Mark] = {}
    for mark in marks:
        found.setdefault(mark.point_id, mark)
    return [
        _checked(found.get(point.id) or Mark(point_id=point.id, verdict="missing"), answer)
        for point in question.points
    ]


def _checked(mark: Mark, answer: str) -> Mark:
    quote = true_quote(answer, mark.quote) or ""
    if not quote and mark.verdict in {"met", "partly"}:
        return Mark(point_id=mark.point_id, verdict="missing")
    if mark.verdict == "missing":
        quote = ""
    return Mark(point_id=mark.point_id, verdict=mark.verdict, quote=quote)


def true_quote(answer: str, quote: str) -> str | None:
    """The answer's own words for `quote`; white space, and at worst case, may differ.

    Of a quote with an ellipsis every part must occur; the longest stands for all.
    """
    spans = []
    for part in _ELLIPSIS.split(quote):
        stripped = part.strip(_QUOTATION_MARKS)
        if not stripped:
            continue
        if (span := _find(answer, stripped)) is None:
            return None
        spans.append(span)
    longest = max(spans, key=len, default="")
    return longest if any(character.isalnum() for character in longest) else None


def _find(answer: str, quote: str) -> str | None:
    if _stands_in(answer, quote):
        return quote
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    before = r"(?<!\w)" if quote[0].isalnum() else ""
    after = r"(?!\w)" if quote[-1].isalnum() else ""
    for flags in (0, re.IGNORECASE):
        if match := re.search(before + pattern + after, answer, flags):
            return match.group()
    return None


def _stands_in(answer: str, quote: str) -> bool:
    """As it is, and not within a word: mostly so, and a pattern costs more than everything else."""
    start = answer.find(quote)
    end = start + len(quote)
    return (
        start >= 0
        and not (quote[0].isalnum() and start and _is_of_word(answer[start - 1]))
        and not (quote[-1].isalnum() and end < len(answer) and _is_of_word(answer[end]))
    )


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"
