"""A score learnt from people: the mean of trees and a line over the numbers of `likeness`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.local.forest import Forest, Line, Numbers, read_forest, read_line
from grader.local.relevance import Relevance
from grader.local.vectors import DATA

ENSEMBLE = DATA / "ensemble.npz"


@dataclass(frozen=True)
class Ensemble:
    """The mean of its members, 0 to 1; the word weights are those that it was trained with."""

    members: tuple[Forest | Line, ...]
    relevance: Relevance
    word_weights: Mapping[str, float]
    unknown_weight: float
    version: str

    def weigh(self, stem: str) -> float:
        return self.word_weights.get(stem, self.unknown_weight)

    def predict(self, numbers: Numbers) -> float:
        mean = sum(member.predict(numbers) for member in self.members) / len(self.members)
        return min(max(mean, 0.0), 1.0)


def load(path: Path = ENSEMBLE) -> Ensemble:
    with np.load(path) as file:
        stems = file["stems"].tobytes().decode().split("\n")
        weights = dict(zip(stems, file["stem_weights"].tolist(), strict=True))
        return Ensemble(
            (
                read_forest(file, "extra_trees"),
                read_forest(file, "boosting"),
                read_line(file, "line"),
            ),
            Relevance(read_forest(file, "relevance"), read_line(file, "talk")),
            weights,
            float(file["unknown_weight"]),
            str(file["version"]),
        )
