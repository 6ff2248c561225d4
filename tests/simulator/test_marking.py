import pytest

from simulator.marking import Exam, Marking, Point, mark

MUTABLE = Point(
    id="p1",
    text="Lists can be changed in place",
    keywords=("mutable", "mutável", "change in place"),
)
HASHABLE = Point(id="p2", text="A tuple can be a dictionary key", keywords=("hashable", "dict key"))


def marked(answer: str, *points: Point, language: str = "en") -> Marking:
    exam = Exam(question="List or tuple?", language=language, points=points, answer=answer)
    return mark(exam)


@pytest.mark.parametrize(
    ("answer", "quote"),
    [
        ("A list is mutable. A tuple is not.", "A list is mutable."),
        ("Well... A lista é MUTAVEL, a tupla não!", "A lista é MUTAVEL, a tupla não!"),
        ("first; lists are Mutable objects; last", "lists are Mutable objects;"),
        ("you change\n   in place", "you change\n   in place"),
        ("In Python 3.11 lists stay mutable", "In Python 3.11 lists stay mutable"),
    ],
)
def test_a_keyword_meets_the_point_and_its_clause_is_quoted(answer: str, quote: str) -> None:
    point = marked(answer, MUTABLE).points[0]
    assert (point.verdict, point.quote) == ("met", quote)
    assert point.quote in answer


def test_a_keyword_inside_another_word_does_not_count() -> None:
    assert marked("Strings are immutable here", MUTABLE).points[0].verdict == "missing"


def test_half_of_a_phrases_words_meet_the_point_partly() -> None:
    answer = "No idea about lists. Tuples may serve as a dictionary something."
    point = marked(answer, HASHABLE).points[0]
    assert point.verdict == "missing"
    point = marked("No idea. The tuple works in a dictionary.", HASHABLE).points[0]
    assert (point.verdict, point.quote) == ("partly", "The tuple works in a dictionary.")


def test_what_is_missing_has_no_quote() -> None:
    point = marked("I have never used this language", MUTABLE).points[0]
    assert (point.verdict, point.quote) == ("missing", "")


@pytest.mark.parametrize(
    ("answer", "gradable"),
    [
        ("", False),
        ("fine", False),
        ("ok ok", False),
        ("👍👍👍", False),
        ("1 2 3 4", False),
        ("mutable", True),
        ("a list can change", True),
    ],
)
def test_only_a_real_answer_is_gradable(answer: str, gradable: bool) -> None:
    assert marked(answer, MUTABLE).gradable is gradable


@pytest.mark.parametrize(
    ("language", "start"),
    [("pt", "Revise"), ("pt-BR", "Revise"), ("en", "Review"), ("es", "Repasa")],
)
def test_the_next_step_speaks_the_language(language: str, start: str) -> None:
    assert marked("nada disso", MUTABLE, language=language).next_step.startswith(start)


def test_marking_is_the_same_every_time() -> None:
    answer = "A list is mutable. The tuple works in a dictionary."
    assert marked(answer, MUTABLE, HASHABLE) == marked(answer, MUTABLE, HASHABLE)
