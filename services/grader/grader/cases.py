"""What people decided, as cases to test an examiner with: `python -m grader.cases export` prints a
line of JSON for each, which `grader.evaluate --data` reads. None tells whose answer it was."""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Row, select

from common.database import Database
from common.events import Language, QuestionSnapshot, Value
from grader.models import Answer, Review
from grader.settings import Settings


class Case(Value):
    id: str
    """Of the review."""
    question_id: str
    version: int
    question: str
    reference: str
    answer: str
    language: Language
    score: int
    human: float
    """The score as a share, 0 to 1."""


async def decided_cases(database: Database) -> Sequence[Case]:
    query = (
        select(Review.id, Review.score, Answer.question, Answer.text, Answer.language)
        .join(Answer, Answer.id == Review.answer_id)
        .where(Review.score.is_not(None))
        .order_by(Review.decided_at, Review.id)
    )
    async with database.transaction() as transaction:
        rows = (await transaction.connection.execute(query)).all()
    return [_case(row) for row in rows]


def _case(row: "Row[UUID, int | None, dict[str, object], str, str]") -> Case:
    asked, score = QuestionSnapshot.model_validate(row.question), row.score
    return Case(
        id=str(row.id),
        question_id=asked.question_id,
        version=asked.version,
        question=asked.text,
        reference=asked.reference,
        answer=row.text,
        language=row.language,
        score=score,
        human=round((score - 1) / 9, 4),
    )


async def export(url: str) -> Iterator[str]:
    database = Database(url, "grader", pool_size=1)
    try:
        return iter([f"{case.model_dump_json()}\n" for case in await decided_cases(database)])
    finally:
        await database.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m grader.cases", description=__doc__)
    parser.add_argument("command", choices=("export",))
    parser.parse_args(arguments)
    url = Settings().postgres_url.get_secret_value()
    sys.stdout.writelines(asyncio.run(export(url)))


if __name__ == "__main__":
    main()
