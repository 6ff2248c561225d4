"""What the local examiner may give to answers that are none, in three languages."""

from pathlib import Path
from typing import get_args

import pytest

from grader.anchors import spread
from grader.bank_check import read
from grader.languages import as_answered, language_of
from grader.local_examiner import without_question
from grader.robustness import Case, Kind, cases_of, tally
from grader_testing.factories import question

QUESTIONS = 60  # over all areas and levels; `python -m grader.robustness` takes all
CONTENT = Path(__file__).parents[3] / "content"
TOLERATED: dict[Kind, float] = {"other_question": 0.05, "half_the_reference": 0.15}
"""The share of cases that may miss what is meant; nothing else may."""


@pytest.fixture(scope="module")
def all_cases() -> list[Case]:
    questions = list(read([CONTENT / "questions"]))
    return list(cases_of(spread(questions, QUESTIONS)))


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_nobody_gets_a_good_score_for_less_than_an_answer(
    all_cases: list[Case], kind: Kind
) -> None:
    [found] = await tally([case for case in all_cases if case.kind == kind])
    assert len(found.scores) >= 120
    assert found.kept >= 1 - TOLERATED.get(kind, 0.02), found.line()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Acho que a lista fica guardada entre as chamadas e não é criada de novo.", "pt"),
        ("I think the list is kept between the calls and it is not made again.", "en"),
        ("Creo que la lista queda guardada entre las llamadas y no se crea de nuevo.", "es"),
        ("O(log n)", None),
        ("", None),
    ],
)
def test_the_language_of_an_answer_is_known_when_it_tells(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_a_question_without_translations_is_taken_as_it_is() -> None:
    asked = question()
    assert as_answered(asked, "Acho que não é isso, porque a fila é outra coisa.") is asked


def test_the_question_repeated_is_no_part_of_the_answer() -> None:
    asked = question()
    assert without_question(asked, f"{asked.text.upper()} Because of X.").endswith("Because of X.")
