"""Watching a session: what is done, when, and what was missed meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from common.database import Database
from common.waha import message_in
from messenger.waha.session_store import Watched
from messenger.waha.supervision import (
    DEBOUNCE,
    UNREACHABLE,
    WORKING,
    Session,
    Step,
    mended,
    seen,
    steps_for,
)

from .conftest import START
from .fake_waha import SESSION, FakeWaha
from .waha_rig import WahaRig

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
CHAT = "5511987654321@c.us"


@pytest.fixture
async def waha() -> AsyncIterator[FakeWaha]:
    async with FakeWaha().serving() as fake:
        yield fake


@pytest.fixture
async def rig(database: Database, waha: FakeWaha) -> AsyncIterator[WahaRig]:
    made = WahaRig(database, waha)
    yield made
    await made.channel.close()


def steps_after(status: str, failing: timedelta, **known: object) -> list[Step]:
    before = replace(Session("STARTING", failing_since=START), **known)  # type: ignore[arg-type]
    now = START + failing
    return steps_for(before, seen(before, status, now), now)


@pytest.mark.parametrize("status", ["STARTING", "STOPPED", "FAILED", "SCAN_QR_CODE"])
def test_a_short_flap_has_no_consequences(status: str) -> None:
    assert steps_after(status, DEBOUNCE - SECOND) == []


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        ("STARTING", [Step.PAUSE]),
        ("STOPPED", [Step.PAUSE, Step.START]),
        ("FAILED", [Step.PAUSE, Step.RESTART]),
        ("SCAN_QR_CODE", [Step.PAUSE, Step.CALL_FOR_HELP]),
        ("PASSKEY_REQUIRED", [Step.PAUSE, Step.CALL_FOR_HELP]),
        ("UNAUTHORISED", [Step.PAUSE, Step.CALL_FOR_HELP]),
        ("MISSING", [Step.PAUSE, Step.CALL_FOR_HELP]),
        ("A_WORD_OF_TOMORROW", [Step.PAUSE]),
    ],
)
def test_what_lasts_pauses_and_is_mended_by_us_or_by_a_person(
    status: str, steps: list[Step]
) -> None:
    assert steps_after(status, DEBOUNCE) == steps


def test_states_that_change_count_as_one_failure() -> None:
    session = Session(WORKING)
    for number, status in enumerate(("STARTING", "STOPPED", "STARTING", "FAILED")):
        session = seen(session, status, START + number * 30 * SECOND)
    assert session.failing_since == START
    assert seen(session, WORKING, START).failing_since is None


def test_mending_is_tried_with_growing_pauses() -> None:
    session = seen(Session(WORKING), "FAILED", START)
    tried = []
    for minute in range(2, 180):
        now = START + minute * MINUTE
        if Step.RESTART in steps_for(session, session, now):
            session = mended(session, now)
            tried.append(minute)
    assert tried == [2, 3, 5, 9, 17, 33, 63, 93, 123, 153]


def test_nothing_is_concluded_while_waha_itself_is_away() -> None:
    before = Session(WORKING)
    after = seen(before, UNREACHABLE, START)
    assert steps_for(before, after, START + 60 * MINUTE) == []


def test_a_session_that_works_and_tells_nothing_after_a_send_is_restarted_at_times() -> None:
    silent = Session(WORKING, unanswered_since=START)
    assert steps_for(silent, silent, START + 9 * MINUTE) == [Step.RESUME]
    assert steps_for(silent, silent, START + 10 * MINUTE) == [Step.RESUME, Step.RESTART]
    again = replace(mended(silent, START + 10 * MINUTE), unanswered_since=START + 11 * MINUTE)
    assert steps_for(again, again, START + 39 * MINUTE) == [Step.RESUME]
    assert steps_for(again, again, START + 40 * MINUTE) == [Step.RESUME, Step.RESTART]


async def test_a_session_that_fails_pauses_is_mended_and_resumes(rig: WahaRig) -> None:
    await rig.supervisor.look()
    first = await rig.session()
    assert (first.status, first.first_working_at) == ("WORKING", START)
    rig.waha.status = "FAILED"
    await rig.supervisor.look()
    assert await rig.rows("SELECT * FROM messenger.pauses") == []
    rig.clock.advance(DEBOUNCE)
    await rig.supervisor.look()
    [pause] = await rig.rows("SELECT * FROM messenger.pauses")
    assert (pause.number_id, pause.error_code) == (SESSION, -3)
    assert rig.waha.posted[-1][0] == f"sessions/{SESSION}/restart"
    rig.waha.status = "WORKING"
    await rig.supervisor.look()
    assert await rig.rows("SELECT * FROM messenger.pauses") == []
    assert rig.resumed == 1
    assert (await rig.session()).first_working_at == START


async def test_nobody_restarts_a_session_that_waits_for_its_phone(rig: WahaRig) -> None:
    rig.waha.status = "SCAN_QR_CODE"
    for _ in range(10):
        await rig.supervisor.look()
        rig.clock.advance(MINUTE)
    assert rig.waha.posted == []


async def test_a_pause_for_another_reason_is_not_ended_by_a_session_that_works(
    rig: WahaRig,
) -> None:
    await rig.rows(
        "INSERT INTO messenger.pauses (number_id, scope, paused_at, error_code)"
        " VALUES ('default', 'all', now(), -6) RETURNING 1"
    )
    await rig.supervisor.look()
    assert len(await rig.rows("SELECT * FROM messenger.pauses")) == 1


async def test_silence_after_a_send_restarts_the_session(rig: WahaRig, user: UUID) -> None:
    await rig.supervisor.look()
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    rig.clock.advance(11 * MINUTE)
    await rig.supervisor.look()
    assert rig.waha.posted[-1][0] == f"sessions/{SESSION}/restart"
    assert (await rig.session()).unanswered_since is None


@pytest.mark.parametrize("sign", ["ack", "inbound"])
async def test_any_sign_of_life_ends_the_silence(rig: WahaRig, user: UUID, sign: str) -> None:
    await rig.supervisor.look()
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
    assert (await rig.session()).unanswered_since is not None
    rig.clock.advance(SECOND)
    await rig.handle(rig.ack(row.provider_id, "sent") if sign == "ack" else rig.inbound(user))
    rig.clock.advance(11 * MINUTE)
    await rig.supervisor.look()
    assert not any("restart" in path for path, _ in rig.waha.posted)


async def test_what_was_fetched_is_no_sign_of_life(rig: WahaRig, user: UUID) -> None:
    await rig.supervisor.look()
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    rig.clock.advance(MINUTE)
    rig.waha.says(CHAT, "AC01", "menu", rig.clock.now().timestamp())
    await rig.catching_up.catch_up(START)
    await rig.handle(rig.inbound(user))
    rig.clock.advance(10 * MINUTE)
    await rig.supervisor.look()
    assert any("restart" in path for path, _ in rig.waha.posted)


async def test_one_replica_watches_at_a_time_and_another_takes_over(rig: WahaRig) -> None:
    other = rig.new_supervisor()
    await rig.supervisor.look()
    asked = len(rig.waha.asked)
    await other.look()
    assert len(rig.waha.asked) == asked
    rig.clock.advance(2 * MINUTE)
    await other.look()
    assert len(rig.waha.asked) > asked


async def test_an_old_version_is_told_of_once(
    rig: WahaRig, capfd: pytest.CaptureFixture[str]
) -> None:
    rig.waha.version, rig.waha.engine = "2024.10.8", "WEBJS"
    await rig.supervisor.look()
    await rig.supervisor.look()
    assert sum("server/version" in asked for asked in rig.waha.asked) == 1
    assert "2024.10.8" in capfd.readouterr().out


async def test_missed_messages_are_fetched_as_the_webhook_would_have_told_them(
    rig: WahaRig,
) -> None:
    await rig.supervisor.look()
    rig.clock.advance(5 * MINUTE)
    now = rig.clock.now()
    rig.waha.says(CHAT, "AC01", "oi", (now - MINUTE).timestamp())
    rig.waha.says("12345@g.us", "AC02", "a group", now.timestamp())
    rig.waha.says("777@lid", "AC03", "hidden", now.timestamp())
    rig.waha.says("34600000000@c.us", "AC04", "long ago", (now - timedelta(days=1)).timestamp())
    await rig.catching_up.catch_up((await rig.session()).read_until)
    told = (await rig.events()).named("message.received")
    assert sorted(event["text"] for event in told) == ["hidden", "oi"]
    by_webhook = message_in(rig.waha.history[CHAT][0], session=SESSION, now=now)
    assert by_webhook is not None
    assert str(by_webhook.message_id) in {event["message_id"] for event in told}
    assert (await rig.session()).read_until == now


async def test_looking_when_nothing_happened_is_one_call(rig: WahaRig) -> None:
    rig.waha.says(CHAT, "AC01", "oi", START.timestamp())
    await rig.catching_up.catch_up(START)
    rig.waha.asked.clear()
    rig.clock.advance(MINUTE)
    await rig.catching_up.catch_up(START)
    assert rig.waha.asked == [f"GET {SESSION}/chats/overview"]
    assert len((await rig.events()).named("message.received")) == 1


async def test_many_chats_and_long_ones_are_read_page_by_page(rig: WahaRig) -> None:
    for chat in range(120):
        rig.waha.says(f"55119{chat:08d}@c.us", f"AC{chat:04d}", "oi", START.timestamp())
    for number in range(250):
        rig.waha.says(CHAT, f"AD{number:04d}", f"{number}", START.timestamp() + number / 10)
    await rig.catching_up.catch_up(START)
    assert len((await rig.events()).named("message.received")) == 370


async def test_the_moment_is_kept_only_when_everything_was_read(rig: WahaRig) -> None:
    await rig.supervisor.look()
    rig.clock.advance(5 * MINUTE)
    rig.waha.says(CHAT, "AC01", "oi", rig.clock.now().timestamp())
    rig.waha.history_status = 500
    await rig.catching_up(Watched(Session(), START), at_once=True)
    assert (await rig.session()).read_until == START
    rig.waha.history_status = 200
    rig.clock.advance(MINUTE)
    await rig.catching_up.catch_up((await rig.session()).read_until)
    assert len((await rig.events()).named("message.received")) == 1


async def test_nothing_older_than_three_days_is_fetched(rig: WahaRig) -> None:
    rig.waha.says(CHAT, "AC01", "old", (START - timedelta(days=4)).timestamp())
    rig.waha.says(CHAT, "AC02", "new", (START - timedelta(days=2)).timestamp())
    await rig.catching_up.catch_up(START - timedelta(days=30))
    [told] = (await rig.events()).named("message.received")
    assert told["text"] == "new"


async def test_a_session_that_comes_back_is_read_at_once(rig: WahaRig) -> None:
    await rig.supervisor.look()
    rig.waha.status = "STARTING"
    await rig.supervisor.look()
    rig.waha.status = "WORKING"
    rig.waha.says(CHAT, "AC01", "oi", rig.clock.now().timestamp())
    await rig.supervisor.look()
    assert len((await rig.events()).named("message.received")) == 1


async def test_the_watch_goes_on_while_waha_is_away(rig: WahaRig) -> None:
    rig.waha.session_status = 503
    await rig.supervisor.look()
    assert (await rig.session()).status == UNREACHABLE
    rig.waha.session_status = 200
    watching = asyncio.create_task(rig.supervisor.run())
    while (await rig.session()).status != WORKING:
        await asyncio.sleep(0.01)
    watching.cancel()
