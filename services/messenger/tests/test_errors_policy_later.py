"""Messages that WhatsApp took and gave up afterwards: the same table, told by a status."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from common.database import Database
from common.events import SendMessage
from messenger import metrics
from messenger.errors_policy import label_for

from .simulated import Somebody, Stage, stage_for

TEMPLATE = "template:sabatina_daily_ready"


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with stage_for(database) as made:
        yield made


async def failed_later(
    stage: Stage, code: int, *, as_template: bool = False
) -> tuple[Somebody, SendMessage]:
    """Somebody whose message is taken, and fails with this code."""
    ana = await stage.meet(1, wrote=not as_template)
    await stage.fail_later(code, ana.phone)
    message = stage.question(ana.id) if as_template else stage.send(ana.id)
    await stage.handle(message)
    await stage.ends(message)
    await stage.hear()
    return ana, message


@pytest.mark.parametrize("code", [130472, 131026, 131021, 131051, 100, 999999])
async def test_a_failure_for_good_is_told_with_its_code(stage: Stage, code: int) -> None:
    async with stage.dispatching():
        _, message = await failed_later(stage, code)
        row = await stage.becomes(message, "failed")
    assert (row.reason, row.error_code, row.tries) == (f"whatsapp_{code}", code, 1)
    assert len((await stage.events()).named("message.failed")) == 1


@pytest.mark.parametrize("code", [131000, 131016, 131053, 130429])
async def test_a_failure_that_may_pass_is_tried_again_once(stage: Stage, code: int) -> None:
    async with stage.dispatching():
        ana, message = await failed_later(stage, code)
        assert (await stage.row(message)).state == "queued"
        await stage.fail_later(code, ana.phone)
        await stage.pass_time(timedelta(seconds=2))
        await stage.ends(message)
        await stage.hear()
        row = await stage.becomes(message, "failed")
    assert (row.reason, row.tries) == (f"whatsapp_{code}", 2)
    events = await stage.events()
    assert len(events.named("message.accepted")) == len(events.named("message.failed")) == 1


async def test_a_duplicate_of_a_failure_says_nothing_of_the_next_try(stage: Stage) -> None:
    async with stage.dispatching():
        ana = await stage.meet(1)
        await stage.fail_later(131000, ana.phone)
        message = stage.send(ana.id)
        await stage.handle(message)
        await stage.ends(message)
        [failure] = await stage.hear()
        await stage.pass_time(timedelta(seconds=2))
        await stage.ends(message)
        await stage.handle(failure.model_copy(update={"message_id": ana.id}))
        await stage.hear(until=2)
        row = await stage.row(message)
    assert row.state in ("sent", "delivered", "read")
    assert row.failed_at is None


async def test_too_many_messages_to_one_person_hold_that_person_only(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await failed_later(stage, 131056)
        bea = await stage.meet(2)
        other = stage.send(bea.id)
        await stage.handle(other)
        await stage.becomes(other, "accepted")
        assert (await stage.contact(ana)).hold_until == stage.clock.now() + timedelta(seconds=1)
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(seconds=1.1))
        await stage.becomes(message, "accepted")


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        (131042, "all"),
        (131031, "all"),
        (131048, "daily"),
        (131064, "templates"),
        (132015, TEMPLATE),
    ],
)
async def test_a_failure_of_more_than_the_message_pauses_its_scope(
    stage: Stage, code: int, scope: str
) -> None:
    before = metrics.NEEDS_FIX.labels(label_for(code))._value.get()
    async with stage.dispatching():
        _, message = await failed_later(stage, code, as_template=True)
        assert await stage.scopes() == {scope}
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(hours=6, minutes=1))
        await stage.becomes(message, "accepted")
    assert await stage.scopes() == set()
    assert metrics.NEEDS_FIX.labels(label_for(code))._value.get() == before + 1


async def test_a_person_who_stopped_marketing_is_told_of(stage: Stage) -> None:
    async with stage.dispatching():
        _, message = await failed_later(stage, 131050, as_template=True)
        assert (await stage.becomes(message, "failed")).reason == "person_stopped"


async def test_an_unhealthy_engagement_means_nothing_unasked_for_a_day(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await failed_later(stage, 131049, as_template=True)
        await stage.becomes(message, "failed")
    assert (await stage.contact(ana)).no_daily_until == stage.clock.now() + timedelta(hours=24)


async def test_undelivered_questions_are_counted_by_day(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await failed_later(stage, 131026, as_template=True)
        await stage.becomes(message, "failed")
        assert (await stage.contact(ana)).undelivered_days == 1
        await stage.pass_time(timedelta(days=1))
        arrived = stage.question(ana.id)
        await stage.handle(arrived)
        await stage.ends(arrived)
        await stage.hear(until=3)
        await stage.pass_time(timedelta(days=1))
        await stage.fail_later(131026, ana.phone)
        lost = stage.question(ana.id)
        await stage.handle(lost)
        await stage.ends(lost)
        await stage.hear()
    assert (await stage.contact(ana)).undelivered_days == 1  # something arrived in between


async def test_a_closed_window_is_corrected_and_the_question_leaves_as_template(
    stage: Stage,
) -> None:
    ana = await stage.meet(1)
    await stage.fail_later(131047, ana.phone)
    message = stage.question(ana.id)
    async with stage.dispatching():
        await stage.handle(message)
        await stage.ends(message)
        await stage.hear()
        row = await stage.becomes(message, "accepted")
    assert row.is_template is True
    assert (await stage.contact(ana)).last_inbound_at is None


async def test_a_window_that_opened_after_the_send_stays_open(stage: Stage) -> None:
    ana = await stage.meet(1)
    await stage.fail_later(131047, ana.phone)
    message = stage.question(ana.id)
    async with stage.dispatching():
        await stage.handle(message)
        await stage.ends(message)
        await stage.pass_time(timedelta(seconds=1))
        await stage.writes(ana)
        await stage.hear()
        await stage.ends(message)
    assert (await stage.contact(ana)).last_inbound_at == stage.clock.now()
