"""Whether an answer is about the question at all, learnt from answers and from talk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.local.forest import Forest, Line
from grader.local.likeness import Expected, Words, alike
from grader.local.reading import Read

RELATED, CLOSE = 0.45, 0.6
"""Two words have to do with each other; they mean nearly the same."""
SAME = 0.999
BEST = 3
RELATIONS = (
    *("mean", "best", "second", "third", "close", "related", "same"),
    *("length", "cosine", "median"),
)


@dataclass(frozen=True)
class Relevance:
    """0 for talk and random typing, 1 for an attempt at this question, right or wrong."""

    trees: Forest
    talk: Line
    """Over the mean meaning of an answer's words: above 0 it is about the trade."""

    def of(self, read: Read) -> tuple[float, float]:
        """With the score of its talk."""
        talk_score = self.talk.predict(mean_meaning(read.answer))
        return self.trees.predict(np.append(related(read), talk_score)), talk_score


def related(read: Read) -> NDArray[np.float64]:
    return np.concatenate([read.likeness, relation(read.expected, read.answer)])


def mean_meaning(words: Words) -> NDArray[np.float64]:
    if not words.content:
        return np.zeros(words.vectors.dimensions)
    mean: NDArray[np.float64] = words.meanings.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean)
    return mean / length if length else mean


def relation(expected: Expected, answer: Words) -> Sequence[float]:
    """One number for each of RELATIONS: how the answer's words relate to those of the question and
    the reference together."""
    topic = expected.topic
    if not answer.content or not topic.content:
        return [0.0] * len(RELATIONS)
    pairs = alike(answer, topic)
    best = pairs.max(axis=1)
    weights = answer.weights / answer.weights.sum()
    strongest = np.sort(best)[::-1][:BEST]
    return [
        float(best @ weights),
        *np.pad(strongest, (0, BEST - len(strongest))).tolist(),
        float((best > CLOSE) @ weights),
        float((best > RELATED) @ weights),
        float((best >= SAME) @ weights),
        float(np.log1p(len(answer.content))),
        float(topic.meaning() @ answer.meaning()),
        float(np.median(best)),
    ]
