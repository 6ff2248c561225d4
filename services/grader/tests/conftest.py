from collections.abc import AsyncIterator, Iterator

import pytest

from common.clock import FixedClock
from common.database import Database
from grader.examiners import Board
from grader.examining import Grader
from grader.local_examiner import LocalExaminer
from grader.openai_examiner import OpenAIExaminer
from grader.settings import PRICES, Settings
from grader_testing.factories import NOW
from grader_testing.fake_llm import FakeLLM


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    started = FakeLLM()
    started.slowness = 4
    yield started
    started.close()


@pytest.fixture
def llm_settings(llm: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("OPENAI_BASE_URL", llm.url)
    monkeypatch.setenv("SABATINA_GRADER_TIMEOUT", "PT0.4S")
    monkeypatch.setenv("SABATINA_GRADER_DEADLINE", "PT2S")
    monkeypatch.setenv("SABATINA_GRADER_MAX_RETRIES", "0")
    return Settings()


@pytest.fixture
async def openai_examiner(llm_settings: Settings) -> AsyncIterator[OpenAIExaminer]:
    examiner = OpenAIExaminer.from_settings(llm_settings)
    yield examiner
    await examiner.client.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def local_grader(database: Database, clock: FixedClock) -> Grader:
    local = LocalExaminer()
    return Grader(database, Board(local, local), clock)


@pytest.fixture
def model_grader(database: Database, clock: FixedClock, openai_examiner: OpenAIExaminer) -> Grader:
    board = Board(openai_examiner, LocalExaminer(), recipe="grade_v2/low")
    return Grader(database, board, clock, prices=PRICES)
