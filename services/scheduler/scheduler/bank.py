"""The question bank: published in the database, kept in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.database import Database, Transaction
from common.errors import DependencyUnavailable
from common.questions import Question
from scheduler.planning import Candidate, Library
from scheduler.question_store import Key, QuestionStore

LOOK_EVERY = 5.0  # seconds, for what another replica published


@dataclass
class QuestionBank:
    """A version that was published never changes, so what was read once stays right."""

    database: Database
    _questions: dict[Key, Question]
    _library: Library | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

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
            await store.publish_packs(questions)
            # Nothing is read again that is at hand: the bank is the most of this process's memory.
            self._questions.update({(q.id, q.version): q for q in questions})
            published = [await self.get(*key, tx) for key in sorted(await store.published_keys())]
        self._hold(published)

    def _hold(self, published: Sequence[Question]) -> None:
        self._questions.update({(q.id, q.version): q for q in published})
        self._library = Library([candidate_of(question) for question in published])

    def wake(self) -> None:
        """Something was published or retired."""
        self._wake.set()

    async def follow(self) -> None:
        """Holds what is published, whoever published it."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self.refresh()

    async def refresh(self) -> None:
        async with self.database.transaction() as tx:
            store = QuestionStore(tx.connection)
            keys = await store.published_keys()
            if keys == {(c.id, c.version) for c in self.library.candidates}:
                return
            published = [await self.get(*key, tx) for key in sorted(keys)]
        self._hold(published)

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


def candidate_of(question: Question) -> Candidate:
    return Candidate(
        question.id, question.version, question.track, question.level, question.concept
    )
