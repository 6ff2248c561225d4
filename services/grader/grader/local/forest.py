"""Learnt models, run with numpy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Tables = Mapping[str, NDArray[np.generic]]
FOREST_TABLES = ("roots", "feature", "threshold", "left", "right", "value")


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


def read_forest(file: Tables, name: str) -> Forest:
    tables = {table: file[f"{name}_{table}"] for table in FOREST_TABLES}
    scale, offset = file[f"{name}_scale"].item(), file[f"{name}_offset"].item()
    return Forest(**tables, scale=float(scale), offset=float(offset))  # type: ignore[arg-type]


def read_line(file: Tables, name: str) -> Line:
    weights = file[f"{name}_weights"].astype(np.float64)
    return Line(weights, float(file[f"{name}_offset"].item()))
