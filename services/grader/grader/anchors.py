"""How well an examiner keeps to the anchor answers of the packs, and to none of the languages."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from common.events import Language, QuestionSnapshot
from common.questions import ANCHOR_SCORES, AnchorName, Question
from grader.bank_check import REFERENCE_AT_LEAST, Scores

LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class AnchorFigures:
    """Of one language."""

    language: Language
    questions: int
    means: dict[AnchorName, float]
    reference_mean: float
    references_kept: float
    """The share of reference answers that get as much as they must."""
    ranked_right: float
    """Of all pairs of anchors of one question, the share in the right order."""
    beliefs_capped: float


def anchor_figures(scores: Sequence[Scores]) -> list[AnchorFigures]:
    spoken = [(one, [s for s in scores if s.language == one and s.anchors]) for one in LANGUAGES]
    return [_figures(language, found) for language, found in spoken if found]


def _figures(language: Language, scores: Sequence[Scores]) -> AnchorFigures:
    pairs = [pair for one in scores for pair in _pairs(one)]
    beliefs = [given <= cap for one in scores for given, cap in one.beliefs.values()]
    references = [one.reference for one in scores]
    return AnchorFigures(
        language=language,
        questions=len(scores),
        means={
            name: mean([s.anchors[name] for s in scores if name in s.anchors])
            for name in ANCHOR_SCORES
        },
        reference_mean=mean(references),
        references_kept=mean([given >= REFERENCE_AT_LEAST for given in references]),
        ranked_right=mean([lower < higher for lower, higher in pairs]),
        beliefs_capped=mean(beliefs),
    )


def _pairs(scores: Scores) -> Iterator[tuple[int, int]]:
    """The score of what is meant for less, and of what is meant for more."""
    return itertools.combinations(
        [scores.anchors[n] for n in ANCHOR_SCORES if n in scores.anchors], 2
    )


def mean(values: Sequence[float]) -> float:
    """0 of nothing."""
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class Crossing:
    """An answer in one language to a question that was asked in another."""

    answered_in: Language
    asked_in: Language
    at_home: QuestionSnapshot
    abroad: QuestionSnapshot
    answer: str


def crossings(questions: Sequence[Question]) -> Iterator[Crossing]:
    """The reference and the strong anchor of each language, under the two other ones."""
    for question in questions:
        for spoken, asked in itertools.permutations(LANGUAGES, 2):
            said = question.languages.of(spoken)
            home, abroad = question.snapshot(spoken), question.snapshot(asked)
            for answer in filter(None, (said.reference, said.anchors.get("strong"))):
                yield Crossing(spoken, asked, home, abroad, answer)


def spread(questions: Sequence[Question], count: int | None) -> list[Question]:
    """`count` of them at equal distances, so that each track has its share; None is all."""
    if count is None or count >= len(questions):
        return list(questions)
    return [questions[number * len(questions) // count] for number in range(count)]
