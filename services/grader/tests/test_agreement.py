import pytest

from grader.agreement import pearson, percentile, quadratic_weighted_kappa, rmse, spearman


def test_known_values() -> None:
    left, right = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]
    assert pearson(left, right) == pytest.approx(0.8)
    assert spearman([10.0, 20.0, 20.0, 40.0], [1.0, 2.0, 3.0, 4.0]) == pytest.approx(0.9486833)
    assert rmse([0.0, 1.0], [1.0, 1.0]) == pytest.approx(0.70710678)
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0


def test_kappa_is_1_for_agreement_0_for_chance_and_negative_for_opposition() -> None:
    scores = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert quadratic_weighted_kappa(scores, scores) == 1
    assert quadratic_weighted_kappa(scores, scores[::-1]) == pytest.approx(-1)
    assert quadratic_weighted_kappa([0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]) == 0
    # By hand: 7 observed, and 84 + 67 - 2 * 22 * 19 / 8 = 46.5 expected by chance.
    ours, theirs = [0, 1, 2, 3, 4, 5, 5, 2], [0, 2, 2, 3, 3, 5, 4, 0]
    found = quadratic_weighted_kappa([a / 5 for a in ours], [b / 5 for b in theirs])
    assert found == pytest.approx(1 - 7 / 46.5)


def test_scores_that_never_change_say_nothing() -> None:
    assert pearson([0.5, 0.5, 0.5], [0.0, 0.5, 1.0]) == 0
