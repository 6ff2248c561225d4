"""Trains what tells an attempt at a question from talk, typing at random and empty phrases."""

import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression

from common.events import Language, QuestionSnapshot
from grader.local.estimate import is_beside
from grader.local.reading import Reader
from grader.local.relevance import mean_meaning, related
from grader.local_examiner import without_question
from grader_training.rows import LANGUAGES, Marked

TALK = Path(__file__).parent / "talk"
ATTEMPT_FROM = 0.4
"""Nothing is learnt from answers that people gave less: they may be of either kind."""
TALKS_EACH, RANDOM_EACH, FOREIGN_EACH, PARTS = 4, 2, 3, 6
KEYS = ("asdfghjkl", "qwertyuiop", "zxcvbnm", string.ascii_lowercase)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    question: QuestionSnapshot
    answer: str
    kind: str
    """`answer`, or what it is instead of one."""
    part: int
    """Questions and talk of one part are never on both sides of a split."""


def talk(language: Language) -> list[str]:
    return (TALK / f"{language}.txt").read_text(encoding="utf-8").splitlines()


def without_keywords(question: QuestionSnapshot) -> QuestionSnapshot:
    """What talk cannot hit by chance must not be what gives it away."""
    points = tuple(point.model_copy(update={"keywords": ()}) for point in question.points)
    return question.model_copy(update={"points": points})


def examples(rows: Sequence[Marked], seed: int = 0) -> Iterator[Example]:
    """First one for each of `rows`, in their order."""
    chance = random.Random(seed)
    groups = sorted({row.group for row in rows})
    chance.shuffle(groups)
    parts = {group: number % PARTS for number, group in enumerate(groups)}
    talks = {language: talk(language) for language in LANGUAGES}
    answers: dict[str, list[Marked]] = {}
    for row in rows:
        answers.setdefault(row.group, []).append(row)
    asked: dict[tuple[str, Language], tuple[QuestionSnapshot, int, str]] = {}
    for row in rows:
        question, part = without_keywords(row.question), parts[row.group]
        asked.setdefault((question.text, question.language), (question, part, row.group))
        kind = "answer" if row.worth >= ATTEMPT_FROM else "bad answer"
        yield Example(question, row.answer, kind, part)
    for question, part, group in asked.values():
        foreign = [r for r in answers[group] if r.question.language != question.language]
        for row in chance.sample(foreign, min(FOREIGN_EACH, len(foreign))):
            yield Example(question, row.answer, "foreign answer", part)
        for said in chance.sample(talks[question.language][part::PARTS], TALKS_EACH):
            yield Example(question, said, "talk", part)
        for _ in range(RANDOM_EACH):
            yield Example(question, typed_at_random(chance), "random typing", part)


def typed_at_random(chance: random.Random) -> str:
    words = []
    for _ in range(chance.randint(2, 7)):
        keys = chance.choice(KEYS)
        words.append("".join(chance.choice(keys) for _ in range(chance.randint(3, 8))))
    return " ".join(words)


class Examples:
    """Their numbers, read once, for models with and without some of them."""

    def __init__(self, chosen: Sequence[Example], reader: Reader) -> None:
        self.kinds = np.array([one.kind for one in chosen])
        self.parts = np.array([one.part for one in chosen])
        read = [
            reader.read(one.question, without_question(one.question, one.answer)) for one in chosen
        ]
        self.meanings = np.array([mean_meaning(one.answer) for one in read])
        self.relations = np.array([related(one) for one in read])

    def fit(self, kept: NDArray[np.bool_]) -> tuple[Any, Any]:
        """The forest and the line of `Relevance`. What the forest learns of the line's scores are
        scores of a line that did not know them, as it will not know an answer to come."""
        kept = kept & (self.kinds != "bad answer")
        talk_scores = np.zeros(len(self.kinds))
        for part in np.unique(self.parts[kept]):
            out = kept & (self.parts == part)
            line = self._line(kept & ~out)
            talk_scores[out] = line.decision_function(self.meanings[out])
        line = self._line(kept)
        forest = ExtraTreesRegressor(150, min_samples_leaf=3, n_jobs=-1, random_state=0)
        forest.fit(np.c_[self.relations, talk_scores][kept], self._is_answer[kept])
        return forest, line

    def beside(self) -> NDArray[np.bool_]:
        """Which ones models that knew neither their question nor their talk take for talk."""
        found = np.zeros(len(self.kinds), bool)
        for part in range(PARTS):
            out = self.parts == part
            forest, line = self.fit(~out)
            scores = line.decision_function(self.meanings[out])
            relevance = forest.predict(np.c_[self.relations[out], scores])
            found[out] = [is_beside(*both) for both in zip(relevance, scores, strict=True)]
        return found

    def _line(self, kept: NDArray[np.bool_]) -> Any:
        line = LogisticRegression(C=1.0, max_iter=3000, class_weight="balanced")
        # Typing at random is nothing that the meaning of words could tell from rare terms.
        known = kept & (self.kinds != "random typing")
        return line.fit(self.meanings[known], self._is_answer[known])

    @property
    def _is_answer(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.isin(self.kinds, ("answer", "foreign answer"))
        return found


def shares_taken_for_talk(chosen: Examples) -> Iterator[str]:
    beside = chosen.beside()
    for kind in sorted(set(chosen.kinds)):
        taken = beside[chosen.kinds == kind]
        yield f"{kind}: n {len(taken)}, taken for talk {taken.mean():.2%}\n"
