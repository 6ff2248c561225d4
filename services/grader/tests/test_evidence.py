"""What a quote proves, known misconceptions, and praise that the answer does not bear out."""

import pytest

from common.events import Language
from grader.answer_text import examined_text
from grader.evidence import count_evidence, doubted, score_of, stated, true_statements
from grader.examiners import Examination
from grader.examining import Grader
from grader.handlers import grade_answer
from grader.local_examiner import LocalExaminer
from grader.openai_examiner import OpenAIExaminer
from grader.rubric import Mark, Verdict
from grader_testing.factories import HALF, REFERENCES, question, rich_question, submission
from grader_testing.fake_llm import FakeLLM
from grader_testing.marking import by_keywords, lying, partly_lying
from grader_testing.reading import outbox, rows, said

BLUFF = "Plates in a kitchen, mostly, and people who wait for the bus in the rain."


def marks(*quotes: str) -> list[Mark]:
    points = question().points
    return [
        Mark(point_id=p.id, verdict="met", quote=quote)
        for p, quote in zip(points, quotes, strict=False)
    ]


def test_a_quote_counts_when_it_stands_in_the_answer_and_is_about_the_question() -> None:
    answer = f"{HALF} Reward me well."
    given = marks("the last element pushed", "it is FIFO", "Reward me well")
    assert count_evidence(question(), given, answer) == (3, 1)
    assert count_evidence(question(), [Mark(point_id="lifo", verdict="wrong")], answer) == (0, 0)


def test_the_words_of_a_translation_are_about_the_question_too() -> None:
    given = marks("para desfazer ações")
    answer = REFERENCES["pt"]
    assert count_evidence(rich_question("en"), given, answer) == (1, 1)
    assert count_evidence(question("en"), given, answer) == (1, 0)


def test_a_misconception_counts_when_it_is_known_and_said() -> None:
    [belief] = rich_question().misconceptions
    answer = "I think a queue is LIFO."
    claims = [("swapped", "A QUEUE is LIFO"), ("other", "a queue is LIFO"), ("swapped", "no words")]
    assert stated([belief], claims, answer) == [(belief, "a queue is LIFO")]
    assert true_statements(["queue is", "a queue is LIFO", "a queue is LIFO"], answer) == (
        "a queue is LIFO",
    )


def found(*, score: int, **more: object) -> Examination:
    verdict: Verdict = "met" if score > 1 else "missing"
    return Examination(
        marks=tuple(Mark(point_id=p.id, verdict=verdict, quote="x") for p in question().points),
        is_gradable=True,
        examiner="openai",
        model="m",
        prompt_version="v",
        cap=score,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "believed"), [(10, 1, 3), (6, 1, 3), (5, 1, 5), (10, 6, 10), (10, 5, 7)]
)
def test_what_is_far_above_the_local_score_is_not_believed(
    theirs: int, ours: int, believed: int
) -> None:
    judged = doubted(question(), found(score=theirs), found(score=ours))
    assert score_of(question(), judged) == believed
    assert judged.needs_review == (believed != theirs)


async def test_the_exam_calibrates_and_names_what_people_get_wrong(
    llm: FakeLLM, openai_examiner: OpenAIExaminer
) -> None:
    await openai_examiner.examine(rich_question(), HALF, language="es", level=1)
    exam = llm.exam()
    assert exam["anchors"] == [{"score": 3, "answer": "Stacks and queues keep things."}]
    assert exam["misconceptions"] == [
        {
            "id": "swapped",
            "text": "A queue would hand out the newest first.",
            "phrases": ["queue hands out the newest"],
        }
    ]
    assert exam["language"] == "es"


@pytest.mark.parametrize("language", ["pt", "en", "es"])
async def test_the_rubric_comes_in_the_language_of_the_answer(
    llm: FakeLLM, openai_examiner: OpenAIExaminer, language: Language
) -> None:
    llm.marking = by_keywords
    other: Language = "en" if language != "en" else "pt"
    answered = REFERENCES[language]
    result = await openai_examiner.examine(rich_question(other), answered, language=other, level=1)
    exam = llm.exam()
    assert (exam["reference"], exam["language"]) == (REFERENCES[language], other)
    assert score_of(rich_question(other), result) >= 9


async def test_a_misconception_that_is_stated_caps_the_score(
    llm: FakeLLM, openai_examiner: OpenAIExaminer
) -> None:
    llm.marking = by_keywords
    asked = rich_question()
    wrong = f"{REFERENCES['en']} And a queue hands out the newest."
    result = await openai_examiner.examine(asked, wrong, language="en", level=1)
    assert result.cap == 4
    assert score_of(asked, result) <= 4
    assert result.contradictions == ("And a queue hands out the newest",)
    right = await openai_examiner.examine(asked, REFERENCES["en"], language="en", level=1)
    assert (right.cap, score_of(asked, right)) == (None, 10)


async def test_a_misconception_that_nobody_stated_caps_nothing(
    llm: FakeLLM, openai_examiner: OpenAIExaminer
) -> None:
    invented = [{"id": "swapped", "quote": "a queue hands out the newest"}]
    llm.marking = lambda exam: by_keywords(exam) | {"misconceptions": invented}
    result = await openai_examiner.examine(
        rich_question(), REFERENCES["en"], language="en", level=1
    )
    assert (result.cap, score_of(rich_question(), result)) == (None, 10)


async def test_praise_without_evidence_is_suspicious_and_worth_nothing(
    model_grader: Grader, llm: FakeLLM
) -> None:
    llm.marking = lying
    await grade_answer(submission(HALF), model_grader)
    assert await rows(
        model_grader.database, "SELECT score, is_suspicious, examiner FROM grader.gradings"
    ) == [(1, True, "openai")]
    assert await rows(model_grader.database, "SELECT count(*) FROM grader.reviews") == [(0,)]
    [reply] = said(await outbox(model_grader.database))
    assert '"' not in reply.values["good"]


async def test_thin_praise_far_above_the_local_score_is_capped_and_goes_to_people(
    model_grader: Grader, llm: FakeLLM
) -> None:
    """The model quotes the answer truly, but not about the question, for every point."""
    llm.marking = partly_lying(1.0)
    local = await LocalExaminer().examine(question(), examined_text(BLUFF), language="en", level=2)
    ours = score_of(question(), local)
    await grade_answer(submission(BLUFF), model_grader)
    [(score, is_suspicious)] = await rows(
        model_grader.database, "SELECT score, is_suspicious FROM grader.gradings"
    )
    assert (score, is_suspicious) == (ours + 2, True)
    assert await rows(model_grader.database, "SELECT reason FROM grader.reviews") == [("evidence",)]


async def test_an_honest_examination_is_not_suspicious(model_grader: Grader, llm: FakeLLM) -> None:
    llm.marking = by_keywords
    for text in (*REFERENCES.values(), HALF):
        await grade_answer(submission(text), model_grader)
    assert await rows(
        model_grader.database, "SELECT DISTINCT is_suspicious FROM grader.gradings"
    ) == [(False,)]
