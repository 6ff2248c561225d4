"""Compare examiners on one HTML page: `python -m grader.report --out build/grading.html`.

With `--data FILE.jsonl` (rows as for `grader.evaluate`) beside people, otherwise on the question
packs alone. Every examiner that the settings name, or those given with `--examiner`; a model sees
a sample, because it costs money. `--promptfoo FOLDER` writes the cases for promptfoo instead.
"""

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from common.clock import SystemClock
from common.errors import SabatinaError
from common.questions import ANCHOR_SCORES, Question
from grader.anchors import LANGUAGES, spread
from grader.bank_check import read
from grader.candidates import Tape, Watched, configured_names, examiner_named
from grader.evaluate import Row, read_rows
from grader.exam import PROMPT_VERSION
from grader.findings import Findings, find_out
from grader.local.estimate import estimator
from grader.local_examiner import VERSION
from grader.openai_reply import SCHEMA
from grader.report_page import About, page
from grader.settings import Settings

MODEL_QUESTIONS, MODEL_ROWS = 8, 200


def main(arguments: Sequence[str] | None = None) -> None:
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        questions = list(read([given.content / "questions"]))
        if given.promptfoo:
            write_promptfoo(given.promptfoo, spread(questions, given.questions))
            return
        rows = read_rows(given.data) if given.data else []
        written = page(asyncio.run(compare(given, rows, questions)), about(given.data, rows))
    except (SabatinaError, OSError) as error:
        parser.error(str(error))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(written, encoding="utf-8")
    sys.stdout.write(f"{given.out}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader.report", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/grading.html"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--content", type=Path, default=Path("content"))
    parser.add_argument("--examiner", nargs="+", help="local, openai, openai:MODEL")
    parser.add_argument("--questions", type=int, help="how many of the packs; a model sees 8")
    parser.add_argument("--rows", type=int, help="how many of the data; a model sees 200")
    parser.add_argument("--record", type=Path, help="keep the models' replies in this folder")
    parser.add_argument("--replay", type=Path, help="take them from there, and ask nobody")
    parser.add_argument("--promptfoo", type=Path, metavar="FOLDER")
    return parser


async def compare(
    given: argparse.Namespace, rows: Sequence[Row], questions: Sequence[Question]
) -> list[Findings]:
    tape = Tape(record=given.record, replay=given.replay)
    found = []
    for name in given.examiner or configured_names(Settings()):
        is_model = name != "local"
        most_rows = given.rows or (MODEL_ROWS if is_model else len(rows))
        most_questions = given.questions or (MODEL_QUESTIONS if is_model else None)
        chosen = spread(questions, most_questions)
        async with examiner_named(name, tape) as examiner:
            watched = Watched(examiner)
            found.append(await find_out(name, watched, _sample(rows, most_rows), chosen))
    return found


def _sample(rows: Sequence[Row], count: int) -> list[Row]:
    """At equal distances, so that no question is left out as a whole."""
    count = min(count, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def about(data: Path | None, rows: Sequence[Row]) -> About:
    told = "none"
    if data is not None:
        told = f"{data.name}, {len(rows)} rows, sha256 {sha256(data.read_bytes()).hexdigest()[:12]}"
    versions = {
        "local examiner": f"{VERSION} with {estimator().version}",
        "prompt": PROMPT_VERSION,
        "Python": platform.python_version(),
    }
    return About(made_at=SystemClock().now(), data=told, versions=versions)


def write_promptfoo(folder: Path, questions: Sequence[Question]) -> None:
    """A case an anchor. What is asked, `evaluation/anchor_trial.py` writes from the packs."""
    cases = [
        {
            "description": f"{question.id}, {language}, {name}",
            "vars": {
                "question": question.id,
                "language": language,
                "anchor": name,
                "meant": ANCHOR_SCORES[name],
            },
        }
        for question in questions
        for language in LANGUAGES
        for name in question.languages.of(language).anchors
    ]
    schema = {"type": "json_schema", "name": "marking", "strict": True, "schema": SCHEMA}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("tests.json", cases), ("schema.json", schema)):
        (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{folder}: {len(cases)} cases\n")


if __name__ == "__main__":
    main()
