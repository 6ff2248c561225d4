"""How much an answer is worth to people, as far as its likeness to the reference tells."""

from functools import lru_cache

from common.events import QuestionSnapshot
from grader.local import ensemble
from grader.local.reading import Reader, Weights


class Estimator:
    def __init__(self) -> None:
        self._ensemble = ensemble.load()
        weights = Weights(self._ensemble.word_weights, self._ensemble.unknown_weight)
        self._reader = Reader(weights)
        self.version = self._ensemble.version

    def estimate(self, question: QuestionSnapshot, answer: str, marked: float | None) -> float:
        """0 to 1; `marked` as for `Reader.numbers`."""
        return self._ensemble.predict(self._reader.numbers(question, answer, marked))


@lru_cache(maxsize=1)
def estimator() -> Estimator:
    """Loaded when it is first needed, once a process: a third of a second, 45 MB."""
    return Estimator()
