"""Which question is open, from news in any order."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from common.events import Event, QuestionAssigned, QuestionClosed
from common.ids import AssignmentId, UserId
from users.handlers import follow_questions
from users.store import Store

from .conftest import NOW, Town

USER = UserId(uuid4())
FIRST, SECOND = AssignmentId(uuid4()), AssignmentId(uuid4())


def assigned(assignment_id: AssignmentId, minutes: int) -> Event:
    return QuestionAssigned(
        occurred_at=NOW + timedelta(minutes=minutes),
        user_id=USER,
        assignment_id=assignment_id,
        question_id="q",
        version=1,
    )


def closed(assignment_id: AssignmentId, minutes: int) -> Event:
    return QuestionClosed(
        occurred_at=NOW + timedelta(minutes=minutes),
        user_id=USER,
        assignment_id=assignment_id,
        reason="graded",
    )


EVENTS = (assigned(FIRST, 0), closed(FIRST, 5), assigned(SECOND, 6))


@pytest.mark.parametrize("order", list(permutations(EVENTS)))
async def test_the_order_of_the_news_does_not_matter(town: Town, order: tuple[Event, ...]) -> None:
    for events in ([event] for event in order):
        async with town.database.transaction() as transaction:
            await follow_questions(events, Store(transaction), NOW)
    async with town.database.transaction() as transaction:
        assert (await Store(transaction).get_circumstances(USER)).open_question == SECOND


async def test_a_batch_with_everything_twice_is_the_same(town: Town) -> None:
    async with town.database.transaction() as transaction:
        await follow_questions([*EVENTS, *reversed(EVENTS)], Store(transaction), NOW)
        assert (await Store(transaction).get_circumstances(USER)).open_question == SECOND


async def test_closed_questions_are_forgotten_in_the_end(town: Town) -> None:
    async with town.database.transaction() as transaction:
        store = Store(transaction)
        await follow_questions([*EVENTS], store, NOW)
        await follow_questions([closed(SECOND, 7)], store, NOW + timedelta(days=30))
        assert (await store.get_circumstances(USER)).open_question is None
    assert await town.number("SELECT count(*) FROM users.open_questions") == 0
