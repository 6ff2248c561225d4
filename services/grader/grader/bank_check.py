"""Whether the local examiner marks the answers of the question packs as their authors mean them.

`python -m grader.bank_check PATH...` reads question files or folders and prints one line for each
problem; `-v` prints the scores of every reference and anchor too. Exit code 1 when there is any.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import yaml

from common.events import Language, QuestionSnapshot
from common.questions import ANCHOR_SCORES, AnchorName, Question
from grader.answer_text import examined_text
from grader.evidence import score_of
from grader.examiners import Examiner
from grader.local_examiner import LocalExaminer

TOLERANCE = 1.5
REFERENCE_AT_LEAST = 9
MODEL_ANSWER_AT_LEAST = 8
LOCAL = LocalExaminer()
YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Scores:
    """What the examiner gives in one language, and what it should."""

    question_id: str
    language: Language
    reference: int
    model_answer: int | None
    anchors: dict[AnchorName, int]
    beliefs: dict[str, tuple[int, int]]
    """For each misconception the highest score with one of its phrases added, and its cap."""

    def problems(self) -> Iterator[str]:
        where = f"{self.question_id}/{self.language}"
        if self.reference < REFERENCE_AT_LEAST:
            yield f"{where}: the reference gets {self.reference}"
        if self.model_answer is not None and self.model_answer < MODEL_ANSWER_AT_LEAST:
            yield f"{where}: the model answer gets {self.model_answer}"
        for name in sorted(set(ANCHOR_SCORES) - set(self.anchors)):
            yield f"{where}: the {name} anchor is missing"
        for name, score in self.anchors.items():
            meant = ANCHOR_SCORES[name]
            if abs(score - meant) > TOLERANCE:
                yield f"{where}: the {name} anchor gets {score} and is meant for {meant}"
        given = [self.anchors[name] for name in ANCHOR_SCORES if name in self.anchors]
        if any(lower >= higher for lower, higher in itertools.pairwise(given)):
            yield f"{where}: the anchors are not in order: {given}"
        for belief, (score, cap) in self.beliefs.items():
            if score > cap:
                yield f"{where}: the strong anchor with {belief} added gets {score}, over {cap}"


def read(paths: Sequence[Path]) -> Iterator[Question]:
    for path in paths:
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            document = yaml.load(file.read_text(encoding="utf-8"), Loader=YamlLoader)  # noqa: S506
            yield Question.model_validate(document)


async def score(question: Question, language: Language, examiner: Examiner = LOCAL) -> Scores:
    snapshot, said = question.snapshot(language), question.languages.of(language)
    anchors = {name: await mark(snapshot, text, examiner) for name, text in said.anchors.items()}
    beliefs = {}
    for belief in snapshot.misconceptions:
        strong = said.anchors.get("strong", said.reference)
        stated = [
            await mark(snapshot, f"{strong} {phrase}.", examiner) for phrase in belief.phrases
        ]
        beliefs[belief.id] = (max(stated), belief.cap)
    reference = await mark(snapshot, said.reference, examiner)
    model_answer = await mark(snapshot, said.model_answer, examiner) if said.model_answer else None
    return Scores(question.id, language, reference, model_answer, anchors, beliefs)


async def mark(question: QuestionSnapshot, answer: str, examiner: Examiner = LOCAL) -> int:
    """1 for what is not gradable."""
    text = examined_text(answer)
    found = await examiner.examine(question, text, language=question.language, level=1)
    return score_of(question, found)


async def check(paths: Sequence[Path]) -> list[Scores]:
    return [
        await score(question, language)
        for question in read(paths)
        for language in get_args(Language)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grader.bank_check", description=__doc__)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args(arguments)
    found = asyncio.run(check(given.paths))
    if given.verbose:
        for one in found:
            scores = " ".join(f"{name} {score}" for name, score in one.anchors.items())
            where = f"{one.question_id}/{one.language}"
            model = "" if one.model_answer is None else f" model answer {one.model_answer}"
            sys.stdout.write(f"{where}: reference {one.reference}{model} {scores}\n")
    problems = [problem for one in found for problem in one.problems()]
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
