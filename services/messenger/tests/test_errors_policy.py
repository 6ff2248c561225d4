"""Every row of the table of errors, provoked through the simulator."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from common.database import Database
from common.events import SendMessage
from messenger import metrics
from messenger.errors_policy import RULES, Action, Person, Scope, label_for, rule_for

from .conftest import Rig
from .fakes import Fault
from .simulated import Somebody, Stage, stage_for

TEMPLATE = "template:sabatina_daily_ready"

AGAIN = (1, 2, 131000, 131016, 131053, 131057, 132069, 133004, 135000)
DROPPED = (130472, 131021, 131062, 132068)
OUR_MISTAKES = (100, 131008, 131009, 131030, 131051, 131052, 131063, 134011, 137000)
APP_LIMITS = (4, 17, 613, 80007)
AUTHORITY = (
    *(0, 190, 3, 10, 200, 299, 131005),
    *(33, 368, 131031, 131037, 131042, 131044, 131045),
    *(133000, 133005, 133006, 133007, 133008, 133009, 133010, 133015),
)
STOPPED_TEMPLATES = (132007, 132015, 132016)
WRONG_PARAMETERS = (132000, 132005, 132008, 132012, 132018)
UNREACHABLE = (131026, 130497)
OTHERS = (130429, 131047, 470, 131048, 131049, 131050, 131056, 131064, 132001, 133016)


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with stage_for(database) as made:
        yield made


def fixes(code: int) -> float:
    return float(metrics.NEEDS_FIX.labels(label_for(code))._value.get())


def sends_of(code: int) -> float:
    """Calls that this code has answered."""
    label = label_for(code)
    return float(sum(metrics.SENDS.labels(o, label)._value.get() for o in ("refused", "throttled")))


async def refused(
    stage: Stage, code: int, *, as_template: bool = False
) -> tuple[Somebody, SendMessage]:
    """Somebody whose message WhatsApp refuses once, with this code."""
    ana = await stage.meet(1, wrote=not as_template)
    await stage.refuse(code, ana.phone)
    message = stage.question(ana.id) if as_template else stage.send(ana.id)
    before = sends_of(code)
    await stage.handle(message)
    await stage.becomes_known(lambda: sends_of(code) > before)
    return ana, message


async def nobody_else_waits(stage: Stage) -> None:
    bea = await stage.meet(2)
    message = stage.send(bea.id)
    await stage.handle(message)
    await stage.becomes(message, "accepted")


def test_every_code_of_the_table_is_provoked_here() -> None:
    tested = {
        *(*AGAIN, *DROPPED, *OUR_MISTAKES, *APP_LIMITS, *AUTHORITY),
        *(*STOPPED_TEMPLATES, *WRONG_PARAMETERS, *UNREACHABLE, *OTHERS),
    }
    permissions = set(range(200, 300))
    ours = {code for code in RULES if code < 0}  # WAHA's states, in tests of that channel
    assert set(RULES) - ours - permissions == tested - permissions


@pytest.mark.parametrize("code", AGAIN)
async def test_passing_trouble_is_tried_again(stage: Stage, code: int) -> None:
    async with stage.dispatching():
        ana, message = await refused(stage, code)
        await nobody_else_waits(stage)
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(minutes=2))
        row = await stage.becomes(message, "accepted")
    assert row.tries == 2
    assert await stage.scopes() == set()
    assert (await stage.contact(ana)).strikes == 0


@pytest.mark.parametrize("code", DROPPED)
async def test_what_can_never_be_taken_is_dropped(stage: Stage, code: int) -> None:
    before = fixes(code)
    async with stage.dispatching():
        _, message = await refused(stage, code)
        row = await stage.becomes(message, "failed")
        await nobody_else_waits(stage)
    assert (row.reason, row.tries) == (f"whatsapp_{code}", 1)
    assert fixes(code) == before
    assert await stage.scopes() == set()


@pytest.mark.parametrize("code", OUR_MISTAKES)
async def test_our_own_mistake_is_dropped_and_somebody_is_told(stage: Stage, code: int) -> None:
    before = fixes(code)
    async with stage.dispatching():
        _, message = await refused(stage, code)
        row = await stage.becomes(message, "failed")
        await nobody_else_waits(stage)
    assert row.reason == f"whatsapp_{code}"
    assert fixes(code) == before + 1
    assert await stage.scopes() == set()


@pytest.mark.parametrize("code", AUTHORITY)
async def test_what_stops_the_number_pauses_all_until_a_probe_comes_through(
    stage: Stage, code: int
) -> None:
    before = fixes(code)
    async with stage.dispatching():
        ana, message = await refused(stage, code)
        await stage.comes_true(stage.scopes, {"all"})
        bea = await stage.meet(2)
        other = stage.send(bea.id)
        await stage.handle(other)
        await stage.pass_time(timedelta(seconds=29))
        assert (await stage.row(message)).state == (await stage.row(other)).state == "queued"
        assert fixes(code) == before + 1
        await stage.pass_time(timedelta(seconds=2))
        await stage.becomes(message, "accepted")
        await stage.becomes(other, "accepted")
    assert await stage.scopes() == set()
    assert (await stage.row(message)).tries == 2 - 1  # the refused one does not count
    assert (await stage.contact(ana)).strikes == 0


@pytest.mark.parametrize("code", APP_LIMITS)
async def test_the_limit_of_the_app_slows_all_of_it_for_minutes(stage: Stage, code: int) -> None:
    before = fixes(code)
    async with stage.dispatching():
        _, message = await refused(stage, code)
        await stage.comes_true(stage.scopes, {"all"})
        await stage.pass_time(timedelta(minutes=4, seconds=50))
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(seconds=11))
        await stage.becomes(message, "accepted")
    assert fixes(code) == before
    assert await stage.scopes() == set()


async def test_too_many_registrations_wait_for_three_days(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await refused(stage, 133016)
        await stage.comes_true(stage.scopes, {"all"})
        await stage.pass_time(timedelta(hours=71))
        assert (await stage.row(message)).state == "queued"
        await stage.writes(ana)
        await stage.pass_time(timedelta(hours=1, seconds=1))
        await stage.becomes(message, "accepted")


@pytest.mark.parametrize("code", STOPPED_TEMPLATES)
async def test_a_stopped_template_waits_for_news_and_nothing_else_does(
    stage: Stage, code: int
) -> None:
    before = fixes(code)
    async with stage.dispatching():
        _, message = await refused(stage, code, as_template=True)
        await stage.comes_true(stage.scopes, {TEMPLATE})
        await nobody_else_waits(stage)
        row = await stage.row(message)
        assert row.state == "queued"
        assert fixes(code) == before + 1
        await stage.resume(TEMPLATE)
        row = await stage.becomes(message, "accepted")
    assert (row.template, row.held_for) == ("sabatina_daily_ready", None)


@pytest.mark.parametrize("code", WRONG_PARAMETERS)
async def test_a_template_with_wrong_parameters_is_stopped_and_the_message_dropped(
    stage: Stage, code: int
) -> None:
    before = fixes(code)
    async with stage.dispatching():
        _, message = await refused(stage, code, as_template=True)
        row = await stage.becomes(message, "failed")
        await stage.comes_true(stage.scopes, {TEMPLATE})
        await nobody_else_waits(stage)
        carla = await stage.meet(3, wrote=False)
        held = stage.question(carla.id)
        await stage.handle(held)
        await stage.comes_true(lambda: stage.held(held), TEMPLATE)
    assert row.reason == f"whatsapp_{code}"
    assert fixes(code) == before + 1


async def test_a_template_without_its_language_tries_the_fallback_once(stage: Stage) -> None:
    ana = await stage.meet(1, wrote=False)
    await stage.refuse(132001, ana.phone, times=2)
    message = stage.question(ana.id)
    async with stage.dispatching():
        await stage.handle(message)
        await stage.comes_true(stage.scopes, {TEMPLATE})
        await stage.comes_true(lambda: stage.held(message), TEMPLATE)
        await nobody_else_waits(stage)
    row = await stage.row(message)
    assert row.is_fallback_language is True
    attempts = await stage.rows("SELECT 1 FROM messenger.attempts WHERE error_code = 132001")
    assert len(attempts) == 2


async def test_a_limit_for_bad_classification_holds_all_templates(stage: Stage) -> None:
    async with stage.dispatching():
        _, message = await refused(stage, 131064, as_template=True)
        await stage.comes_true(stage.scopes, {Scope.TEMPLATES})
        await nobody_else_waits(stage)
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(hours=6, seconds=1))
        await stage.becomes(message, "accepted")
    assert await stage.scopes() == set()


async def test_a_spam_limit_holds_the_daily_messages_and_replies_go_on(stage: Stage) -> None:
    before = fixes(131048)
    async with stage.dispatching():
        _, message = await refused(stage, 131048, as_template=True)
        await stage.comes_true(stage.scopes, {Scope.DAILY})
        daily = stage.question((await stage.meet(3)).id)
        await stage.handle(daily)
        await stage.comes_true(lambda: stage.held(daily), Scope.DAILY)
        await nobody_else_waits(stage)
        await stage.pass_time(timedelta(minutes=59))
        assert (await stage.row(message)).state == "queued"
        await stage.pass_time(timedelta(minutes=2))
        await stage.becomes(message, "accepted")
        await stage.becomes(daily, "accepted")
    assert fixes(131048) == before + 1
    [limit] = await stage.rows("SELECT steady_since FROM messenger.limits")
    assert limit.steady_since < stage.clock.now()


async def test_a_probe_that_fails_is_followed_by_a_longer_pause(stage: Stage) -> None:
    async with stage.dispatching():
        ana, _ = await refused(stage, 131048, as_template=True)
        await stage.comes_true(stage.scopes, {Scope.DAILY})
        await stage.refuse(131048, ana.phone, times=None)
        await stage.pass_time(timedelta(minutes=61))
        await stage.comes_true(stage.probes, 1)
        now = stage.clock.now()
    [pause] = await stage.rows("SELECT probe_at FROM messenger.pauses")
    assert pause.probe_at == now + timedelta(hours=2)


async def test_throughput_slows_the_number_and_nothing_is_lost(stage: Stage) -> None:
    async with stage.dispatching():
        _, message = await refused(stage, 130429)
        await nobody_else_waits(stage)
        await stage.pass_time(timedelta(seconds=3))
        row = await stage.becomes(message, "accepted")
    assert stage.pacer.slowed == 1
    assert row.tries == 1


async def test_one_blocked_pair_delays_nobody_else(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await refused(stage, 131056)
        second = stage.send(ana.id)
        await stage.handle(second)
        for _ in range(5):
            await nobody_else_waits(stage)
        assert (await stage.row(message)).state == (await stage.row(second)).state == "queued"
        contact = await stage.contact(ana)
        assert contact.hold_until == stage.clock.now() + timedelta(seconds=1)
        await stage.pass_time(timedelta(seconds=1.1))
        await stage.becomes(message, "accepted")
        await stage.becomes(second, "accepted")
    assert stage.pacer.slowed == 0
    assert await stage.scopes() == set()


async def test_a_closed_window_is_corrected_and_the_question_leaves_as_template(
    stage: Stage,
) -> None:
    ana = await stage.meet(1)
    await stage.refuse(131047, ana.phone)
    message = stage.question(ana.id)
    async with stage.dispatching():
        await stage.handle(message)
        row = await stage.becomes(message, "accepted")
    assert row.is_template is True
    assert (await stage.contact(ana)).last_inbound_at is None


async def test_the_old_name_of_a_closed_window_means_the_same(rig: Rig) -> None:
    user = (await rig.rows("SELECT gen_random_uuid() AS id"))[0].id
    await rig.know(user)
    rig.whatsapp.faults.append(Fault(400, 470))
    message = rig.question(user)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    assert rig.whatsapp.kinds() == ["interactive", "template"]


async def test_a_person_who_stopped_marketing_is_told_of_and_left_alone(stage: Stage) -> None:
    async with stage.dispatching():
        _, message = await refused(stage, 131050, as_template=True)
        row = await stage.becomes(message, "failed")
        await nobody_else_waits(stage)
    assert row.reason == "person_stopped"
    [failed] = (await stage.events()).named("message.failed")
    assert failed["reason"] == "person_stopped"
    assert await stage.scopes() == set()


async def test_an_unhealthy_engagement_means_nothing_unasked_for_a_day(stage: Stage) -> None:
    async with stage.dispatching():
        ana, message = await refused(stage, 131049, as_template=True)
        assert (await stage.becomes(message, "failed")).reason == "whatsapp_131049"
        again, reply = stage.question(ana.id), stage.send(ana.id)
        await stage.writes(ana)
        await stage.handle(again, reply)
        await stage.becomes(reply, "accepted")
        await stage.pass_time(timedelta(hours=23, minutes=59))
        await nobody_else_waits(stage)
        assert (await stage.row(again)).state == "queued"
        await stage.pass_time(timedelta(minutes=2))
        await stage.becomes(again, "accepted")


@pytest.mark.parametrize("code", UNREACHABLE)
async def test_three_days_without_delivery_end_the_questions_until_the_person_writes(
    stage: Stage, code: int
) -> None:
    ana = await stage.meet(1, wrote=False)
    await stage.refuse(code, ana.phone, times=4)
    async with stage.dispatching():
        for _ in range(2):  # two on the first day count as one
            assert (await asked(stage, ana)).state == "failed"
        for _ in range(2):
            await stage.pass_time(timedelta(days=1))
            assert (await asked(stage, ana)).state == "failed"
        await stage.pass_time(timedelta(days=1))
        unasked = await asked(stage, ana)
        assert (unasked.state, unasked.reason) == ("suppressed", "unreachable")
        await stage.writes(ana)
        assert (await asked(stage, ana)).state == "accepted"
        await nobody_else_waits(stage)
    assert (await stage.contact(ana)).undelivered_days == 0


async def asked(stage: Stage, somebody: Somebody) -> Any:
    message = stage.question(somebody.id)
    await stage.handle(message)
    return await stage.ends(message)


async def test_a_refused_reply_says_nothing_of_whether_somebody_can_be_reached(
    stage: Stage,
) -> None:
    async with stage.dispatching():
        ana, message = await refused(stage, 131026)
        await stage.becomes(message, "failed")
    assert (await stage.contact(ana)).undelivered_days == 0


@pytest.mark.parametrize(
    ("http_status", "is_transient", "action"),
    [(400, True, Action.RETRY), (400, False, Action.FIX), (500, False, Action.RETRY)],
)
def test_a_code_that_nobody_knows_is_judged_by_its_answer(
    http_status: int, is_transient: bool, action: Action
) -> None:
    rule = rule_for(999999, http_status=http_status, is_transient=is_transient)
    assert rule.action is action
    assert rule.needs_fix is (action is Action.FIX)


def test_only_words_of_the_api_about_authority_pause_for_authority() -> None:
    for http_status in (401, 403, 500, 502, 503):
        assert rule_for(None, http_status=http_status).scope is None


def test_a_rule_that_pauses_says_what() -> None:
    for rule in RULES.values():
        if rule.action in (Action.PAUSE, Action.LANGUAGE):
            assert rule.scope is not None
        assert (rule.person is Person.WINDOW_CLOSED) == (rule.action is Action.TEMPLATE)
