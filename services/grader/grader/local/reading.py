"""Turns a question and an answer into the numbers that the ensemble scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from common.events import QuestionSnapshot
from grader.local.likeness import Expected, Words, likeness
from grader.local.vectors import WordVectors

_KEPT_QUESTIONS = 500
SHORTEST_WORD, LETTERS_A_PIECE = 3, 2.1
"""Below are 99 of 100 random typings, and 1 of 3,000 real answers."""
SHORTEST_WHOLE = 6  # words
ALL_OF_IT, MOST_OF_IT, HARDLY_ANOTHER = 0.9, 0.6, 0.7


@dataclass(frozen=True)
class Weights:
    known: Mapping[str, float]
    unknown: float

    def __call__(self, stem: str) -> float:
        return self.known.get(stem, self.unknown)


@dataclass(frozen=True)
class Read:
    """An answer beside what was expected of it."""

    expected: Expected
    answer: Words
    likeness: NDArray[np.float64]

    @classmethod
    def of(cls, expected: Expected, answer: Words) -> "Read":
        return cls(expected, answer, likeness(expected, answer))

    def numbers(self, marked: float | None) -> NDArray[np.float64]:
        """What the ensemble scores. `marked` is the share of the points that were found by their
        keywords, 0 to 1; None where points have none."""
        return np.append(self.likeness, [marked is not None, marked or 0.0])

    @property
    def is_typed_at_random(self) -> bool:
        words = [w.folded for w in self.answer.content if w.folded.isalpha()]
        whole = [word for word in words if len(word) >= SHORTEST_WORD]
        return bool(whole) and self.answer.vectors.letters_a_piece(whole) < LETTERS_A_PIECE

    @property
    def is_fragment(self) -> bool:
        """Nothing but a piece of the reference, and not most of it."""
        wanted, said = self.expected.reference, self.answer
        if len(wanted.all) < SHORTEST_WHOLE or not said.grams:
            return False
        if len(said.grams & wanted.grams) / len(said.grams) < ALL_OF_IT:
            return False
        held = wanted.weight_of(wanted.distinct & said.distinct)
        return held < MOST_OF_IT * wanted.weight_of(wanted.distinct)

    @property
    def is_of_its_words(self) -> bool:
        """Hardly a word that does not stand in a reference of some length."""
        wanted, said = self.expected.reference, self.answer
        if len(wanted.all) < SHORTEST_WHOLE or not said.stems:
            return False
        held = sum(stem in wanted.distinct for stem in said.stems)
        return held / len(said.stems) >= HARDLY_ANOTHER


class Reader:
    """Keeps what it has prepared of the last questions."""

    def __init__(self, weights: Weights, vectors: WordVectors | None = None) -> None:
        self._weights = weights
        self._vectors = vectors or WordVectors()
        self._expected = lru_cache(maxsize=_KEPT_QUESTIONS)(self._prepared)

    def read(self, question: QuestionSnapshot, answer: str) -> "Read":
        parts = tuple(point.text for point in question.points)
        expected = self._expected(question.text, question.reference, parts)
        return Read.of(expected, Words.of(answer, self._vectors, self._weights))

    def _prepared(self, question: str, reference: str, parts: tuple[str, ...]) -> Expected:
        return Expected.of(question, reference, self._vectors, self._weights, parts)
