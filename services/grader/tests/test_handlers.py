import asyncio
import json
from dataclasses import dataclass, field

import pytest

from common.clock import FixedClock
from common.database import Database
from common.events import (
    AnswerGraded,
    GradeAnswer,
    Language,
    QuestionSnapshot,
    SendMessage,
    UserDeleted,
)
from common.ids import derived_id
from grader.app import PATIENCE, board_for
from grader.examiners import Board, Examination, ExaminerFailed, ExaminerName
from grader.examining import Grader
from grader.handlers import OVERDUE, forget_person, grade_answer, grade_waiting
from grader.local_examiner import LocalExaminer
from grader.openai_examiner import OpenAIExaminer
from grader.settings import Settings
from grader.store import Store
from grader_testing.factories import HALF, NOW, submission
from grader_testing.fake_llm import FakeLLM, Mood
from grader_testing.reading import outbox, rows

LOCAL = LocalExaminer()


@pytest.fixture
def grader(database: Database) -> Grader:
    return Grader(database, Board(LOCAL, LOCAL), FixedClock(NOW))


@pytest.fixture
async def llm_grader(database: Database, openai_examiner: OpenAIExaminer) -> Grader:
    return Grader(database, Board(openai_examiner, LOCAL), FixedClock(NOW))


@dataclass
class SlowExaminer:
    """The local one, once the test lets it."""

    release: asyncio.Event = field(default_factory=asyncio.Event)
    started: int = 0
    name: ExaminerName = "local"
    model: str = "slow"

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        self.started += 1
        await self.release.wait()
        return await LOCAL.examine(question, answer, language=language, level=level)


async def test_an_answer_is_kept_graded_and_replied_to(grader: Grader) -> None:
    command = submission()
    await grade_answer(command, grader)
    graded, reply = await outbox(grader.database)
    assert isinstance(graded, AnswerGraded)
    assert graded.message_id == derived_id("graded", command.answer_id)
    assert (graded.examiner, graded.is_provisional) == ("local", False)
    assert graded.score is not None
    assert isinstance(reply, SendMessage)
    assert reply.message_id == derived_id("feedback", command.answer_id)
    assert (reply.kind, reply.purpose, reply.inbound) == ("feedback", "reply", command.inbound)
    assert set(reply.values) == {
        "score", "good", "missing", "suggestion", "streak", "a", "provisional",
    }  # fmt: skip
    assert reply.values["score"] == str(graded.score)
    assert reply.values["a"] == str(command.assignment_id)
    assert (reply.values["streak"], reply.values["provisional"]) == ("5", "")
    [(state, kept, asked)] = await rows(
        grader.database, "SELECT state, text, question FROM grader.answers"
    )
    assert (state, kept) == ("graded", HALF)
    assert asked == json.loads(command.question.model_dump_json())
    [(score, points, feedback)] = await rows(
        grader.database, "SELECT score, points, feedback FROM grader.gradings"
    )
    assert score == graded.score
    assert isinstance(points, list)
    assert [set(point) for point in points] == [{"id", "verdict", "quote"}] * 3
    assert isinstance(feedback, dict)
    assert feedback["good"] == reply.values["good"]


async def test_what_is_not_gradable_has_no_score_and_is_asked_for_again(grader: Grader) -> None:
    command = submission("fine")
    await grade_answer(command, grader)
    graded, reply = await outbox(grader.database)
    assert isinstance(graded, AnswerGraded)
    assert graded.score is None
    assert isinstance(reply, SendMessage)
    assert (reply.kind, reply.values) == ("low_effort", {"a": str(command.assignment_id)})
    assert await rows(
        grader.database,
        "SELECT state, score, is_gradable FROM grader.answers JOIN grader.gradings"
        " ON answers.id = answer_id",
    ) == [("not_gradable", None, False)]


async def test_an_answer_delivered_twice_is_graded_once(grader: Grader) -> None:
    command = submission()
    await grade_answer(command, grader)
    await grade_answer(command, grader)
    assert len(await outbox(grader.database)) == 2
    assert await rows(grader.database, "SELECT count(*) FROM grader.gradings") == [(1,)]


async def test_two_replicas_at_once_have_one_outcome(database: Database) -> None:
    examiner = SlowExaminer()
    grader = Grader(database, Board(examiner, LOCAL), FixedClock(NOW))
    command = submission()
    both = [asyncio.create_task(grade_answer(command, grader)) for _ in range(2)]
    while examiner.started < 2:
        await asyncio.sleep(0.01)
    assert await rows(database, "SELECT state FROM grader.answers") == [("received",)]
    examiner.release.set()
    await asyncio.gather(*both)
    assert [type(message) for message in await outbox(database)] == [AnswerGraded, SendMessage]
    assert await rows(database, "SELECT count(*) FROM grader.gradings") == [(1,)]


async def test_an_examination_that_dies_is_done_again_on_redelivery(database: Database) -> None:
    examiner = SlowExaminer()
    grader = Grader(database, Board(examiner, LOCAL), FixedClock(NOW))
    command = submission()
    dying = asyncio.create_task(grade_answer(command, grader))
    while not examiner.started:
        await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    examiner.release.set()
    await grade_answer(command, grader)
    assert len(await outbox(database)) == 2


