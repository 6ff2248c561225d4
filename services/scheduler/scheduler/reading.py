"""What the admin API reads of the question bank."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from common.clock import Clock
from common.connection import Connection
from common.database import Database
from common.errors import CommandRefused
from common.events import (
    ExportedQuestions,
    ExportQuestions,
    GetQuestion,
    ListQuestions,
    QuestionPage,
    QuestionStatistics,
    QuestionVersionView,
    QuestionView,
)
from scheduler import documents
from scheduler.question_store import Key, QuestionStore, StoredQuestion
from scheduler.statistics import flags_of, statistics_of

PAGE_LIMIT = 200
EXPORTED_AT_ONCE = 20
"""Some 16 KB each: far below what one message may weigh."""

Statistics = Mapping[Key, QuestionStatistics]


async def list_questions(query: ListQuestions, database: Database, clock: Clock) -> QuestionPage:
    """A flag is known only when the statistics are: then all that fit are looked at."""
    limit = min(max(query.limit, 1), PAGE_LIMIT)
    async with database.transaction() as tx:
        store = QuestionStore(tx.connection)
        found = await store.list(query, None if query.flag else limit + 1)
        statistics = await statistics_of(tx.connection, [v.question.id for v in found])
    now = clock.now()
    views = [_version_view(version, statistics, now) for version in found]
    if query.flag:
        views = [v for v in views if any(each.flag == query.flag for each in v.flags)]
    items = tuple(views[:limit])
    return QuestionPage(
        items=items, next_after=items[-1].question_id if len(views) > limit else None
    )


async def get_question(query: GetQuestion, database: Database, clock: Clock) -> QuestionView:
    async with database.transaction() as tx:
        return await question_view(query.question_id, query.version, tx.connection, clock.now())


async def export_questions(query: ExportQuestions, database: Database) -> ExportedQuestions:
    async with database.transaction() as tx:
        store = QuestionStore(tx.connection)
        found = await store.published(query.track, query.after or "", EXPORTED_AT_ONCE + 1)
    shown = found[:EXPORTED_AT_ONCE]
    return ExportedQuestions(
        files=tuple(documents.written(question, query.format) for question in shown),
        next_after=shown[-1].id if len(found) > len(shown) else None,
    )


async def question_view(
    question_id: str, version: int | None, connection: Connection, now: datetime
) -> QuestionView:
    """Raises CommandRefused when there is no such question or version."""
    versions = await QuestionStore(connection).versions(question_id)
    shown = _shown(versions, version)
    if shown is None:
        raise CommandRefused("question_not_found", "There is no such question or version.")
    statistics = await statistics_of(connection, [question_id])
    return QuestionView(
        version=shown.question.version,
        document=documents.as_document(shown.question),
        versions=tuple(_version_view(each, statistics, now) for each in versions),
    )


def _shown(versions: Sequence[StoredQuestion], version: int | None) -> StoredQuestion | None:
    if version is not None:
        return next((v for v in versions if v.question.version == version), None)
    published = [v for v in versions if v.status == "published"]
    return next(iter([*published, *versions]), None)


def _version_view(
    stored: StoredQuestion, statistics: Statistics, now: datetime
) -> QuestionVersionView:
    question = stored.question
    found = statistics.get(stored.key, QuestionStatistics())
    return QuestionVersionView(
        question_id=question.id,
        version=question.version,
        newest_version=stored.newest_version,
        status=stored.status,
        track=question.track,
        level=question.level,
        topic=question.topic,
        concept=question.concept,
        origin=stored.origin,
        created_at=stored.created_at,
        status_at=stored.status_at,
        statistics=found,
        flags=flags_of(found, question.reviewed_on, now.date()),
    )
