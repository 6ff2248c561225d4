"""Compare an examiner with people: `python -m grader.evaluate --data FILE.jsonl --grader local
--out PREDICTIONS.jsonl` prints one line of JSON. With `--record FOLDER` a model's replies are kept
there; with `--replay FOLDER` they come from there and nobody is asked."""

import argparse
import asyncio
import codecs
import json
import re
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from common.errors import SabatinaError
from common.events import Language, QuestionSnapshot, RubricPoint, Value
from grader.agreement import pearson, percentile, quadratic_weighted_kappa, rmse, spearman
from grader.answer_text import examined_text
from grader.candidates import Tape, examiner_named
from grader.examiners import Examination, Examiner
from grader.local_examiner import BESIDE_AT_MOST
from grader.rubric import WORTH, share_at, share_of
from grader.words import words_of

MOST_POINTS = 6
_FEWEST_WORDS = 2  # with content; less is no point of its own
_PART_END = re.compile(r"(?<=[.;!?])\s+|\n+|,\s+(?=(?:and|but|while|e|mas|enquanto|y|pero)\b)")


class RowIsBad(SabatinaError):
    def __init__(self, path: Path, line: int, fault: str) -> None:
        super().__init__(f"{path}, line {line}: {fault}")


class FileHasNoRows(SabatinaError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no rows")


def _bare_language(said: object) -> object:
    """`pt-BR` is `pt`."""
    return re.split("[-_]", said)[0].lower() if isinstance(said, str) else said


class Row(Value):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    question: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(min_length=1)]
    answer: str
    language: Annotated[Language, BeforeValidator(_bare_language)] = "en"
    human: Annotated[float, Field(ge=0, le=1)]


_ROW = TypeAdapter(Row)


def read_rows(path: Path) -> list[Row]:
    """Raises RowIsBad or FileHasNoRows."""
    # Not splitlines(): an answer may hold other characters that end a line, such as U+2028.
    lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise FileHasNoRows(path)
    return [_row(path, number, line) for number, line in numbered]


def _row(path: Path, number: int, line: bytes) -> Row:
    try:
        return _ROW.validate_json(line)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = (f"{'.'.join(map(str, f['loc']))} {f['msg']}".strip() for f in faults)
        raise RowIsBad(path, number, "; ".join(said)) from None


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
        return min(found.estimate or 0.0, share_at(BESIDE_AT_MOST))
    worth = {mark.point_id: WORTH[mark.verdict] for mark in found.marks}
    share = share_of(question, worth, found.estimate)
    return share if found.cap is None else min(share, share_at(found.cap))


async def evaluate(rows: Sequence[Row], name: str, at_once: int, tape: Tape) -> list[Prediction]:
    turns = asyncio.Semaphore(at_once)

    async with examiner_named(name, tape) as examiner:

        async def in_turn(row: Row) -> Prediction:
            async with turns:
                return await predict(row, examiner)

        return await asyncio.gather(*map(in_turn, rows))


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
        "rss_mb": most_resident_mb(),
    }
    return {"n": len(rows)} | {name: round(value, 4) for name, value in figures.items()}


def most_resident_mb() -> float:
    """The kernel's own count for this program: `getrusage` counts whoever started it too."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--grader", choices=("local", "openai"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--at-once", type=int, default=8, help="requests to the model at once")
    tape = parser.add_mutually_exclusive_group()
    tape.add_argument("--record", type=Path, help="keep the model's replies in this folder")
    tape.add_argument("--replay", type=Path, help="take them from there, and ask nobody")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    given = parser.parse_args(arguments)
    at_once = 1 if given.grader == "local" else given.at_once
    try:
        rows = read_rows(given.data)
        tape = Tape(record=given.record, replay=given.replay)
        predictions = asyncio.run(evaluate(rows, given.grader, at_once, tape))
    except (SabatinaError, OSError) as error:
        parser.error(str(error))
    given.out.write_text(
        "".join(json.dumps({"id": p.id, "score": round(p.score, 4)}) + "\n" for p in predictions),
        encoding="utf-8",
    )
    sys.stdout.write(json.dumps(summary(rows, predictions)) + "\n")


if __name__ == "__main__":
    main()
