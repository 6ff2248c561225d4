"""Compare an examiner with people: `python -m grader.evaluate --data FILE.jsonl --grader local
--out PREDICTIONS.jsonl` prints one line of JSON."""

import argparse
import asyncio
import json
import re
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from common.events import Language, QuestionSnapshot, RubricPoint, Value
from grader.agreement import pearson, percentile, quadratic_weighted_kappa, rmse, spearman
from grader.answer_text import examined_text
from grader.examiners import Examination, Examiner
from grader.local_examiner import LocalExaminer
from grader.rubric import WORTH, share_of
from grader.settings import Settings
from grader.words import words_of

MOST_POINTS = 6
_FEWEST_WORDS = 2  # with content; less is no point of its own
_PART_END = re.compile(r"(?<=[.;!?])\s+|\n+|,\s+(?=(?:and|but|while|e|mas|enquanto|y|pero)\b)")


class Row(Value):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    question: str
    reference: str
    answer: str
    language: Language = "en"
    human: float


@dataclass(frozen=True)
class Prediction:
    id: str
    score: float
    milliseconds: float


def rubric_of(reference: str) -> tuple[RubricPoint, ...]:
    """These data have no rubric: each part of the reference that says something is a point."""
    parts: list[str] = []
    for part in _PART_END.split(reference):
        has_enough = sum(word.has_content for word in words_of(part)) >= _FEWEST_WORDS
        if parts and (not has_enough or len(parts) == MOST_POINTS):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return tuple(
        RubricPoint(
            id=f"p{number}",
            text=part,
            weight=max(1, sum(word.has_content for word in words_of(part))),
        )
        for number, part in enumerate(parts, 1)
    )


def question_of(row: Row) -> QuestionSnapshot:
    return QuestionSnapshot(
        question_id=row.id,
        version=1,
        track="dsa",
        level=1,
        topic="",
        language=row.language,
        text=row.question,
        points=rubric_of(row.reference),
        reference=row.reference,
    )


async def predict(row: Row, examiner: Examiner) -> Prediction:
    question = question_of(row)
    started = time.perf_counter()
    answer = examined_text(row.answer)
    found = await examiner.examine(question, answer, language=row.language, level=1)
    score = _share(question, found)
    return Prediction(row.id, score, (time.perf_counter() - started) * 1000)


def _share(question: QuestionSnapshot, found: Examination) -> float:
    if not found.is_gradable:
        return 0.0
    worth = {mark.point_id: WORTH[mark.verdict] for mark in found.marks}
    return share_of(question, worth, found.estimate)


async def evaluate(rows: Sequence[Row], name: str, at_once: int) -> list[Prediction]:
    examiner = LocalExaminer() if name == "local" else _openai_examiner()
    turns = asyncio.Semaphore(at_once)

    async def in_turn(row: Row) -> Prediction:
        async with turns:
            return await predict(row, examiner)

    return await asyncio.gather(*map(in_turn, rows))


def _openai_examiner() -> Examiner:
    from grader.openai_examiner import OpenAIExaminer

    return OpenAIExaminer.from_settings(Settings(grader="openai"))


def summary(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, float]:
    human = [row.human for row in rows]
    ours = [prediction.score for prediction in predictions]
    milliseconds = [prediction.milliseconds for prediction in predictions]
    figures = {
        "pearson": pearson(ours, human),
        "spearman": spearman(ours, human),
        "rmse": rmse(ours, human),
        "qwk": quadratic_weighted_kappa(ours, human),
        "p50_ms": percentile(milliseconds, 0.5),
        "p95_ms": percentile(milliseconds, 0.95),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return {"n": len(rows)} | {name: round(value, 4) for name, value in figures.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m grader.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--grader", choices=("local", "openai"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--at-once", type=int, default=8, help="requests to the model at once")
    given = parser.parse_args(arguments)
    lines = given.data.read_text(encoding="utf-8").splitlines()
    rows = [Row.model_validate_json(line) for line in lines if line.strip()]
    if not rows:
        parser.error(f"{given.data} holds no rows")
    at_once = 1 if given.grader == "local" else given.at_once
    predictions = asyncio.run(evaluate(rows, given.grader, at_once))
    given.out.write_text(
        "".join(json.dumps({"id": p.id, "score": round(p.score, 4)}) + "\n" for p in predictions),
        encoding="utf-8",
    )
    sys.stdout.write(json.dumps(summary(rows, predictions)) + "\n")


if __name__ == "__main__":
    main()
