"""A database with gradings in it is brought forward, as on a running system."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from common import migrations
from common.clock import FixedClock
from common.database import Database
from devstack.pytest_plugin import Servers
from grader.disputes import dispute_grade
from grader.examiners import Board
from grader.examining import Grader
from grader.local_examiner import LocalExaminer
from grader.openai_examiner import OpenAIExaminer
from grader.regrading import regrade_round
from grader_testing.factories import NOW, submission
from grader_testing.reading import rows, said, take_outbox

from .test_disputes import objection

BEFORE = "0001"
COMMAND = submission()


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    """As it was before scores could be questioned."""
    with servers.database_at("grader", BEFORE) as found:
        yield found


def fill(url: str, answer_id: UUID) -> None:
    """As the version before writes it."""
    question = Jsonb(COMMAND.question.model_dump(mode="json"))
    inbound = Jsonb(COMMAND.inbound.model_dump(mode="json"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO answers (id, user_id, assignment_id, question_id, question_version,"
            " question, text, language, level, streak, inbound, state, submitted_at, received_at)"
            " VALUES (%s, %s, %s, 'q', 1, %s, %s, 'en', 2, 5, %s, 'graded', %s, %s)",
            [
                *(answer_id, COMMAND.user_id, COMMAND.assignment_id, question, COMMAND.text),
                *(inbound, NOW, NOW),
            ],
        )
        connection.execute(
            "INSERT INTO gradings (id, answer_id, kind, examiner, model, prompt_version, score,"
            " is_gradable, is_provisional, points, feedback, tokens_in, tokens_out, latency_ms,"
            " created_at) VALUES (%s, %s, 'first', 'local', 'old', '', 2, true, true, '[]',"
            ' \'{"good": "-", "missing": "-", "suggestion": "-"}\', 0, 0, 1, %s)',
            [uuid4(), answer_id, NOW],
        )


async def test_gradings_of_the_version_before_go_on_as_they_were(
    url: str, openai_examiner: OpenAIExaminer
) -> None:
    fill(url, COMMAND.answer_id)
    migrations.upgrade("grader", url)
    migrations.upgrade("grader", url)
    database = Database(url, "grader", pool_size=2)
    grader = Grader(database, Board(openai_examiner, LocalExaminer()), FixedClock(NOW))
    assert await rows(database, "SELECT is_suspicious, is_cached FROM grader.gradings") == [
        (False, False)
    ]
    assert await regrade_round(grader) == 1
    [correction] = said(await take_outbox(database))
    assert (correction.values["old"], correction.values["score"]) == ("2", "10")
    await dispute_grade(objection(COMMAND), grader)
    assert [reply.kind for reply in said(await take_outbox(database))] == ["dispute_received"]
    await database.close()


async def test_the_version_before_can_still_write_its_rows(url: str) -> None:
    """While replicas are replaced one by one."""
    migrations.upgrade("grader", url)
    fill(url, uuid4())
