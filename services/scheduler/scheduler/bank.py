"""The question bank: published in the database, kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.database import Database, Transaction
from common.errors import DependencyUnavailable
from scheduler.planning import Candidate, Library
from scheduler.questions import Question
from scheduler.store import QuestionStore

Key = tuple[str, int]


@dataclass
class QuestionBank:
    """A version of a question never changes, so what was read once stays right."""

    database: Database
    _questions: dict[Key, Question]
    _library: Library | None = None

    @classmethod
    def of(cls, database: Database) -> "QuestionBank":
        return cls(database, {})

    @property
    def library(self) -> Library:
        """The published questions. Raises DependencyUnavailable until they are loaded."""
        if self._library is None:
            raise DependencyUnavailable("the questions are not loaded yet")
        return self._library

    async def publish(self, questions: Sequence[Question]) -> None:
        """Store what is new in the packs, then load what is published.

        Raises QuestionChanged when a known version has another text."""
        async with self.database.transaction() as tx:
            store = QuestionStore(tx.connection)
            await store.publish(questions)
            published = await store.published()
        self._questions.update({(q.id, q.version): q for q in published})
        self._library = Library([Candidate(q.id, q.version, q.track, q.level) for q in published])

    def require_loaded(self) -> None:
        """Raises DependencyUnavailable until the questions are loaded."""
        _ = self.library

    def known(self, candidate: Candidate) -> Question:
        return self._questions[candidate.id, candidate.version]

    async def get(self, question_id: str, version: int, tx: Transaction) -> Question:
        """Any version that was ever asked. Raises QuestionNotFound."""
        key = (question_id, version)
        if key not in self._questions:
            self._questions[key] = await QuestionStore(tx.connection).get(*key)
        return self._questions[key]
