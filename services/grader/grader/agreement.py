"""How well an examiner's scores, 0 to 1, agree with people's."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

CATEGORIES = 6  # 0 to 5, as the people marked


def pearson(left: Sequence[float], right: Sequence[float]) -> float:
    """0 when either side never changes: nothing can be said then."""
    mean_left, mean_right = sum(left) / len(left), sum(right) / len(right)
    covariance = sum((a - mean_left) * (b - mean_right) for a, b in zip(left, right, strict=True))
    spread = sqrt(sum((a - mean_left) ** 2 for a in left))
    spread *= sqrt(sum((b - mean_right) ** 2 for b in right))
    return covariance / spread if spread else 0.0


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    return pearson(_ranks(left), _ranks(right))


def rmse(left: Sequence[float], right: Sequence[float]) -> float:
    return sqrt(sum((a - b) ** 2 for a, b in zip(left, right, strict=True)) / len(left))


def quadratic_weighted_kappa(left: Sequence[float], right: Sequence[float]) -> float:
    """1 is full agreement, 0 that of chance."""
    ours, theirs = [_category(a) for a in left], [_category(b) for b in right]
    observed = sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True))
    our_counts, their_counts = Counter(ours), Counter(theirs)
    expected = sum(
        (a - b) ** 2 * our_counts[a] * their_counts[b] / len(ours)
        for a in our_counts
        for b in their_counts
    )
    return 1 - observed / expected if expected else 1.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _ranks(values: Sequence[float]) -> list[float]:
    """From 0; equal values share the mean of their ranks."""
    counts = Counter(values)
    rank_of: dict[float, float] = {}
    below = 0
    for value in sorted(counts):
        rank_of[value] = below + (counts[value] - 1) / 2
        below += counts[value]
    return [rank_of[value] for value in values]


def _category(score: float) -> int:
    return round(min(max(score, 0.0), 1.0) * (CATEGORIES - 1))


@dataclass(frozen=True)
class Step:
    """Answers with neighbouring scores."""

    count: int
    ours: float
    theirs: float


def calibration(ours: Sequence[float], theirs: Sequence[float], steps: int = 10) -> list[Step]:
    """The mean of each tenth of our scores, lowest first, beside what people gave the same."""
    pairs = sorted(zip(ours, theirs, strict=True))
    edges = [round(number * len(pairs) / steps) for number in range(steps + 1)]
    parts = [pairs[start:end] for start, end in itertools.pairwise(edges) if end > start]
    return [
        Step(len(p), sum(o for o, _ in p) / len(p), sum(t for _, t in p) / len(p)) for p in parts
    ]
