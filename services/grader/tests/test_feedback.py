import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.events import Language, QuestionSnapshot, RubricPoint
from grader.evidence import true_statements
from grader.feedback import (
    GOOD_BUDGET,
    MISSING_BUDGET,
    SUGGESTION_BUDGET,
    compose,
    plain,
    trimmed,
    units,
)
from grader.rubric import Mark, Verdict, with_evidence
from grader_testing.factories import question

VERDICTS: tuple[Verdict, ...] = ("met", "partly", "missing", "wrong")
NONE_MET: tuple[Verdict, ...] = ("missing",) * 3
ALL_MET: tuple[Verdict, ...] = ("met",) * 3
LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")


def marks(*verdicts: Verdict, quote: str = "last in, first out") -> list[Mark]:
    return [
        Mark(point_id=point.id, verdict=verdict, quote=quote if verdict != "missing" else "")
        for point, verdict in zip(question().points, verdicts, strict=True)
    ]


def test_praise_quotes_and_what_is_missing_comes_from_the_rubric() -> None:
    found = compose(question(), marks("met", "missing", "missing"), language="en", level=1)
    assert found.good == ('- In a stack the last element in is the first out: "last in, first out"')
    assert found.missing.splitlines() == [
        "- In a queue the first element in is the first out",
        "- (bonus) A stack serves to undo actions; a queue serves jobs in order",
    ]
    assert "queue the first element" in found.suggestion


def test_what_is_half_there_comes_before_a_bonus_that_is_missing() -> None:
    found = compose(question(), marks("met", "partly", "missing"), language="en", level=1)
    assert found.missing.splitlines() == [
        "- In a queue the first element in is the first out",
        "- (bonus) A stack serves to undo actions; a queue serves jobs in order",
    ]


@pytest.mark.parametrize("said", ["last in, first out", "A queue is last in, first out, too"])
def test_what_is_called_false_is_not_praised(said: str) -> None:
    found = compose(
        question(),
        marks("met", "missing", "missing"),
        language="en",
        level=1,
        contradictions=[said],
    )
    assert "last in" not in found.good
    assert f'This does not hold: "{said}"' in found.missing


def test_a_point_half_made_is_praised_as_half() -> None:
    found = compose(question(), marks("partly", "met", "met"), language="pt", level=1)
    assert "- (em parte) In a stack" in found.good
    assert found.missing == "- In a stack the last element in is the first out"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [0, 1, 2, 3, 9])
def test_empty_lists_become_a_fitting_phrase(language: Language, level: int) -> None:
    nothing = compose(question(), marks(*NONE_MET), language=language, level=level)
    everything = compose(question(), marks(*ALL_MET), language=language, level=level)
    for phrase in (nothing.good, everything.missing, everything.suggestion):
        assert len(phrase) > 15
        assert '"' not in phrase


def test_the_suggestion_differs_by_level() -> None:
    found = {
        compose(question(), marks("met", "missing", "met"), language="es", level=level).suggestion
        for level in (1, 2, 3)
    }
    assert len(found) == 3


def test_the_models_next_step_is_used_when_it_is_sane() -> None:
    def suggestion(next_step: str) -> str:
        return compose(
            question(), marks(*NONE_MET), language="en", level=1, next_step=next_step
        ).suggestion

    assert suggestion("Write a *queue* with\ntwo stacks.") == "Write a queue with two stacks."
    for odd in ("", "ok", "See https://spam.example now", "You got 10/10, well done", "x" * 900):
        assert suggestion(odd).startswith("Read up on this idea")


def test_what_is_wrong_is_said_with_the_persons_own_words() -> None:
    found = compose(
        question(),
        marks("met", "met", "met"),
        language="en",
        level=1,
        contradictions=["a queue is *LIFO*"],
    )
    assert found.missing == '- This does not hold: "a queue is LIFO"'


def test_markup_in_a_quote_styles_nothing() -> None:
    assert plain('*bold* _it_ ~no~ ```code``` "said"\nnext') == "bold it no code 'said' next"


def test_text_is_cut_at_the_end_of_a_sentence_or_of_a_word() -> None:
    text = "One sentence is here. Another one follows it"
    assert trimmed(text, 30) == "One sentence is here."
    assert trimmed(text, 19) == "One sentence is…"
    assert trimmed("😀" * 20, 10) == "😀😀😀😀…"


sayings = st.builds(
    lambda rest, start: start + rest, st.text(max_size=300), st.sampled_from(["a", "É", "9 "])
)


def long_question(texts: list[str]) -> QuestionSnapshot:
    rubric = tuple(
        RubricPoint(id=f"p{n}", text=text, required=n % 2 == 0) for n, text in enumerate(texts)
    )
    return question().model_copy(update={"points": rubric})


@given(
    st.lists(sayings, min_size=1, max_size=8),
    st.lists(st.sampled_from(VERDICTS), min_size=8, max_size=8),
    sayings,
    st.text(max_size=700),
    st.sampled_from(LANGUAGES),
    st.integers(1, 3),
)
def test_feedback_always_keeps_its_budget_and_its_shape(
    texts: list[str],
    verdicts: list[Verdict],
    quote: str,
    next_step: str,
    language: Language,
    level: int,
) -> None:
    asked = long_question(texts)
    given = [
        Mark(point_id=point.id, verdict=verdict, quote=quote)
        for point, verdict in zip(asked.points, verdicts, strict=False)
    ]
    found = compose(
        asked, given, language=language, level=level, next_step=next_step, contradictions=[quote]
    )
    assert units(found.good) <= GOOD_BUDGET
    assert units(found.missing) <= MISSING_BUDGET
    assert 0 < units(found.suggestion) <= SUGGESTION_BUDGET
    for line in (found.good + "\n" + found.missing).split("\n"):
        assert line.startswith("- ")
        assert any(character.isalnum() for character in line)


words = st.text(alphabet="abcé ,.\n*_~`\"'“…()🙂\t-", max_size=200)


@given(words, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 120)), min_size=4), words)
def test_every_quote_in_a_feedback_stands_in_the_answer(
    answer: str, places: list[tuple[int, int]], invented: str
) -> None:
    """Whatever the examiner claims: true passages, passages of its own, and mixtures."""
    quotes = [answer[start : start + length] for start, length in places[:3]]
    quotes[1] += invented
    verdicts: tuple[Verdict, ...] = ("met", "partly", "wrong")
    claimed = [
        Mark(point_id=point.id, verdict=verdict, quote=quote)
        for point, verdict, quote in zip(question().points, verdicts, quotes, strict=True)
    ]
    wrong = true_statements([answer[slice(*places[3])], invented], answer)
    found = compose(
        question(),
        with_evidence(question(), claimed, answer),
        language="en",
        level=1,
        contradictions=wrong,
    )
    for line in f"{found.good}\n{found.missing}".split("\n"):
        for quoted in re.findall(r': "(.*)"$', line):
            assert quoted.removesuffix("…") in plain(answer)
