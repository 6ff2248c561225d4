"""`python -m grader_training.train --data mohler_open.jsonl [--content content] [--check]`

Trains the local examiner's ensemble and writes `grader/local/data/ensemble.npz`. `--check` prints
how well it does, gates included, on questions that it was not trained on (groups of questions
left out in turn), and writes nothing. The same data and versions give the same file.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from grader.agreement import pearson, quadratic_weighted_kappa, rmse, spearman
from grader.answer_text import examined_text
from grader.gates import attempt, holds_code
from grader.local.ensemble import ENSEMBLE
from grader.local.forest import FOREST_TABLES
from grader.local.reading import Reader, Weights
from grader.local.text import Text
from grader.local_examiner import (
    BESIDE_AT_MOST,
    PLAUSIBLE,
    limits_of_form,
    mark_points,
    marked_share,
)
from grader.rubric import share_at, with_evidence
from grader.words import words_of
from grader_training.relevance import Examples, examples, shares_taken_for_talk
from grader_training.rows import Marked, groups_of, negatives, open_rows, pack_rows

VERSION = "ensemble-3"
NEGATIVES = 0.02
PACK_WEIGHT = 0.3
FOLDS = 25

Numbers = NDArray[np.float64]


class LinearModel:
    def __init__(self) -> None:
        self._scaler, self._ridge = StandardScaler(), Ridge(20)

    def fit(self, x: Numbers, y: Numbers, sample_weight: Numbers) -> "LinearModel":
        self._ridge.fit(self._scaler.fit_transform(x), y, sample_weight=sample_weight)
        return self

    def predict(self, x: Numbers) -> Numbers:
        found: Numbers = self._ridge.predict(self._scaler.transform(x))
        return found

    def weights(self) -> tuple[Numbers, float]:
        weights = self._ridge.coef_ / self._scaler.scale_
        return weights, float(self._ridge.intercept_ - weights @ self._scaler.mean_)


def models() -> dict[str, Any]:
    return {
        "extra_trees": ExtraTreesRegressor(
            200, min_samples_leaf=3, max_features=0.4, n_jobs=-1, random_state=0
        ),
        "boosting": GradientBoostingRegressor(
            n_estimators=150,
            max_depth=3,
            learning_rate=0.05,
            subsample=0.6,
            max_features=0.3,
            random_state=0,
        ),
        "line": LinearModel(),
    }


def word_weights(rows: Sequence[Marked]) -> Weights:
    """Inverse document frequency over the questions and references: rare words tell more."""
    texts = {text for row in rows for text in (row.question.text, row.question.reference)}
    counts: dict[str, int] = {}
    for text in texts:
        for stem in {word.stem for word in words_of(text)}:
            counts[stem] = counts.get(stem, 0) + 1

    def weight(count: int) -> float:
        return round(math.log((len(texts) + 1) / (count + 1)) + 1, 4)

    return Weights({stem: weight(count) for stem, count in sorted(counts.items())}, weight(0))


def matrix(rows: Sequence[Marked], reader: Reader) -> Numbers:
    return np.array([reader.read(row.question, row.answer).numbers(_marked(row)) for row in rows])


def _marked(row: Marked) -> float | None:
    marks = mark_points(row.question, Text.of(row.answer))
    return marked_share(row.question, with_evidence(row.question, marks, row.answer))


def fit(x: Numbers, rows: Sequence[Marked]) -> dict[str, Any]:
    y = np.array([row.worth for row in rows])
    weight = np.array([row.weight for row in rows])
    return {name: m.fit(x, y, sample_weight=weight) for name, m in models().items()}


def predict(fitted: dict[str, Any], x: Numbers) -> Numbers:
    found: Numbers = np.mean([m.predict(x) for m in fitted.values()], axis=0)
    return np.clip(found, 0, 1)


def left_out(x: Numbers, rows: Sequence[Marked], folds: int) -> Numbers:
    """The prediction for each row by models that never saw its question."""
    groups = groups_of(rows)
    names = np.random.RandomState(0).permutation(np.unique(groups))
    found = np.zeros(len(rows))
    for fold in range(min(folds, len(names))):
        tested = np.isin(groups, names[fold::folds])
        kept = [row for row, out in zip(rows, tested, strict=True) if not out]
        found[tested] = predict(fit(x[~tested], kept), x[tested])
    return found


def report(name: str, said: Numbers, meant: Numbers) -> str:
    left, right = said.tolist(), meant.tolist()
    return (
        f"{name}: n {len(left)} pearson {pearson(left, right):.3f}"
        f" spearman {spearman(left, right):.3f} rmse {5 * rmse(left, right):.3f} of 5"
        f" qwk {quadratic_weighted_kappa(left, right):.3f}\n"
    )


def check(
    rows: Sequence[Marked],
    x: Numbers,
    limits: Numbers,
    kinds: dict[str, Callable[[Marked], bool]],
) -> None:
    said, meant = left_out(x, rows, FOLDS), np.array([row.worth for row in rows])
    said = np.minimum(gated(said, rows), limits)
    for name, belongs in kinds.items():
        chosen = np.array([belongs(row) for row in rows])
        if chosen.any():
            sys.stdout.write(report(name, said[chosen], meant[chosen]))


def gated(said: Numbers, rows: Sequence[Marked]) -> Numbers:
    """Nothing for what is no attempt."""
    tried = np.array([attempt(row.question, examined_text(row.answer)) for row in rows])
    return np.where((tried == "whole") | ((tried == "short") & (said >= PLAUSIBLE)), said, 0)


def limits_of(rows: Sequence[Marked], beside: NDArray[np.bool_], reader: Reader) -> Numbers:
    """The most that the gates leave of each, 0 to 1; `beside` tells of the first of them."""
    most = np.ones(len(rows))
    for number, row in enumerate(rows):
        read = reader.read(row.question, row.answer)
        has_keywords = any(point.keywords for point in row.question.points)
        is_surely_no_talk = has_keywords or holds_code(row.answer)
        if read.is_typed_at_random and not is_surely_no_talk:
            most[number] = 0
        elif number < len(beside) and beside[number] and not is_surely_no_talk:
            most[number] = share_at(BESIDE_AT_MOST)
        else:
            limits = map(share_at, limits_of_form(read, Text.of(row.answer)))
            most[number] = min(limits, default=1)
    return most


def tables(trees: Sequence[Any], scale: float, offset: float) -> dict[str, NDArray[np.generic]]:
    """All trees of a forest in one table; a leaf points to itself."""
    start, parts, roots = 0, [], []
    for tree in trees:
        node = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        roots.append(start)
        parts.append(
            (
                np.where(leaf, 0, tree.feature),
                tree.threshold,
                start + np.where(leaf, node, tree.children_left),
                start + np.where(leaf, node, tree.children_right),
                tree.value[:, 0, 0],
            )
        )
        start += tree.node_count
    feature, threshold, left, right, value = (np.concatenate(c) for c in zip(*parts, strict=True))
    found = (
        np.array(roots, np.int32),
        feature.astype(np.int16),
        threshold.astype(np.float32),
        left.astype(np.int32),
        right.astype(np.int32),
        value.astype(np.float16).astype(np.float32),
    )
    arrays: dict[str, NDArray[np.generic]] = dict(zip(FOREST_TABLES, found, strict=True))
    return arrays | {"scale": np.array(scale), "offset": np.array(offset)}


def write(path: Path, fitted: dict[str, Any], weights: Weights, beside: tuple[Any, Any]) -> None:
    extra, boosting, line = fitted["extra_trees"], fitted["boosting"], fitted["line"]
    relevance, talk = beside
    forests = {
        "extra_trees": tables([t.tree_ for t in extra.estimators_], 1 / len(extra), 0.0),
        "relevance": tables([t.tree_ for t in relevance.estimators_], 1 / len(relevance), 0.0),
        "boosting": tables(
            [t.tree_ for t in boosting.estimators_[:, 0]],
            boosting.learning_rate,
            float(np.ravel(boosting.init_.constant_)[0]),
        ),
    }
    line_weights, line_offset = line.weights()
    arrays: dict[str, Any] = {
        f"{name}_{table}": array
        for name, forest in forests.items()
        for table, array in forest.items()
    }
    np.savez_compressed(
        path,
        **arrays,
        line_weights=line_weights,
        line_offset=line_offset,
        talk_weights=talk.coef_[0].astype(np.float32),
        talk_offset=talk.intercept_[0],
        stems=np.frombuffer("\n".join(weights.known).encode(), np.uint8),
        stem_weights=np.array(list(weights.known.values()), np.float32),
        unknown_weight=weights.unknown,
        version=VERSION,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grader_training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--content", type=Path, default=Path("content"))
    parser.add_argument("--out", type=Path, default=ENSEMBLE)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    opened, ours = list(open_rows(given.data)), list(pack_rows(given.content, PACK_WEIGHT))
    rows = [*opened, *ours, *negatives([*opened, *ours], NEGATIVES)]
    weights = word_weights([*opened, *ours])
    reader = Reader(weights)
    x = matrix(rows, reader)
    attempts = Examples(list(examples([*opened, *ours])), reader)
    if given.check:
        talks = attempts.beside()[: len(opened) + len(ours)]
        check(rows, x, limits_of(rows, talks, reader), dict(_kinds(opened, ours)))
        sys.stdout.writelines(shares_taken_for_talk(attempts))
        return
    write(given.out, fit(x, rows), weights, attempts.fit(np.ones(len(attempts.kinds), bool)))
    sys.stdout.write(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB\n")


def _kinds(
    opened: Sequence[Marked], ours: Sequence[Marked]
) -> Iterator[tuple[str, Callable[[Marked], bool]]]:
    known = {id(row) for row in chain(opened, ours)}
    of_open, of_ours = {id(row) for row in opened}, {id(row) for row in ours}
    yield "open data", lambda row: id(row) in of_open
    yield "our packs", lambda row: id(row) in of_ours
    for language in ("pt", "en", "es"):
        yield (
            f"our packs, {language}",
            lambda row, spoken=language: id(row) in of_ours and row.question.language == spoken,  # type: ignore[misc]
        )
    yield "negatives", lambda row: id(row) not in known


if __name__ == "__main__":
    main()
