import asyncio
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.clock import FixedClock
from common.database import Database
from common.events import NoticeReceived
from devstack.reference import WEBHOOKS
from messenger.dispatch import Dispatcher, Outlet
from messenger.limits.budgets import (
    DAY,
    Budget,
    Tier,
    TierAllowance,
    adopt_limit,
    record_trouble,
    usable,
)
from messenger.limits.news import read, tier_of

from .conftest import NUMBER, START, Rig
from .fakes import Fault

QUALITY_UPDATE = WEBHOOKS / "bindambc__qualityUpdate.json"


async def admit(
    database: Database, clock: FixedClock, users: list[UUID], limit: int | None
) -> frozenset[UUID]:
    async with database.transaction() as transaction:
        return await Budget(transaction, NUMBER, clock.now()).admit(users, limit)


async def test_who_was_reached_today_is_free_and_the_first_ones_go_first(
    database: Database,
) -> None:
    clock = FixedClock(START)
    people = [uuid4() for _ in range(5)]
    assert await admit(database, clock, people[:3], 4) == set(people[:3])
    assert await admit(database, clock, people, 4) == set(people[:4])
    assert await admit(database, clock, people, 4) == set(people[:4])


async def test_somebody_reached_again_late_in_the_day_counts_for_the_next_one(
    database: Database,
) -> None:
    clock = FixedClock(START)
    ana, bea = uuid4(), uuid4()
    await admit(database, clock, [ana], 1)
    clock.advance(timedelta(hours=23))
    await admit(database, clock, [ana], 1)
    clock.advance(timedelta(hours=2))
    assert await admit(database, clock, [bea], 1) == set()
    clock.advance(timedelta(hours=22))
    assert await admit(database, clock, [bea], 1) == {bea}


async def test_replicas_that_claim_at_once_share_one_budget(database: Database) -> None:
    clock = FixedClock(START)
    batches = [[uuid4() for _ in range(20)] for _ in range(15)]
    admitted = await asyncio.gather(*(admit(database, clock, b, 250) for b in batches))
    assert sum(len(people) for people in admitted) == 250


@pytest.mark.parametrize(("days", "people"), [(0, 200), (1, 212), (3, 237), (4, 250), (400, 250)])
def test_a_tier_is_used_in_part_until_it_is_proven(days: int, people: int) -> None:
    assert usable("250", START, START + timedelta(days=days)) == people


async def test_trouble_and_another_tier_begin_the_ramp_again(database: Database) -> None:
    allowance = TierAllowance("250")
    at = START

    async def people() -> int | None:
        async with database.transaction() as transaction:
            return await allowance.people_per_day(transaction, at)

    async def told(tier: Tier) -> None:
        async with database.transaction() as transaction:
            await adopt_limit(transaction, tier, at)

    assert await people() == 200
    at += timedelta(days=4)
    assert await people() == 250
    await told("2000")
    assert await people() == 1600
    at += timedelta(days=4)
    await told("2000")
    assert await people() == 2000
    async with database.transaction() as transaction:
        await record_trouble(transaction, at)
    assert await people() == 1600
    await told("unlimited")
    assert await people() is None


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ("TIER_250", "250"),
        ("TIER_2K", "2000"),
        ("TIER_10K", "10000"),
        ("TIER_100K", "100000"),
        ("TIER_UNLIMITED", "unlimited"),
        ("-1", "unlimited"),
        ("2000", "2000"),
        ("TIER_1K", "250"),
        ("TIER_50", None),
        ("a lot", None),
    ],
)
def test_every_name_of_a_tier_is_read(told: str, tier: str | None) -> None:
    assert tier_of(told) == tier


def notice(field: str, value: dict[str, object]) -> NoticeReceived:
    original = json.dumps({"field": field, "value": value})
    return NoticeReceived(occurred_at=START, channel="cloud", field=field, original=original)


async def test_the_limit_that_whatsapp_tells_is_adopted(rig: Rig) -> None:
    told = notice("business_capability_update", {"max_daily_conversations_per_business": 2000})
    await rig.handle(told)
    [limit] = await rig.rows("SELECT tier FROM messenger.limits")
    assert limit.tier == "2000"


async def test_a_flagged_number_begins_the_ramp_again(rig: Rig) -> None:
    value: dict[str, object] = {"event": "ONBOARDING", "current_limit": "TIER_2K"}
    await rig.handle(notice("phone_number_quality_update", value))
    rig.clock.advance(timedelta(days=10))
    await rig.handle(notice("phone_number_quality_update", value | {"event": "FLAGGED"}))
    [limit] = await rig.rows("SELECT tier, steady_since FROM messenger.limits")
    assert (limit.tier, limit.steady_since) == ("2000", rig.clock.now())


