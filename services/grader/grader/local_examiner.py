"""The embedded examiner: how much of each point's wording an answer covers. No model, no network.

It cannot see that a fluent statement is false; see the README for how well it does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from common.events import Language, Misconception, QuestionSnapshot, RubricPoint
from grader.examiners import Examination, ExaminerName
from grader.gates import attempt, holds_code
from grader.languages import as_answered
from grader.local.beliefs import stated_beliefs
from grader.local.estimate import Estimate, estimator
from grader.local.reading import Read
from grader.local.text import Hit, Text
from grader.rubric import WORTH, Mark, Verdict, share_of, with_evidence
from grader.words import ALL_NEGATIONS, NEGATIONS, Clause, Word, prepared

VERSION = "blend-2"

# Set on the question packs (references 9 or more, answers to other questions about 2) and on open
# graded answers (Mohler); lower thresholds please the latter and let beside-the-point answers rise.
_MET_WITH_KEYWORD, _MET_WITHOUT, _PARTLY_WITHOUT = 0.2, 0.5, 0.25
# A point with keywords says by which words it is known: without any of them more is asked.
_MET_UNNAMED, _PARTLY_UNNAMED = 0.75, 0.45
_ASKED_WEIGHT = 0.5  # of a word that the question itself contains: repeating it shows little
_PREFIX, _PREFIX_WORTH = 5, 0.9
_SCATTERED_WORTH = 0.75  # of words that stand in several clauses of the answer
_NAMED_SHARE = 0.65
KEYWORDS_AT_MOST, FRAGMENT_AT_MOST = 5, 8
BESIDE_AT_MOST = 3
"""What seems to be talk has no score, and is asked for again. Beside people's marks it counts as
so much: a few of those are answers."""
PLAUSIBLE = 0.5
"""An estimate from which on even a very short answer in other words is one: "resizeable"."""
_WORD = re.compile(r"\w+")
_BEFORE = 2  # words in which a negation turns what follows


class LocalExaminer:
    name: ExaminerName = "local"
    model = VERSION

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        question = as_answered(question, answer)
        answer = without_question(question, answer)
        text = Text.of(answer)
        marks = with_evidence(question, mark_points(question, text), answer)
        estimate = estimator().estimate(question, answer, marked_share(question, marks))
        is_surely_no_talk = holds_code(answer) or _has_named_point(question, marks)
        is_tried = _is_tried(question, answer, estimate) and (
            is_surely_no_talk or not estimate.read.is_typed_at_random
        )
        is_gradable = is_tried and (is_surely_no_talk or not estimate.is_beside)
        beliefs = stated_beliefs(question, text) if is_gradable else []
        return Examination(
            marks=tuple(marks if is_gradable else with_evidence(question, [], answer)),
            is_gradable=is_gradable,
            examiner="local",
            model=VERSION,
            prompt_version="",
            contradictions=tuple(quote for _, quote in beliefs),
            estimate=estimate.worth if is_tried else None,
            cap=min(_caps(question, text, estimate, beliefs), default=None),
        )


def _is_tried(question: QuestionSnapshot, answer: str, estimate: Estimate) -> bool:
    tried = attempt(question, answer)
    return tried == "whole" or (tried == "short" and estimate.worth >= PLAUSIBLE)


def marked_share(question: QuestionSnapshot, marks: Iterable[Mark]) -> float | None:
    """None where the points have no keywords: there marks say little."""
    if not any(point.keywords for point in question.points):
        return None
    return share_of(question, {mark.point_id: WORTH[mark.verdict] for mark in marks})


def mark_points(question: QuestionSnapshot, text: Text) -> list[Mark]:
    asked = frozenset(word.stem for word in prepared(question.text))
    return [_mark(point, text, asked, question.language) for point in question.points]


def without_question(question: QuestionSnapshot, answer: str) -> str:
    """Who repeats the question before answering is examined in what they add."""
    asked = _pattern_of(question.text)
    return asked.sub(" ", answer).strip() if asked else answer


@lru_cache(maxsize=1_000)
def _pattern_of(question: str) -> re.Pattern[str] | None:
    words = [re.escape(word) for word in _WORD.findall(question)]
    return re.compile(r"\W+".join(words), re.IGNORECASE) if words else None


def _caps(
    question: QuestionSnapshot,
    text: Text,
    estimate: Estimate,
    beliefs: Sequence[tuple[Misconception, str]],
) -> Iterator[int]:
    yield from (belief.cap for belief, _ in beliefs)
    yield from limits_of_form(estimate.read, text)
    if _is_made_of_keywords(question, text):
        yield KEYWORDS_AT_MOST


def limits_of_form(read: Read, text: Text) -> Iterator[int]:
    """What its form alone leaves of an answer, however much its words hold."""
    if text.is_keyword_list and read.is_of_its_words:
        yield KEYWORDS_AT_MOST
    if read.is_fragment:
        yield FRAGMENT_AT_MOST


def _has_named_point(question: QuestionSnapshot, marks: Sequence[Mark]) -> bool:
    """By its keywords, which no talk hits by chance."""
    named = {point.id for point in question.points if point.keywords}
    return any(mark.point_id in named and mark.verdict == "met" for mark in marks)


def _is_made_of_keywords(question: QuestionSnapshot, text: Text) -> bool:
    """Terms of the rubric in a row: whoever explains something needs other words too."""
    if not text.may_be_list:
        return False
    named = {
        word.start
        for point in question.points
        for keyword in point.keywords
        for hit in text.occurrences(keyword)
        for word in hit
    }
    return len(named) / len(text.words) >= _NAMED_SHARE


def _mark(point: RubricPoint, text: Text, asked: frozenset[str], language: Language) -> Mark:
    hits = [hit for keyword in point.keywords for hit in text.occurrences(keyword)]
    sound = [hit for hit in hits if not _is_negated(hit, point, text, language)]
    coverage, clause = _coverage(point, text, asked)
    if hits or not point.keywords:
        verdict = _verdict(len({tuple(_stems(hit)) for hit in sound}), bool(hits), coverage)
    else:
        verdict = _unnamed_verdict(coverage)
    if verdict == "met" and text.is_keyword_list:
        verdict = "partly"
    if verdict == "missing":
        return Mark(point_id=point.id, verdict="missing")
    best = text.clause_of((sound or hits)[0][0]) if hits else clause
    quote = text.quote(best) if best else ""
    return Mark(point_id=point.id, verdict=verdict, quote=quote)


def _verdict(sound_keywords: int, has_keyword: bool, coverage: float) -> Verdict:
    if sound_keywords >= 2 or (sound_keywords and coverage >= _MET_WITH_KEYWORD):
        return "met"
    if coverage >= _MET_WITHOUT and (sound_keywords or not has_keyword):
        return "met"
    return "partly" if has_keyword or coverage >= _PARTLY_WITHOUT else "missing"


def _stems(hit: Hit) -> Iterator[str]:
    return (word.stem for word in hit)


def _unnamed_verdict(coverage: float) -> Verdict:
    if coverage >= _MET_UNNAMED:
        return "met"
    return "partly" if coverage >= _PARTLY_UNNAMED else "missing"


def _is_negated(hit: Hit, point: RubricPoint, text: Text, language: Language) -> bool:
    if any(word.folded in ALL_NEGATIONS for word in prepared(point.text)):
        return False  # the point itself is a denial
    clause = text.clause_of(hit[0])
    before = [
        word
        for word in text.words
        if word.end <= hit[0].start and (clause is None or word.start >= clause.start)
    ]
    return any(word.folded in NEGATIONS[language] for word in before[-_BEFORE:])


def _coverage(point: RubricPoint, text: Text, asked: frozenset[str]) -> tuple[float, Clause | None]:
    """How much of the point's content the answer holds, and the clause that holds the most."""
    weights = {
        word: _ASKED_WEIGHT if word.stem in asked else 1.0
        for word in {w.stem: w for w in prepared(point.text) if w.has_content}.values()
    }
    total = sum(weights.values())
    if not total:
        return 0.0, None
    everywhere = _covered(weights, text.words) / total
    if not everywhere:
        return 0.0, None
    by_clause = [
        (_covered(weights, [w for w in text.words if c.start <= w.start < c.end]) / total, -c.start)
        for c in text.clauses
    ]
    best, start = max(by_clause)
    clause = next(c for c in text.clauses if c.start == -start)
    return max(best, everywhere * _SCATTERED_WORTH), clause


def _covered(weights: dict[Word, float], words: Sequence[Word]) -> float:
    stems = {word.stem for word in words}
    prefixes = {word.folded[:_PREFIX] for word in words if len(word.folded) > _PREFIX}
    covered = 0.0
    for word, weight in weights.items():
        if word.stem in stems:
            covered += weight
        elif len(word.folded) > _PREFIX and word.folded[:_PREFIX] in prefixes:
            covered += weight * _PREFIX_WORTH
    return covered
