"""Every query about questions. How they did is in `statistics`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from common.connection import Connection
from common.events import ListQuestions, QuestionStatus, Track
from common.questions import Question
from scheduler.errors import QuestionChanged, QuestionNotFound
from scheduler.models import QuestionRow

Origin = Literal["pack", "api"]
Key = tuple[str, int]

# One row a question: of the versions that fit, the published one, otherwise the newest.
LIST = text(
    """
    SELECT DISTINCT ON (id) id, version, newest_version, status, status_at, origin, created_at, body
    FROM (
        SELECT *, max(version) OVER (PARTITION BY id) AS newest_version FROM scheduler.questions
    ) AS question
    WHERE (CAST(:track AS text) IS NULL OR track = :track)
        AND (CAST(:level AS integer) IS NULL OR level = :level)
        AND (CAST(:status AS text) IS NULL OR status = :status)
        AND (CAST(:topic AS text) IS NULL OR topic = :topic)
        AND (CAST(:after AS text) IS NULL OR id > :after)
    ORDER BY id, status = 'published' DESC, version DESC
    LIMIT :limit
    """
)

VERSIONS = text(
    """
    SELECT id, version, max(version) OVER () AS newest_version, status, status_at, origin,
        created_at, body
    FROM scheduler.questions WHERE id = :id ORDER BY version DESC
    """
)

# A draft was never asked, so its number may change: the packs' versions are facts.
RENUMBER = text(
    """
    UPDATE scheduler.questions SET version = :free,
        body = jsonb_set(body, '{version}', to_jsonb(CAST(:free AS integer)))
    WHERE id = :id AND version = :version
    """
)


@dataclass(frozen=True)
class StoredQuestion:
    question: Question
    newest_version: int
    status: QuestionStatus
    status_at: datetime
    origin: Origin
    created_at: datetime

    @property
    def key(self) -> Key:
        return self.question.id, self.question.version


class QuestionStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Whoever changes the bank goes one after another, over all replicas."""
        await self._connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('questions'))"))

    async def publish_packs(self, questions: Sequence[Question]) -> None:
        """Insert what is new in the packs and publish it, unless a newer version was published or
        somebody retired it; retire what left the packs.

        A replica that starts with older packs takes no newer version back. Raises QuestionChanged.
        """
        await self.lock()
        rows = await self._connection.execute(
            select(QuestionRow.id, QuestionRow.version, QuestionRow.published_at)
        )
        known = {(row.id, row.version): row.published_at for row in rows}
        await self._retire_absent([question.id for question in questions])
        for question in questions:
            await self._take(question, known)
            was_newer = any(
                key[0] == question.id and key[1] > question.version and published_at
                for key, published_at in known.items()
            )
            if not was_newer and not await self._is_settled(question):
                await self.set_published(question.id, question.version, None)

    async def _take(self, question: Question, known: dict[Key, datetime | None]) -> None:
        key = (question.id, question.version)
        if key not in known:
            await self.insert(question, "pack", None)
        elif await self.get(*key) == question:
            return
        elif known[key] is not None:
            raise QuestionChanged(*key)
        else:
            free = max(version for name, version in known if name == question.id) + 1
            names = {"id": question.id, "version": question.version, "free": free}
            await self._connection.execute(RENUMBER, names)
            await self.insert(question, "pack", None)

    async def _is_settled(self, question: Question) -> bool:
        """Published already, or taken out by somebody: both stay."""
        query = select(QuestionRow.status, QuestionRow.is_withdrawn).where(
            QuestionRow.id == question.id, QuestionRow.version == question.version
        )
        row = (await self._connection.execute(query)).one()
        return bool(row.status == "published" or row.is_withdrawn)

    async def _retire_absent(self, ids: Sequence[str]) -> None:
        await self._connection.execute(
            update(QuestionRow)
            .where(
                QuestionRow.status == "published",
                QuestionRow.origin == "pack",
                QuestionRow.id.not_in(ids),
            )
            .values(status="retired", status_at=func.now())
        )

    async def insert(self, question: Question, origin: Origin, now: datetime | None) -> None:
        """As a draft."""
        at = func.now() if now is None else now
        await self._connection.execute(
            insert(QuestionRow).values(
                id=question.id,
                version=question.version,
                track=question.track,
                level=question.level,
                topic=question.topic,
                minutes=question.minutes,
                status="draft",
                status_at=at,
                origin=origin,
                body=question.model_dump(mode="json"),
                created_at=at,
            )
        )

    async def set_published(self, question_id: str, version: int, now: datetime | None) -> None:
        """The version that was published until now is retired; its history stays."""
        at = func.now() if now is None else now
        await self._connection.execute(
            update(QuestionRow)
            .where(QuestionRow.id == question_id, QuestionRow.status == "published")
            .values(status="retired", status_at=at)
        )
        await self._change(question_id, version, status="published", status_at=at, published_at=at)

    async def set_in_review(self, question_id: str, version: int, now: datetime) -> None:
        await self._change(question_id, version, status="review", status_at=now)

    async def withdraw(self, question_id: str, version: int, now: datetime) -> None:
        await self._change(question_id, version, status="retired", status_at=now, is_withdrawn=True)

    async def _change(self, question_id: str, version: int, **values: Any) -> None:
        await self._connection.execute(
            update(QuestionRow)
            .where(QuestionRow.id == question_id, QuestionRow.version == version)
            .values(**values)
        )

    async def published_keys(self) -> set[Key]:
        query = select(QuestionRow.id, QuestionRow.version).where(QuestionRow.status == "published")
        return {(row.id, row.version) for row in await self._connection.execute(query)}

    async def published(
        self, track: Track | None = None, after: str = "", limit: int | None = None
    ) -> list[Question]:
        query = select(QuestionRow.body).where(
            QuestionRow.status == "published", QuestionRow.id > after
        )
        if track is not None:
            query = query.where(QuestionRow.track == track)
        rows = await self._connection.execute(query.order_by(QuestionRow.id).limit(limit))
        return [Question.model_validate(row.body) for row in rows]

    async def get(self, question_id: str, version: int) -> Question:
        """Raises QuestionNotFound."""
        query = select(QuestionRow.body).where(
            QuestionRow.id == question_id, QuestionRow.version == version
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise QuestionNotFound(question_id, version)
        return Question.model_validate(row.body)

    async def versions(self, question_id: str) -> list[StoredQuestion]:
        """The newest first; none when there is no such question."""
        rows = await self._connection.execute(VERSIONS, {"id": question_id})
        return [_stored(row) for row in rows]

    async def list(self, asked: ListQuestions, limit: int | None) -> list[StoredQuestion]:
        names = {"track", "level", "status", "topic", "after"}
        rows = await self._connection.execute(
            LIST, asked.model_dump(include=names) | {"limit": limit}
        )
        return [_stored(row) for row in rows]


def _stored(row: Any) -> StoredQuestion:
    return StoredQuestion(
        question=Question.model_validate(row.body),
        newest_version=row.newest_version,
        status=row.status,
        status_at=row.status_at,
        origin=row.origin,
        created_at=row.created_at,
    )
