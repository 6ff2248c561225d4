import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.events import QuestionSnapshot, RubricPoint
from grader.rubric import Mark, Verdict, combine, true_quote, with_evidence
from grader_testing.factories import question

RISING: tuple[Verdict, ...] = ("wrong", "missing", "partly", "met")

points = st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=8).map(
    lambda given: tuple(
        RubricPoint(id=f"p{n}", text=f"point {n}", weight=weight, required=required)
        for n, (weight, required) in enumerate(given)
    )
)
verdicts = st.lists(st.sampled_from(RISING), min_size=8, max_size=8)


def asked(rubric: tuple[RubricPoint, ...]) -> QuestionSnapshot:
    return question().model_copy(update={"points": rubric})


def marked(rubric: tuple[RubricPoint, ...], given: list[Verdict]) -> list[Mark]:
    return [
        Mark(point_id=point.id, verdict=verdict, quote="x")
        for point, verdict in zip(rubric, given, strict=False)
    ]


@given(points, verdicts, st.integers(0, 5))
def test_a_score_is_always_from_1_to_10(
    rubric: tuple[RubricPoint, ...], given: list[Verdict], contradictions: int
) -> None:
    assert 1 <= combine(asked(rubric), marked(rubric, given), contradictions) <= 10


@given(points)
def test_everything_met_is_10_and_nothing_met_is_1(rubric: tuple[RubricPoint, ...]) -> None:
    assert combine(asked(rubric), marked(rubric, ["met"] * 8)) == 10
    assert combine(asked(rubric), marked(rubric, ["missing"] * 8)) == 1
    assert combine(asked(rubric), []) == 1


@given(points.filter(lambda rubric: any(point.required for point in rubric)))
def test_everything_required_is_at_least_8_without_any_bonus(
    rubric: tuple[RubricPoint, ...],
) -> None:
    given: list[Verdict] = ["met" if point.required else "missing" for point in rubric]
    assert combine(asked(rubric), marked(rubric, given)) >= 8


@given(points, verdicts, st.integers(0, 7))
def test_a_better_verdict_never_lowers_the_score(
    rubric: tuple[RubricPoint, ...], given: list[Verdict], position: int
) -> None:
    before = combine(asked(rubric), marked(rubric, given))
    better = list(given)
    better[position] = RISING[min(RISING.index(given[position]) + 1, 3)]
    assert combine(asked(rubric), marked(rubric, better)) >= before


@given(points, verdicts)
def test_10_means_that_nothing_is_missing(
    rubric: tuple[RubricPoint, ...], given: list[Verdict]
) -> None:
    marks = marked(rubric, given)
    if combine(asked(rubric), marks) == 10:
        assert {mark.verdict for mark in marks} == {"met"}


def test_contradictions_cost_a_point_each_and_two_at_most() -> None:
    rubric = question().points
    all_met = marked(rubric, ["met"] * 3)
    scores = [combine(asked(rubric), all_met, contradictions) for contradictions in range(4)]
    assert scores == [10, 9, 8, 8]


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("last in", "Last   in"),
        ("Last in first out", "Last   in\nfirst out"),
        ('"first out."', "first out."),
        ("it is ... first", None),
        ("Last in ... a queue", "Last   in"),
        ("ast in", None),
        ("first in", None),
        ("", None),
        ("...", None),
        ('"."', None),
    ],
)
def test_a_quote_is_the_answers_own_words(quote: str, found: str | None) -> None:
    assert true_quote("Last   in\nfirst out. Not a queue.", quote) == found


@given(st.text(max_size=80), st.text(max_size=20), st.sampled_from(RISING))
def test_praise_always_quotes_the_answer(answer: str, quote: str, verdict: Verdict) -> None:
    marks = [Mark(point_id="lifo", verdict=verdict, quote=quote)]
    for mark in with_evidence(question(), marks, answer):
        if mark.verdict in {"met", "partly"}:
            assert mark.quote
        assert mark.quote in answer


@given(st.text(max_size=80), st.integers(0, 79), st.integers(1, 40))
def test_what_is_copied_from_the_answer_at_word_borders_is_found(
    answer: str, start: int, length: int
) -> None:
    words = answer.split()[start % 8 : start % 8 + length]
    quote = " ".join(words).strip("\"'“”‘’«»` .…[]")
    if any(character.isalnum() for character in quote) and "..." not in quote and "…" not in quote:
        assert true_quote(answer, quote)


def test_a_point_that_nobody_marked_is_missing_and_unknown_points_do_not_count() -> None:
    marks = [
        Mark(point_id="invented", verdict="met", quote="stack"),
        Mark(point_id="fifo", verdict="met", quote="stack"),
        Mark(point_id="fifo", verdict="missing"),
    ]
    found = with_evidence(question(), marks, "a stack")
    assert [(mark.point_id, mark.verdict) for mark in found] == [
        ("lifo", "missing"),
        ("fifo", "met"),
        ("use", "missing"),
    ]
