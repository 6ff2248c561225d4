"""The embedded examiner: how much of each point's wording an answer covers. No model, no network.

It cannot see that a fluent statement is false; see the README for how well it does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from common.events import Language, Misconception, QuestionSnapshot, RubricPoint
from grader.examiners import Examination, ExaminerName
from grader.gates import is_attempt
from grader.languages import as_answered
from grader.local.estimate import estimator
from grader.rubric import WORTH, Mark, Verdict, share_of, with_evidence
from grader.words import (
    ALL_NEGATIONS,
    DISTANCE,
    NEGATIONS,
    Clause,
    Word,
    clauses_of,
    fold,
    words_of,
)

VERSION = "blend-1"
WINDOW = 8
"""The words of a keyword may stand this far apart."""

# Set on the question packs (references 9 or more, answers to other questions about 2) and on open
# graded answers (Mohler); lower thresholds please the latter and let beside-the-point answers rise.
_MET_WITH_KEYWORD, _MET_WITHOUT, _PARTLY_WITHOUT = 0.2, 0.5, 0.25
# A point with keywords says by which words it is known: without any of them more is asked.
_MET_UNNAMED, _PARTLY_UNNAMED = 0.75, 0.45
_ASKED_WEIGHT = 0.5  # of a word that the question itself contains: repeating it shows little
_PREFIX, _PREFIX_WORTH = 5, 0.9
_SHORT = 3
_SCATTERED_WORTH = 0.75  # of words that stand in several clauses of the answer
_LIST_SHARE, _LIST_LENGTH = 0.12, 4
_ITEM_SHARE, _ITEM_LENGTH = 0.8, 3
_NAMED_SHARE = 0.65
KEYWORDS_AT_MOST = 5
PLAUSIBLE = 0.55
"""An estimate from which on even a very short answer in other words is one: "resizeable"."""
_WORD = re.compile(r"\w+")
_ITEM_END = re.compile(r"[,;\n/|]+")
_WORDS_BETWEEN = 3  # that a stated misconception may have more than its phrase
_BEFORE = 2  # words in which a negation turns what follows


Hit = Sequence[Word]


@dataclass(frozen=True)
class Text:
    """An answer, prepared once for all points."""

    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    folded: str
    original: str

    @classmethod
    def of(cls, answer: str) -> "Text":
        return cls(words_of(answer), tuple(clauses_of(answer)), fold(answer), answer)

    @property
    def is_keyword_list(self) -> bool:
        """Terms in a row: hardly a word that joins them, or only short items between commas."""
        if len(self.words) < _LIST_LENGTH:
            return False
        glue = sum(not word.has_content for word in self.words)
        items = [words_of(item) for item in _ITEM_END.split(self.original)]
        short = sum(len(item) <= _ITEM_LENGTH for item in items)
        is_enumeration = len(items) >= _LIST_LENGTH and short / len(items) >= _ITEM_SHARE
        return is_enumeration or glue / len(self.words) < _LIST_SHARE


class LocalExaminer:
    name: ExaminerName = "local"
    model = VERSION

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        question = as_answered(question, answer)
        answer = without_question(question, answer)
        marks = with_evidence(question, mark_points(question, answer), answer)
        estimate = estimator().estimate(question, answer, marked_share(question, marks))
        is_gradable = is_attempt(question, answer) or estimate >= PLAUSIBLE
        beliefs = stated_beliefs(question, answer) if is_gradable else []
        return Examination(
            marks=tuple(marks if is_gradable else with_evidence(question, [], answer)),
            is_gradable=is_gradable,
            examiner="local",
            model=VERSION,
            prompt_version="",
            contradictions=tuple(quote for _, quote in beliefs),
            estimate=estimate if is_gradable else None,
            cap=_cap(question, answer, [belief for belief, _ in beliefs]),
        )


def marked_share(question: QuestionSnapshot, marks: Iterable[Mark]) -> float | None:
    """None where the points have no keywords: there marks say little."""
    if not any(point.keywords for point in question.points):
        return None
    return share_of(question, {mark.point_id: WORTH[mark.verdict] for mark in marks})


def mark_points(question: QuestionSnapshot, answer: str) -> list[Mark]:
    text = Text.of(answer)
    asked = frozenset(word.stem for word in _prepared(question.text))
    return [_mark(point, text, asked, question.language) for point in question.points]


def without_question(question: QuestionSnapshot, answer: str) -> str:
    """Who repeats the question before answering is examined in what they add."""
    asked = r"\W+".join(re.escape(answer_word) for answer_word in _WORD.findall(question.text))
    return re.sub(asked, " ", answer, flags=re.IGNORECASE).strip() if asked else answer


def _cap(question: QuestionSnapshot, answer: str, beliefs: Sequence[Misconception]) -> int | None:
    caps = [belief.cap for belief in beliefs]
    if _is_made_of_keywords(question, Text.of(answer)):
        caps.append(KEYWORDS_AT_MOST)
    return min(caps, default=None)


def _is_made_of_keywords(question: QuestionSnapshot, text: Text) -> bool:
    """Terms of the rubric in a row: whoever explains something needs other words too."""
    if len(text.words) < _LIST_LENGTH:
        return False
    named = {
        word.start
        for point in question.points
        for keyword in point.keywords
        for hit in _occurrences(keyword, text)
        for word in hit
    }
    return len(named) / len(text.words) >= _NAMED_SHARE


def stated_beliefs(question: QuestionSnapshot, answer: str) -> list[tuple[Misconception, str]]:
    """The known misconceptions that the answer states, each with the clause that does."""
    text = Text.of(answer)
    found = []
    for belief in question.misconceptions:
        clause = _clause_that_states(belief, text, question.language)
        if clause is not None:
            found.append((belief, text.original[clause.start : clause.end]))
    return found


def _clause_that_states(belief: Misconception, text: Text, language: Language) -> Clause | None:
    for phrase in belief.phrases:
        for hit in _statements(phrase, text):
            if not _is_denied(hit, phrase, text, language):
                return _clause_of(hit[0], text)
    return None


def _statements(phrase: str, text: Text) -> Iterator[Hit]:
    """Where it stands word for word (`equal?` ends no sentence), or all that carries it within one
    clause and in its order: in another order the same words may say the opposite."""
    wanted = _prepared(phrase)
    yield from _word_for_word(wanted, text.words)
    content = [word for word in wanted if word.has_content]
    if len(content) < 2:
        return
    reach = max(WINDOW, len(wanted) + _WORDS_BETWEEN)
    for clause in text.clauses:
        words = [w for w in text.words if clause.start <= w.start and w.end <= clause.end]
        for start in range(len(words)):
            hit = _in_order(content, words[start : start + reach])
            if hit:
                yield hit


def _in_order(wanted: Sequence[Word], words: Sequence[Word]) -> Hit:
    """The wanted words from the first word on; nothing when one is missing or comes too early."""
    if not words or not _is_same(words[0], wanted[0]):
        return ()
    left = iter(words)
    found = [next((word for word in left if _is_same(word, one)), None) for one in wanted]
    return [] if None in found else [word for word in found if word]


def _is_denied(hit: Hit, phrase: str, text: Text, language: Language) -> bool:
    """Said not to be so, or to be what others think, before it in its clause or amid its words;
    unless the phrase says so itself."""
    denials = NEGATIONS[language] | DISTANCE[language]
    if any(word.folded in denials for word in _prepared(phrase)):
        return False
    clause = _clause_of(hit[0], text)
    start = clause.start if clause else hit[0].start
    said = [word for word in text.words if start <= word.start and word.end <= hit[-1].end]
    return any(word.folded in denials for word in said)


def _mark(point: RubricPoint, text: Text, asked: frozenset[str], language: Language) -> Mark:
    hits = [hit for keyword in point.keywords for hit in _occurrences(keyword, text)]
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
    best = _clause_of((sound or hits)[0], text) if hits else clause
    quote = text.original[best.start : best.end] if best else ""
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


@lru_cache(maxsize=20_000)
def _prepared(text: str) -> tuple[Word, ...]:
    return words_of(text)


def _occurrences(keyword: str, text: Text) -> Iterator[Hit]:
    wanted = _prepared(keyword)
    if not wanted:
        return
    phrases = list(_word_for_word(wanted, text.words))
    yield from phrases
    if not phrases and len(wanted) > 1:
        yield from _scattered(wanted, text.words)


def _word_for_word(wanted: Sequence[Word], words: Sequence[Word]) -> Iterator[Hit]:
    for start, word in enumerate(words):
        if _is_same(word, wanted[0]):
            candidate = words[start : start + len(wanted)]
            if len(candidate) == len(wanted) and all(map(_is_same, candidate, wanted)):
                yield candidate


def _scattered(wanted: Sequence[Word], words: Sequence[Word]) -> Iterator[Hit]:
    content = [word for word in wanted if word.has_content]
    if len(content) < 2:
        return
    for start, word in enumerate(words):
        if not any(_is_same(word, part) for part in content):
            continue
        window = words[start : start + WINDOW]
        if all(any(_is_same(near, part) for near in window) for part in content):
            yield [near for near in window if any(_is_same(near, part) for part in content)]
            return


def _is_same(said: Word, wanted: Word) -> bool:
    if len(wanted.folded) <= _SHORT:
        return said.folded == wanted.folded
    return said.stem == wanted.stem


def _is_negated(hit: Hit, point: RubricPoint, text: Text, language: Language) -> bool:
    if any(word.folded in ALL_NEGATIONS for word in _prepared(point.text)):
        return False  # the point itself is a denial
    clause = _clause_of(hit[0], text)
    before = [
        word
        for word in text.words
        if word.end <= hit[0].start and (clause is None or word.start >= clause.start)
    ]
    return any(word.folded in NEGATIONS[language] for word in before[-_BEFORE:])


def _clause_of(place: Word | Hit, text: Text) -> Clause | None:
    start = place.start if isinstance(place, Word) else place[0].start
    return next((c for c in text.clauses if c.start <= start < c.end), None)


def _coverage(point: RubricPoint, text: Text, asked: frozenset[str]) -> tuple[float, Clause | None]:
    """How much of the point's content the answer holds, and the clause that holds the most."""
    weights = {
        word: _ASKED_WEIGHT if word.stem in asked else 1.0
        for word in {w.stem: w for w in _prepared(point.text) if w.has_content}.values()
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
