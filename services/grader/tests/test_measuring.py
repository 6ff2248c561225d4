"""Numbers of the day, over all replicas."""

from datetime import timedelta

from common.clock import FixedClock
from grader import metrics
from grader.examining import Grader
from grader.handlers import grade_answer
from grader.measuring import measure
from grader.review_store import ReviewStore
from grader_testing.factories import HALF, NOW, REFERENCES, submission
from grader_testing.fake_llm import FakeLLM
from grader_testing.marking import by_keywords
from grader_testing.reading import rows


async def measured(grader: Grader) -> None:
    async with grader.database.transaction() as transaction:
        await measure(transaction, grader.clock.now())


async def test_spending_means_and_the_queue_are_shown(
    model_grader: Grader, llm: FakeLLM, clock: FixedClock
) -> None:
    llm.marking = by_keywords
    for text in (HALF, REFERENCES["en"], REFERENCES["en"]):
        command = submission(text)
        await grade_answer(command, model_grader)
    async with model_grader.database.transaction() as transaction:
        await ReviewStore(transaction).open(command.answer_id, "evidence", NOW)
    clock.advance(timedelta(minutes=5))
    await measured(model_grader)
    labels = ("openai", "gpt-6-luna", "grade_v2")
    scores = await rows(
        model_grader.database, "SELECT avg(score)::float FROM grader.gradings WHERE NOT is_cached"
    )
    assert metrics.DAY_MEAN.labels(*labels)._value.get() == scores[0][0]
    assert metrics.DAY_COUNT.labels(*labels)._value.get() == 2
    assert metrics.DAY_TOKENS._value.get() == 2000
    assert metrics.DAY_EXAMINATIONS._value.get() == 2
    assert round(metrics.DAY_COST._value.get(), 5) == 0.00044
    assert (metrics.REVIEWS_OPEN._value.get(), metrics.REVIEWS_AGE._value.get()) == (1, 300)


async def test_a_new_day_begins_with_nothing_and_old_shares_go(
    model_grader: Grader, clock: FixedClock
) -> None:
    await grade_answer(submission(HALF), model_grader)
    clock.advance(timedelta(days=3))
    await measured(model_grader)
    assert metrics.DAY_TOKENS._value.get() == 0
    assert next(iter(metrics.DAY_MEAN.collect())).samples == []
    assert await rows(model_grader.database, "SELECT 1 FROM grader.llm_person_days") == []
    assert len(await rows(model_grader.database, "SELECT 1 FROM grader.llm_days")) == 1
