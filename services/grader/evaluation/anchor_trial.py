"""What promptfoo asks, and how it judges: as the grader writes its exams, and as it scores."""

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

from pydantic import ValidationError

from common.events import Language, QuestionSnapshot
from common.questions import AnchorName, Question
from grader.answer_text import examined_text
from grader.bank_check import TOLERANCE, read
from grader.evidence import stated, true_statements
from grader.exam import write_exam
from grader.openai_reply import PointsAreIncomplete, Reply, read_reply
from grader.rubric import combine, with_evidence

CONTENT = Path(__file__).parents[3] / "content" / "questions"
PROMPTS = Path(__file__).parents[1] / "grader" / "prompts"


class Case(TypedDict):
    question: str
    language: Language
    anchor: AnchorName
    meant: int


class Context(TypedDict):
    vars: Case


def grade_v2(context: Context) -> list[dict[str, str]]:
    """A prompt of promptfoo's; another one needs another function."""
    return _messages("grade_v2", context["vars"])


def judge(output: object, context: Context) -> dict[str, object]:
    """An assertion of promptfoo's: the score of the reply is near the one that is meant."""
    case = context["vars"]
    question, answer = _of(case)
    content = output if isinstance(output, str) else json.dumps(output)
    try:
        reply = read_reply(content, question)
    except (ValidationError, PointsAreIncomplete):
        return {"pass": False, "score": 0.0, "reason": "the reply cannot be read"}
    given, meant = _score(question, answer, reply), int(case["meant"])
    away = abs(given - meant)
    reason = f"{given}, meant for {meant}"
    return {"pass": away <= TOLERANCE, "score": 1 - away / 9, "reason": reason}


def _score(question: QuestionSnapshot, answer: str, reply: Reply) -> int:
    beliefs = stated(question.misconceptions, reply.stated_beliefs, answer)
    wrong = true_statements([*(quote for _, quote in beliefs), *reply.contradictions], answer)
    marks = with_evidence(question, reply.marks, answer)
    cap = min((belief.cap for belief, _ in beliefs), default=None)
    return combine(question, marks, len(wrong), cap=cap)


def _messages(prompt: str, case: Case) -> list[dict[str, str]]:
    question, answer = _of(case)
    exam = write_exam(question, answer, question.language, question.level)
    return [
        {"role": "system", "content": (PROMPTS / f"{prompt}.txt").read_text(encoding="utf-8")},
        {"role": "user", "content": _not_a_template(exam)},
    ]


def _not_a_template(exam: str) -> str:
    """Promptfoo fills in what looks like a variable of its own. Two braces in a row stand only
    inside the strings of this JSON, where they can be written otherwise."""
    return exam.replace("{{", r"\u007b\u007b").replace("{%", r"\u007b%").replace("{#", r"\u007b#")


def _of(case: Case) -> tuple[QuestionSnapshot, str]:
    question, language = _questions()[case["question"]], case["language"]
    answer = question.languages.of(language).anchors[case["anchor"]]
    return question.snapshot(language), examined_text(answer)


@cache
def _questions() -> dict[str, Question]:
    return {question.id: question for question in read([CONTENT])}
