"""How much an answer is worth to people, as far as its likeness to the reference tells."""

from dataclasses import dataclass
from functools import lru_cache

from common.events import QuestionSnapshot
from grader.languages import language_of
from grader.local import ensemble
from grader.local.reading import Read, Reader, Weights
from grader.local.relevance import Relevance

# An answer is taken for talk when its relevance is very low, or low while its words are those of
# talk. With questions left out that is 98 of 100 talks (91 where references are a few words long),
# and 2 of 1,000 answers.
BESIDE, BESIDE_IN_TALK = 0.15, 0.4
# What answers in another language than their reference get too little, measured on our packs:
# above the pivot the distance to it is stretched. Portuguese and Spanish share much.
STRETCH_FROM, STRETCH, STRETCH_OF_NEIGHBOURS = 0.396, 1.41, 1.2
NEIGHBOURS = frozenset({"pt", "es"})


@dataclass(frozen=True)
class Estimate:
    """What an answer is worth; whether it is talk is only found out when somebody asks."""

    worth: float
    """0 to 1."""
    read: Read
    relevance: Relevance

    @property
    def is_beside(self) -> bool:
        """Talk, and no attempt at the question."""
        return is_beside(*self.relevance.of(self.read))


def is_beside(relevance: float, talk_score: float) -> bool:
    return relevance < BESIDE or (relevance < BESIDE_IN_TALK and talk_score < 0)


class Estimator:
    def __init__(self) -> None:
        self._ensemble = ensemble.load()
        weights = Weights(self._ensemble.word_weights, self._ensemble.unknown_weight)
        self._reader = Reader(weights)
        self.version = self._ensemble.version

    def estimate(self, question: QuestionSnapshot, answer: str, marked: float | None) -> Estimate:
        """`marked` as for `Read.numbers`."""
        read = self._reader.read(question, answer)
        worth = self._ensemble.predict(read.numbers(marked))
        worth = stretched(worth, question.reference, answer)
        return Estimate(worth, read, self._ensemble.relevance)


def stretched(worth: float, reference: str, answer: str) -> float:
    """As it would be in the language of the reference."""
    languages = {_language_of_reference(reference), language_of(answer)}
    if None in languages or len(languages) == 1:
        return worth
    factor = STRETCH_OF_NEIGHBOURS if languages == NEIGHBOURS else STRETCH
    return min(max(worth, STRETCH_FROM + factor * (worth - STRETCH_FROM)), 1.0)


_language_of_reference = lru_cache(maxsize=1_000)(language_of)


@lru_cache(maxsize=1)
def estimator() -> Estimator:
    """Loaded when it is first needed, once a process: a third of a second, 45 MB."""
    return Estimator()
