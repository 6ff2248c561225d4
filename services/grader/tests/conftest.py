from collections.abc import AsyncIterator, Iterator

import pytest

from grader.openai_examiner import OpenAIExaminer
from grader.settings import Settings
from grader_testing.fake_llm import FakeLLM


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    started = FakeLLM()
    yield started
    started.close()


@pytest.fixture
def llm_settings(llm: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("OPENAI_BASE_URL", llm.url)
    monkeypatch.setenv("SABATINA_GRADER_TIMEOUT", "PT0.4S")
    monkeypatch.setenv("SABATINA_GRADER_MAX_RETRIES", "0")
    return Settings()


@pytest.fixture
async def openai_examiner(llm_settings: Settings) -> AsyncIterator[OpenAIExaminer]:
    examiner = OpenAIExaminer.from_settings(llm_settings)
    yield examiner
    await examiner.client.close()
