"""What the local examiner must keep to before anything is released; docs/grading.md explains."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from common.questions import ANCHOR_SCORES, Question
from devstack.reference import GRADED_ANSWERS
from grader.agreement import pearson, quadratic_weighted_kappa, rmse
from grader.anchors import AnchorFigures, anchor_figures, spread
from grader.bank_check import Scores, read, score
from grader.findings import language_gap
from grader.local.reading import Reader
from grader.local_examiner import LocalExaminer
from grader_training.rows import LANGUAGES, negatives, open_rows
from grader_training.train import (
    NEGATIVES,
    gated,
    left_out,
    limits_of,
    matrix,
    word_weights,
)

ROOT = Path(__file__).parents[3]
FOLDS = 8
QUESTIONS = 80
"""Spread over all tracks; `python -m grader.bank_check content/questions` looks at every one."""
CROSSED = 12


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return spread(list(read([ROOT / "content" / "questions"])), QUESTIONS)


@pytest.fixture(scope="module")
def figures(questions: list[Question]) -> dict[str, AnchorFigures]:
    async def scored() -> list[Scores]:
        return [await score(question, language) for question in questions for language in LANGUAGES]

    return {found.language: found for found in anchor_figures(asyncio.run(scored()))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_anchors_are_ranked_as_their_authors_mean_them(
    figures: dict[str, AnchorFigures], language: str
) -> None:
    assert figures[language].questions == QUESTIONS
    assert figures[language].ranked_right >= 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_anchors_get_about_the_score_that_is_meant(
    figures: dict[str, AnchorFigures], language: str
) -> None:
    for name, meant in ANCHOR_SCORES.items():
        assert figures[language].means[name] == pytest.approx(meant, abs=0.75), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_references_are_very_good_and_misconceptions_are_not(
    figures: dict[str, AnchorFigures], language: str
) -> None:
    assert figures[language].references_kept == 1
    assert figures[language].beliefs_capped >= 0.95


async def test_the_language_of_the_question_hardly_changes_the_score_of_an_answer(
    questions: list[Question],
) -> None:
    assert await language_gap(spread(questions, CROSSED), LocalExaminer()) <= 1


@pytest.mark.skipif(not GRADED_ANSWERS.exists(), reason="no graded answers beside us")
def test_answers_to_questions_it_never_saw_are_graded_nearly_as_people_do() -> None:
    """Trained without our packs, which makes it quicker and no better."""
    opened = list(open_rows(GRADED_ANSWERS))
    rows = [*opened, *negatives(opened, NEGATIVES)]
    reader = Reader(word_weights(opened))
    said = left_out(matrix(rows, reader), rows, FOLDS)[: len(opened)]
    nobody_talks = np.zeros(len(opened), bool)
    limited = np.minimum(gated(said, opened), limits_of(opened, nobody_talks, reader))
    ours, human = limited.tolist(), [row.worth for row in opened]
    assert pearson(ours, human) >= 0.61
    assert 5 * rmse(ours, human) <= 0.93
    assert quadratic_weighted_kappa(ours, human) >= 0.50
