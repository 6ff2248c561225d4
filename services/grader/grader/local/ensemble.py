"""A score learnt from people: trees and a line over the numbers of `likeness`, run with numpy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.local.vectors import DATA

ENSEMBLE = DATA / "ensemble.npz"
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Forest:
    """All trees in one table of nodes. A leaf is its own left and right child."""

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    scale: float
    offset: float

    def predict(self, numbers: Numbers) -> float:
        """The sum of the trees, all of them walked at once."""
        row = numbers.astype(np.float32)
        nodes = self.roots
        while True:
            goes_left = row[self.feature[nodes]] <= self.threshold[nodes]
            below = np.where(goes_left, self.left[nodes], self.right[nodes])
            if np.array_equal(below, nodes):
                return float(self.value[nodes].sum()) * self.scale + self.offset
            nodes = below


@dataclass(frozen=True)
class Line:
    weights: Numbers
    offset: float

    def predict(self, numbers: Numbers) -> float:
        return float(numbers @ self.weights) + self.offset


@dataclass(frozen=True)
class Ensemble:
    """The mean of its members, 0 to 1; the word weights are those that it was trained with."""

    members: tuple[Forest | Line, ...]
    word_weights: Mapping[str, float]
    unknown_weight: float
    version: str

    def weigh(self, stem: str) -> float:
        return self.word_weights.get(stem, self.unknown_weight)

    def predict(self, numbers: Numbers) -> float:
        mean = sum(member.predict(numbers) for member in self.members) / len(self.members)
        return min(max(mean, 0.0), 1.0)


FOREST_TABLES = ("roots", "feature", "threshold", "left", "right", "value")


def load(path: Path = ENSEMBLE) -> Ensemble:
    with np.load(path) as file:
        forests = [_forest(file, name) for name in ("extra_trees", "boosting")]
        line = Line(file["line_weights"], float(file["line_offset"]))
        stems = file["stems"].tobytes().decode().split("\n")
        weights = dict(zip(stems, file["stem_weights"].tolist(), strict=True))
        return Ensemble(
            (*forests, line), weights, float(file["unknown_weight"]), str(file["version"])
        )


def _forest(file: Mapping[str, NDArray[np.generic]], name: str) -> Forest:
    tables = {table: file[f"{name}_{table}"] for table in FOREST_TABLES}
    scale, offset = file[f"{name}_scale"].item(), file[f"{name}_offset"].item()
    return Forest(**tables, scale=float(scale), offset=float(offset))  # type: ignore[arg-type]