async def test_no_connection_is_held_while_an_answer_is_examined(database: Database) -> None:
    examiner = SlowExaminer()
    grader = Grader(database, Board(examiner, LOCAL), FixedClock(NOW))
    many = [asyncio.create_task(grade_answer(submission(), grader)) for _ in range(20)]
    async with asyncio.timeout(10):
        while examiner.started < 20:  # four times as many as the pool has connections
            await asyncio.sleep(0.01)
    examiner.release.set()
    await asyncio.gather(*many)
    assert await rows(database, "SELECT count(*) FROM grader.gradings") == [(20,)]


async def test_the_model_grades_when_it_is_there(llm_grader: Grader, llm: FakeLLM) -> None:
    await grade_answer(submission(), llm_grader)
    graded, reply = await outbox(llm_grader.database)
    assert isinstance(graded, AnswerGraded)
    assert (graded.score, graded.examiner, graded.is_provisional) == (10, "openai", False)
    assert isinstance(reply, SendMessage)
    assert reply.values["suggestion"] == "Write a queue with two stacks and test it."
    found = await rows(
        llm_grader.database,
        "SELECT model, prompt_version, tokens_in, tokens_out, cost_usd::text FROM grader.gradings",
    )
    assert found == [("gpt-6-luna", "grade_v2", 700, 300, "0.00022000")]


@pytest.mark.parametrize(
    "mood",
    ["garbage", "empty", "truncated", "refusal", "busy", "broken", "denied", "slow", "dripping"],
)
async def test_when_the_model_fails_the_local_examiner_grades_provisionally(
    llm_grader: Grader, llm: FakeLLM, mood: Mood
) -> None:
    llm.script = [mood]
    await grade_answer(submission(), llm_grader)
    graded, reply = await outbox(llm_grader.database)
    assert isinstance(graded, AnswerGraded)
    assert (graded.examiner, graded.is_provisional) == ("local", True)
    assert isinstance(reply, SendMessage)
    assert reply.values["provisional"] == "yes"


async def test_without_auto_an_answer_waits_for_the_model_but_not_for_ever(
    database: Database, openai_examiner: OpenAIExaminer, llm: FakeLLM
) -> None:
    llm.script = ["refusal"]
    board = Board(openai_examiner, LOCAL, patience=PATIENCE)
    grader = Grader(database, board, FixedClock(NOW))
    command = submission()
    for _ in range(PATIENCE - 1):
        with pytest.raises(ExaminerFailed):
            await grade_answer(command, grader)
    assert await outbox(database) == []
    await grade_answer(command, grader)
    [graded, _] = await outbox(database)
    assert isinstance(graded, AnswerGraded)
    assert graded.is_provisional


async def test_a_deleted_persons_answers_go_and_late_ones_do_not_come_back(
    grader: Grader,
) -> None:
    kept, gone = submission(), submission()
    for command in (kept, gone):
        await grade_answer(command, grader)
    await forget(gone, grader)
    await forget(gone, grader)
    late = gone.model_copy(update={"answer_id": submission().answer_id})
    await grade_answer(late, grader)
    assert await rows(grader.database, "SELECT id FROM grader.answers") == [(kept.answer_id,)]
    assert await rows(grader.database, "SELECT answer_id FROM grader.gradings") == [
        (kept.answer_id,)
    ]


async def test_a_person_deleted_during_the_examination_hears_nothing(database: Database) -> None:
    examiner = SlowExaminer()
    grader = Grader(database, Board(examiner, LOCAL), FixedClock(NOW))
    command = submission()
    running = asyncio.create_task(grade_answer(command, grader))
    while not examiner.started:
        await asyncio.sleep(0.01)
    await forget(command, grader)
    examiner.release.set()
    await running
    assert await outbox(database) == []
    assert await rows(database, "SELECT id FROM grader.answers") == []


async def forget(command: GradeAnswer, grader: Grader) -> None:
    event = UserDeleted(occurred_at=NOW, user_id=command.user_id)
    async with grader.database.transaction() as transaction:
        await forget_person(event, Store(transaction), grader.clock)


async def test_an_answer_whose_message_was_lost_is_graded_by_the_background_job(
    grader: Grader,
) -> None:
    lost = submission()
    async with grader.database.transaction() as transaction:
        assert await Store(transaction).receive(lost, NOW)
    assert isinstance(grader.clock, FixedClock)
    await grade_answer(submission(), grader)
    job = asyncio.create_task(grade_waiting(grader))
    await asyncio.sleep(0.2)
    assert len(await outbox(grader.database)) == 2  # not yet: it may still be under way
    job.cancel()
    grader.clock.advance(OVERDUE * 2)
    job = asyncio.create_task(grade_waiting(grader))
    async with asyncio.timeout(5):
        while len(messages := await outbox(grader.database)) < 4:
            await asyncio.sleep(0.02)
    job.cancel()
    reply = messages[-1]
    assert isinstance(reply, SendMessage)
    assert reply.message_id == derived_id("feedback", lost.answer_id)
    assert reply.inbound == lost.inbound


async def test_an_answer_with_nul_and_of_any_length_is_kept_and_graded(grader: Grader) -> None:
    await grade_answer(submission("\x00" + HALF + " and so on" * 2000), grader)
    [(kept,)] = await rows(grader.database, "SELECT text FROM grader.answers")
    assert isinstance(kept, str)
    assert kept.startswith("A stack")
    assert len(kept) > 20_000
    assert len(await outbox(grader.database)) == 2


def test_the_settings_choose_the_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert board_for(Settings()).first.name == "local"
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    assert board_for(Settings()).patience == 1
    monkeypatch.setenv("SABATINA_GRADER", "openai")
    board = board_for(Settings())
    assert (board.first.name, board.patience) == ("openai", PATIENCE)
