"""Answers that people have marked: open data, and the anchors and references of our own packs."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.events import Language, QuestionSnapshot
from common.questions import ANCHOR_SCORES
from grader.bank_check import read
from grader.evaluate import Row, question_of
from grader.rubric import share_at

# Questions of the open data that were asked twice: both sides belong on one side of a split.
SAME_QUESTION = {
    "11.1": "2.1",
    "11.4": "3.1",
    "11.7": "4.4",
    "12.1": "6.1",
    "12.5": "7.2",
    "12.6": "9.1",
}
LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")


@dataclass(frozen=True)
class Marked:
    """`worth` is 0 to 1; rows of one `group` are never on both sides of a split."""

    question: QuestionSnapshot
    answer: str
    worth: float
    group: str
    weight: float = 1.0


def open_rows(path: Path) -> Iterator[Marked]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row = Row.model_validate_json(line)
        name = row.id.split("-")[0]
        yield Marked(question_of(row), row.answer, row.human, SAME_QUESTION.get(name, name))


def pack_rows(content: Path, weight: float) -> Iterator[Marked]:
    for question in read([content / "questions"]):
        for language in LANGUAGES:
            said, snapshot = question.languages.of(language), question.snapshot(language)
            for name, text in said.anchors.items():
                worth = share_at(ANCHOR_SCORES[name])
                yield Marked(snapshot, text, worth, question.id, weight)
            yield Marked(snapshot, said.reference, 1.0, question.id, weight)
            if said.model_answer:
                yield Marked(snapshot, said.model_answer, 1.0, question.id, weight)


BESIDE_THE_POINT = (
    "My favourite food is pizza and I like to travel on weekends with my family.",
    "Eu gosto muito de futebol e de churrasco no domingo com os amigos.",
    "Me gusta mucho el cine y los domingos salgo a caminar con mi perro.",
    "That is a great question and it depends on many factors that are very important.",
    "Acho que isso é muito importante e depende de vários fatores do projeto.",
    "Creo que es muy importante y depende de muchos factores del proyecto.",
    "lorem ipsum dolor sit amet consectetur adipiscing elit",
    "asdf qwer zxcv lkjh poiu",
)


def negatives(rows: Sequence[Marked], share: float, seed: int = 0) -> Iterator[Marked]:
    """Answers to other questions, the question itself, and talk: worth nothing.

    `share` is their weight together, of the weight of the rows."""
    chance = random.Random(seed)
    questions = sorted({(r.question.text, r.group): r for r in rows}.items(), key=lambda i: i[0])
    good = [row for row in rows if row.worth >= 0.8]
    made = []
    for (text, group), row in questions:
        others = [r for r in chance.sample(good, min(6, len(good))) if r.group != group][:2]
        made += [(row, other.answer) for other in others]
        made += [(row, text), (row, chance.choice(BESIDE_THE_POINT))]
    weight = share * sum(row.weight for row in rows) / max(len(made), 1)
    for row, answer in made:
        yield Marked(row.question, answer, 0.0, row.group, weight)


def groups_of(rows: Sequence[Marked]) -> NDArray[np.str_]:
    return np.array([row.group for row in rows])
