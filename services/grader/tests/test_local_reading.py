"""The numbers behind the local examiner's estimate."""

from pathlib import Path

import numpy as np
import pytest

from grader.local import ensemble, likeness
from grader.local.estimate import STRETCH_FROM, estimator, stretched
from grader.local.forest import Forest
from grader.local.likeness import Expected, Words
from grader.local.vectors import WordVectors
from grader_testing.factories import question


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return WordVectors()


def alike(vectors: WordVectors, left: str, right: str) -> float:
    return float(vectors.vector(left) @ vectors.vector(right))


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [("memory", "memória", "pizza"), ("lista", "list", "football"), ("erro", "error", "domingo")],
)
def test_words_that_mean_the_same_are_near_in_three_languages(
    vectors: WordVectors, word: str, near: str, far: str
) -> None:
    assert alike(vectors, word, near) > alike(vectors, word, far)


def test_a_word_that_nobody_listed_has_a_vector(vectors: WordVectors) -> None:
    assert np.linalg.norm(vectors.vector("memoização")) == pytest.approx(1, abs=1e-3)
    assert vectors.matrix([]).shape == (0, vectors.dimensions)


def numbers(answer: str, vectors: WordVectors) -> dict[str, float]:
    expected = Expected.of(
        "What does a queue do?", "It serves the oldest item first.", vectors, lambda stem: 1.0
    )
    found = likeness.likeness(expected, Words.of(answer, vectors, lambda stem: 1.0))
    return dict(zip(likeness.NAMES, found.tolist(), strict=True))


def test_the_reference_itself_is_as_like_as_can_be(vectors: WordVectors) -> None:
    found = numbers("It serves the oldest item first.", vectors)
    assert found["recall"] == found["soft_recall"] == found["holds_reference"] == 1
    assert found["negations"] == 0


@pytest.mark.parametrize("answer", ["", "?", "não", "1", "🙂", "the of and"])
def test_an_answer_without_content_gives_numbers_all_the_same(
    vectors: WordVectors, answer: str
) -> None:
    found = numbers(answer, vectors)
    assert all(np.isfinite(value) for value in found.values())
    assert found["soft_recall"] < 0.2


def test_other_words_with_the_same_meaning_count_for_something(vectors: WordVectors) -> None:
    said, beside = (
        numbers("El elemento más viejo sale primero.", vectors),
        numbers("Pizza.", vectors),
    )
    assert said["recall"] == beside["recall"] == 0
    assert said["soft_recall"] > beside["soft_recall"]


def test_a_forest_walks_to_the_leaf_of_each_tree() -> None:
    forest = Forest(
        roots=np.array([0, 3], np.int32),
        feature=np.array([1, 0, 0, 0], np.int16),
        threshold=np.array([0.5, 0, 0, 0], np.float32),
        left=np.array([1, 1, 2, 3], np.int32),
        right=np.array([2, 1, 2, 3], np.int32),
        value=np.array([0, 0.2, 0.8, 0.5], np.float32),
        scale=0.5,
        offset=0.1,
    )
    assert forest.predict(np.array([9.0, 0.4])) == pytest.approx(0.1 + 0.5 * 0.7)
    assert forest.predict(np.array([9.0, 0.6])) == pytest.approx(0.1 + 0.5 * 1.3)


def test_the_estimate_is_a_share_and_prefers_the_better_answer() -> None:
    asked = question()
    good, bad = (estimator().estimate(asked, a, 0.5) for a in (asked.reference, "No idea, pizza."))
    assert 0 <= bad.worth < good.worth <= 1
    assert (good.is_beside, bad.is_beside) == (False, True)


@pytest.mark.parametrize("said", ["asdf qwer zxcv lkjh", "kjsdhf kjsdf hkjsdf 8273 skdjf"])
def test_typing_at_random_is_told_from_terms_of_the_trade(said: str) -> None:
    asked = question()
    assert estimator().estimate(asked, said, None).read.is_typed_at_random
    terms = "malloc, qsort and strcmp of stdlib"
    assert not estimator().estimate(asked, terms, None).read.is_typed_at_random


def test_a_piece_of_the_reference_is_not_the_whole() -> None:
    asked = question()
    words = asked.reference.split()
    piece, whole = " ".join(words[: len(words) // 2]), asked.reference
    assert estimator().estimate(asked, piece, None).read.is_fragment
    assert not estimator().estimate(asked, whole, None).read.is_fragment


@pytest.mark.parametrize(
    ("answer", "factor"),
    [
        ("A stack gives back the last element that it got, and a queue the first one.", 1.0),
        ("A pilha devolve o último elemento que recebeu, e a fila o primeiro que entrou.", 1.41),
        ("O(log n)", 1.0),
    ],
)
def test_an_answer_in_another_language_is_measured_as_in_its_references(
    answer: str, factor: float
) -> None:
    reference = "The stack hands back the last element that it got; the queue has the first one."
    worth = stretched(0.6, reference, answer)
    assert worth == pytest.approx(STRETCH_FROM + factor * (0.6 - STRETCH_FROM))
    assert stretched(0.2, reference, answer) == 0.2


def test_the_shipped_files_are_small() -> None:
    folder = Path(ensemble.__file__).parent / "data"
    assert sum(path.stat().st_size for path in folder.glob("*.npz")) < 10 * 2**20
