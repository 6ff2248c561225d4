"""What the model is given: the question with its rubric, and the answer, as one JSON object."""

import json
import secrets
from collections.abc import Sequence
from importlib.resources import files

from common.events import Language, QuestionSnapshot
from grader.languages import as_answered
from grader.openai_reply import SCHEMA

PROMPT_VERSION = "grade_v2"


def instructions(*, has_schemas: bool, complaint: str = "") -> Sequence[str]:
    """A server that enforces no schema is shown it."""
    said = [(files("grader") / "prompts" / f"{PROMPT_VERSION}.txt").read_text(encoding="utf-8")]
    if not has_schemas:
        said.append(f"The JSON object must follow this JSON Schema:\n{json.dumps(SCHEMA)}")
    if complaint:
        said.append(complaint)
    return said


def write_exam(question: QuestionSnapshot, answer: str, language: Language, level: int) -> str:
    """A JSON string cannot be left from inside: no text of the answer becomes a field.

    The rubric is given in the language of the answer, where it is known and there is one.
    """
    asked = as_answered(question, answer)
    points = [{"id": p.id, "text": p.text, "keywords": p.keywords} for p in asked.points]
    beliefs = [{"id": m.id, "text": m.text, "phrases": m.phrases} for m in asked.misconceptions]
    anchors = [{"score": a.score, "answer": a.text} for a in asked.anchors]
    return json.dumps(
        {
            "fence": secrets.token_hex(8),
            "question": asked.text,
            "reference": asked.reference,
            "language": language,
            "level": level,
            "points": points,
            "misconceptions": beliefs,
            "anchors": anchors,
            "answer": answer,
        },
        ensure_ascii=False,
    )
