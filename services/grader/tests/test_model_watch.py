"""The end of a model is told before it comes, to whoever watches."""

from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from common.clock import FixedClock
from grader.model_watch import look_at_model
from grader.openai_examiner import OpenAIExaminer
from grader_testing.fake_llm import FakeLLM

CLOCK = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))


def told(examiner: OpenAIExaminer) -> float | None:
    labels = {"model": examiner.model}
    return REGISTRY.get_sample_value("sabatina_model_shutdown_timestamp_seconds", labels)


def describe(llm: FakeLLM, examiner: OpenAIExaminer, **more: object) -> None:
    known = {"id": examiner.model, "object": "model", "created": 0, "owned_by": "someone"}
    llm.models[examiner.model] = {**known, **more}


@pytest.mark.parametrize(
    ("said", "is_warned"),
    [("2027-01-14", True), (1_799_884_800, True), ("2028-06-01T00:00:00Z", False)],
)
async def test_the_day_is_kept_as_a_metric_and_warned_of_when_it_is_near(
    llm: FakeLLM, openai_examiner: OpenAIExaminer, said: object, is_warned: bool
) -> None:
    describe(llm, openai_examiner, shutdown_date=said)
    with capture_logs() as logs:
        await look_at_model(openai_examiner, CLOCK)
    assert (told(openai_examiner) or 0) > CLOCK.now().timestamp()
    assert [entry["event"] for entry in logs] == (["model_shuts_down"] if is_warned else [])


@pytest.mark.parametrize("said", [None, "soon", True, 1e300, {"date": "2027-01-14"}])
async def test_a_server_that_tells_nothing_of_use_is_let_be(
    llm: FakeLLM, openai_examiner: OpenAIExaminer, said: object
) -> None:
    describe(llm, openai_examiner, shutdown_date=said)
    with capture_logs() as logs:
        await look_at_model(openai_examiner, CLOCK)
    assert logs == []


async def test_a_server_without_that_page_is_no_failure(openai_examiner: OpenAIExaminer) -> None:
    with capture_logs() as logs:
        await look_at_model(openai_examiner, CLOCK)
    assert [entry["log_level"] for entry in logs] == ["info"]
