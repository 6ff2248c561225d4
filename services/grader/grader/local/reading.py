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


@dataclass(frozen=True)
class Weights:
    known: Mapping[str, float]
    unknown: float

    def __call__(self, stem: str) -> float:
        return self.known.get(stem, self.unknown)


class Reader:
    """Keeps what it has prepared of the last questions."""

    def __init__(self, weights: Weights, vectors: WordVectors | None = None) -> None:
        self._weights = weights
        self._vectors = vectors or WordVectors()
        self._expected = lru_cache(maxsize=_KEPT_QUESTIONS)(self._prepared)

    def numbers(
        self, question: QuestionSnapshot, answer: str, marked: float | None
    ) -> NDArray[np.float64]:
        """`marked` is the share of the points that were found by their keywords, 0 to 1; None
        where points have none."""
        parts = tuple(point.text for point in question.points)
        expected = self._expected(question.text, question.reference, parts)
        alike = likeness(expected, Words.of(answer, self._vectors, self._weights))
        return np.append(alike, [marked is not None, marked or 0.0])

    def _prepared(self, question: str, reference: str, parts: tuple[str, ...]) -> Expected:
        return Expected.of(question, reference, self._vectors, self._weights, parts)
