"""What a test looks up in the grader's database."""

from sqlalchemy import text

from common.database import Database
from common.events import Message, SendMessage
from common.events.base import message_class


async def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    async with database.transaction() as transaction:
        return [tuple(row) for row in await transaction.connection.execute(text(query))]


async def outbox(database: Database) -> list[Message]:
    found = await rows(database, "SELECT subject, body FROM grader.outbox ORDER BY sequence")
    messages = []
    for subject, body in found:
        assert isinstance(subject, str)
        assert isinstance(body, bytes)
        messages.append(message_class(subject).model_validate_json(body))
    return messages


async def take_outbox(database: Database) -> list[Message]:
    """What was published since the last time."""
    found = await outbox(database)
    async with database.transaction() as transaction:
        await transaction.connection.execute(text("DELETE FROM grader.outbox"))
    return found


def said(messages: list[Message]) -> list[SendMessage]:
    return [message for message in messages if isinstance(message, SendMessage)]
