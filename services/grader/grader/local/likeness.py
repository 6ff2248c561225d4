"""How an answer relates to what was asked and what was expected, in numbers."""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from grader.local.vectors import WordVectors
from grader.words import ALL_NEGATIONS, Word, words_of

Matrix = NDArray[np.float32]
Weigh = Callable[[str], float]
"""How much a word tells, by its stem: rare words more."""

ALIKE = 0.9
"""The most that a different word with the same meaning counts of the word itself."""
SURELY_ALIKE = 0.6
GRAM = 4

_PART_END = re.compile(
    r"(?<=[.!?;])\s+|\n+|(?<=,)\s+(?=(?:and|but|or|e|y|mas|pero|ou|o)\s)|\s+(?=\d[.)]\s)"
)

NAMES = (
    *("tfidf", "tfidf_own", "recall", "precision", "f1", "recall_own", "precision_own"),
    *("gram_recall", "gram_precision", "length", "length_ratio", "own_words", "asked_share"),
    *("negations", "holds_reference", "sentences", "reference_length"),
    *("cosine", "cosine_own", "soft_recall", "soft_precision", "soft_f1", "soft_recall_own"),
    *("soft_precision_own", "soft_sure", "parts_mean", "parts_least"),
    *("glue", "pairs", "order"),
)


@dataclass(frozen=True)
class Words:
    """A text taken apart: the words that carry something, their stems, weights and meanings."""

    text: str
    all: tuple[Word, ...]
    content: tuple[Word, ...]
    vectors: WordVectors
    weigh: Weigh

    @classmethod
    def of(cls, text: str, vectors: WordVectors, weigh: Weigh) -> "Words":
        found = words_of(text)
        content = tuple(word for word in found if word.has_content)
        return cls(text, found, content, vectors, weigh)

    @cached_property
    def stems(self) -> list[str]:
        return [word.stem for word in self.content]

    @cached_property
    def distinct(self) -> frozenset[str]:
        return frozenset(self.stems)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        return np.array([self.weigh(stem) for stem in self.stems])

    @cached_property
    def meanings(self) -> Matrix:
        return self.vectors.matrix([self.text[w.start : w.end].lower() for w in self.content])

    @cached_property
    def grams(self) -> frozenset[str]:
        joined = f" {' '.join(word.folded for word in self.all)} "
        return frozenset(joined[i : i + GRAM] for i in range(len(joined) - GRAM + 1))

    def without(self, stems: frozenset[str]) -> "Words":
        """Only its own content words; all of them when nothing would be left."""
        own = tuple(word for word in self.content if word.stem not in stems)
        return Words(self.text, self.all, own or self.content, self.vectors, self.weigh)

    def weight_of(self, stems: frozenset[str]) -> float:
        return sum(map(self.weigh, sorted(stems)))

    def meaning(self) -> NDArray[np.float64]:
        if not self.content:
            return np.zeros(self.vectors.dimensions)
        total = self.weights @ self.meanings
        return total / (np.linalg.norm(total) + 1e-9)


@dataclass(frozen=True)
class Expected:
    """A question and its reference, prepared once for all answers."""

    question: Words
    reference: Words
    own: Words
    parts: tuple[Words, ...]
    topic: Words
    """The question and the reference together."""

    @classmethod
    def of(
        cls,
        question: str,
        reference: str,
        vectors: WordVectors,
        weigh: Weigh,
        parts: Sequence[str] = (),
    ) -> "Expected":
        """`parts` are the points of a rubric; without them the reference is cut into clauses."""
        asked = Words.of(question, vectors, weigh)
        expected = Words.of(reference, vectors, weigh)
        pieces = [Words.of(p, vectors, weigh) for p in parts or parts_of(reference)]
        own = tuple(piece.without(asked.distinct) for piece in pieces if piece.content)
        topic = Words.of(f"{question}\n{reference}", vectors, weigh)
        return cls(asked, expected, expected.without(asked.distinct), own, topic)


def parts_of(reference: str) -> list[str]:
    parts = [part.strip() for part in _PART_END.split(reference)]
    return [part for part in parts if len(part) > 1] or [reference]


def likeness(expected: Expected, answer: Words) -> NDArray[np.float64]:
    """One number for each of NAMES."""
    return np.array(
        [
            *_lexical(expected, answer),
            *_lengths(expected, answer),
            *_soft(expected, answer),
            *_form(expected, answer),
        ]
    )


def soft_coverage(part: Words, answer: Words) -> float:
    """The share of `part` that the answer says in these words or in words that mean the same."""
    if not part.content or not answer.content:
        return 0.0
    best = alike(part, answer).max(axis=1)
    return float(best @ part.weights / part.weights.sum())


def alike(left: Words, right: Words) -> Matrix:
    """Of each pair of words how alike they are: 1 for the same stem, less for the same meaning."""
    same = np.array([[a == b for b in right.stems] for a in left.stems], dtype=bool)
    close = np.clip(left.meanings @ right.meanings.T, 0, 1) * np.float32(ALIKE)
    return np.where(same, np.float32(1), close)