@pytest.mark.parametrize("value", [{"current_limit": ["?"]}, {}, {"event": None}])
async def test_news_that_say_nothing_of_limits_change_nothing(
    rig: Rig, value: dict[str, object]
) -> None:
    await rig.handle(notice("phone_number_quality_update", value))
    assert await rig.rows("SELECT 1 FROM messenger.limits") == []


@pytest.mark.skipif(not QUALITY_UPDATE.exists(), reason="needs the shared payloads")
def test_a_recorded_quality_update_is_read() -> None:
    change = json.loads(QUALITY_UPDATE.read_text())["entry"][0]["changes"][0]
    news = read(notice(change["field"], change["value"]))
    assert news is not None
    assert (news.tier, news.is_trouble) == ("10000", True)


class Limited:
    """Three replicas over one number with a small tier."""

    def __init__(self, rig: Rig, people: int) -> None:
        self.rig = rig
        self.people = people

    async def people_per_day(self, *_: object) -> int:
        return self.people

    def replicas(self) -> list[Dispatcher]:
        rig = self.rig
        outlet = Outlet("cloud", NUMBER, rig.channel, rig.pacer, allowance=self)
        made = [Dispatcher(rig.database, rig.clock, rig.renderer, outlet) for _ in range(3)]
        rig.dispatcher = made[0]
        return made[1:]


async def quiet(rig: Rig) -> None:
    """Until nothing has been sent for a while."""
    seen = -1
    while seen != len(rig.whatsapp.sent):
        seen = len(rig.whatsapp.sent)
        await asyncio.sleep(0.7)


async def test_the_251st_conversation_waits_for_a_day_over_three_replicas_and_a_crash(
    rig: Rig,
) -> None:
    people = [uuid4() for _ in range(300)]
    questions = [rig.question(user, contact=rig.person(user)) for user in people]
    for start in range(0, len(people), 50):
        await rig.handle(*questions[start : start + 50])
    limited = Limited(rig, 250)
    rig.whatsapp.faults.extend([Fault(500, 131000)] * 20)  # tried again: nobody counts twice
    others = limited.replicas()
    dying = asyncio.create_task(others.pop().run())
    async with rig.dispatching(*others):
        await asyncio.sleep(0.3)
        dying.cancel()
        await quiet(rig)
        await rig.pass_time(timedelta(minutes=5))
        await quiet(rig)
        assert len(set(rig.whatsapp.trackers())) == 250
        [held] = await rig.rows(
            "SELECT count(*) AS people FROM messenger.messages WHERE held_for = 'budget'"
        )
        assert held.people == 50
        reply_to = people[-1]
        await rig.handle(rig.inbound(reply_to))
        reply = rig.send(reply_to)
        await rig.handle(reply)
        await rig.becomes(reply, "accepted")
        await rig.pass_time(DAY)
        await quiet(rig)
    assert len(set(rig.whatsapp.trackers())) == 301
    await asyncio.gather(dying, return_exceptions=True)


async def test_a_question_that_found_no_room_expires(rig: Rig) -> None:
    ana, bea = uuid4(), uuid4()
    first = rig.question(ana, contact=rig.person(ana))
    until = rig.clock.now() + timedelta(hours=3)
    second = rig.question(bea, contact=rig.person(bea), expires_at=until)
    others = Limited(rig, 1).replicas()
    async with rig.dispatching(*others):
        await rig.handle(first)
        await rig.becomes(first, "accepted")
        await rig.handle(second)
        await quiet(rig)
        assert (await rig.row(second)).state == "queued"
        await rig.pass_time(timedelta(hours=3, seconds=1))
        row = await rig.becomes(second, "failed")
    assert row.reason == "expired"


async def test_whoever_writes_is_answered_and_asked_without_the_budget(rig: Rig) -> None:
    ana, bea = uuid4(), uuid4()
    questions = [rig.question(user, contact=rig.person(user)) for user in (ana, bea)]
    others = Limited(rig, 1).replicas()
    async with rig.dispatching(*others):
        await rig.handle(*questions)
        await quiet(rig)
        waiting = [q for q in questions if (await rig.row(q)).state == "queued"]
        assert len(waiting) == 1
        await rig.handle(rig.inbound(waiting[0].user_id))
        row = await rig.becomes(waiting[0], "accepted")
    assert row.is_template is False
