"""What the local examiner may give to answers that are none, in three languages."""

from pathlib import Path
from typing import get_args

import pytest

from common.events import Language
from grader.anchors import spread
from grader.bank_check import mark, read
from grader.languages import as_answered, language_of
from grader.local_examiner import without_question
from grader.robustness import Case, Kind, bare, cases_of, tally
from grader_testing.factories import question

QUESTIONS = 60  # over all areas and levels; `python -m grader.robustness` takes all
BARE_QUESTIONS = 24
CONTENT = Path(__file__).parents[3] / "content"
TOLERATED: dict[Kind, float] = {"other_question": 0.05, "half_the_reference": 0.15}
"""The share of cases that may miss what is meant; nothing else may."""
TOLERATED_OF_BARE: dict[Kind, float] = {
    "other_question": 1.0,  # of the same field: without a rubric it gets about 6
    "half_the_reference": 0.15,
    "reference_in_another_language": 0.15,
}
TALK: dict[Language, tuple[str, ...]] = {
    "pt": (
        "Minha vizinha plantou tomate no quintal e deu muito fruto esse ano.",
        "Olha, eu diria que cada caso é um caso e tudo tem seu lado bom e ruim.",
        "O carteiro passou cedo e o cachorro latiu a manhã inteira",
    ),
    "en": (
        "My neighbour grew tomatoes in her garden and gave us a whole basket.",
        "Honestly every situation is different and both sides have their good and bad points.",
        "the postman came early and the dog barked all morning",
    ),
    "es": (
        "Mi vecina plantó tomates en el patio y este año dieron muchísimo.",
        "La verdad, cada caso es distinto y todo tiene su lado bueno y su lado malo.",
        "el cartero pasó temprano y el perro ladró toda la mañana",
    ),
}


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


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_nor_where_nothing_but_a_reference_is_known(kind: Kind) -> None:
    """Which is how `grader.evaluate` examines."""
    questions = spread(list(read([CONTENT / "questions"])), BARE_QUESTIONS)
    chosen = [case for case in cases_of(questions, is_bare=True) if case.kind == kind]
    [found] = await tally(chosen)
    assert len(found.scores) == 3 * BARE_QUESTIONS
    assert found.kept >= 1 - TOLERATED_OF_BARE.get(kind, 0.02), found.line()


async def test_everyday_talk_is_no_answer_to_anything() -> None:
    """Talk in no list that anything was trained with."""
    questions = spread(list(read([CONTENT / "questions"])), 6)
    asked = [(q.snapshot(lang), said) for q in questions for lang in TALK for said in TALK[lang]]
    for one, said in asked:
        for examined in (one, bare(one)):
            assert await mark(examined, said) <= 3, (one.question_id, said)


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