def _lexical(expected: Expected, answer: Words) -> list[float]:
    reference, asked = expected.reference, expected.question.distinct
    wanted, said = reference.distinct, answer.distinct
    own_wanted, own_said = expected.own.distinct, said - asked
    both = answer.weight_of(wanted & said)
    recall = both / max(answer.weight_of(wanted), 1e-9)
    precision = both / max(answer.weight_of(said), 1e-9)
    own_recall = answer.weight_of(own_wanted & said) / max(answer.weight_of(own_wanted), 1e-9)
    own_precision = answer.weight_of(own_wanted & own_said) / max(answer.weight_of(own_said), 1e-9)
    grams = len(reference.grams & answer.grams)
    return [
        _tfidf(reference, answer),
        _tfidf(expected.own, answer.without(asked)),
        recall,
        precision,
        2 * recall * precision / (recall + precision + 1e-9),
        own_recall,
        own_precision,
        grams / max(len(reference.grams), 1),
        grams / max(len(answer.grams), 1),
    ]


def _tfidf(left: Words, right: Words) -> float:
    def counted(words: Words) -> dict[str, float]:
        counts: dict[str, float] = {}
        for stem in words.stems:
            counts[stem] = counts.get(stem, 0.0) + words.weigh(stem)
        return counts

    one, other = counted(left), counted(right)
    norms = math.hypot(*one.values()) * math.hypot(*other.values())
    return sum(worth * other.get(stem, 0.0) for stem, worth in one.items()) / norms if norms else 0


def _lengths(expected: Expected, answer: Words) -> list[float]:
    reference, asked = expected.reference, expected.question.distinct
    said = answer.distinct
    own = said - asked
    told = answer.weight_of(said & asked) / max(answer.weight_of(said), 1e-9) if said else 1.0
    whole = " ".join(word.folded for word in reference.all)
    return [
        math.log1p(len(answer.all)),
        min(len(answer.all) / max(len(reference.all), 1), 3.0),
        math.log1p(len(own)),
        told,
        float(min(abs(_negations(answer) - _negations(reference)), 3)),
        float(bool(whole) and whole in " ".join(word.folded for word in answer.all)),
        math.log1p(len(parts_of(answer.text))),
        math.log1p(len(reference.all)),
    ]


def _negations(words: Words) -> int:
    return sum(word.folded in ALL_NEGATIONS for word in words.all)


def _soft(expected: Expected, answer: Words) -> list[float]:
    reference = expected.reference
    cosines = [
        float(reference.meaning() @ answer.meaning()),
        float(expected.own.meaning() @ answer.without(expected.question.distinct).meaning()),
    ]
    if not answer.content or not reference.content:
        return cosines + [0.0] * 8
    pairs = alike(reference, answer)
    told, needed = pairs.max(axis=1), pairs.max(axis=0)
    recall = float(told @ reference.weights / reference.weights.sum())
    precision = float(needed @ answer.weights / answer.weights.sum())
    sure = float((told > SURELY_ALIKE) @ reference.weights / reference.weights.sum())
    parts = [soft_coverage(part, answer) for part in expected.parts] or [recall]
    return [
        *cosines,
        recall,
        precision,
        2 * recall * precision / (recall + precision + 1e-9),
        *_soft_own(expected, answer, pairs),
        sure,
        float(np.mean(parts)),
        min(parts),
    ]


def _soft_own(expected: Expected, answer: Words, pairs: Matrix) -> list[float]:
    """The same with the words of the question set aside: repeating it shows nothing."""
    asked = expected.question.distinct
    wanted = np.array([stem not in asked for stem in expected.reference.stems])
    said = np.array([stem not in asked for stem in answer.stems])
    if not wanted.any():
        wanted[:] = True
    if not said.any():
        return [0.0, 0.0]
    own = pairs[np.ix_(wanted, said)]
    weights, spoken = expected.reference.weights[wanted], answer.weights[said]
    recall = float(own.max(axis=1) @ weights / weights.sum())
    return [recall, float(own.max(axis=0) @ spoken / spoken.sum())]


def _form(expected: Expected, answer: Words) -> list[float]:
    said = [word.stem for word in answer.all]
    wanted = [word.stem for word in expected.reference.all]
    pairs = set(itertools.pairwise(wanted))
    shared = len(pairs & set(itertools.pairwise(said)))
    places = {stem: place for place, stem in enumerate(wanted)}
    course = [places[stem] for stem in said if stem in places]
    rising = sum(a < b for a, b in itertools.pairwise(course))
    glue = sum(not word.has_content for word in answer.all)
    return [
        glue / len(answer.all) if answer.all else 0.0,
        shared / max(len(pairs), 1),
        rising / (len(course) - 1) if len(course) > 1 else 0.5,
    ]
