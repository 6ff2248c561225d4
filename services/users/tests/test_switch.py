"""WhatsApp's own switch for what is sent unasked: no daily questions, nothing else."""

from datetime import timedelta

import pytest

from common.events import Message, MessageFailed, SendMessage, UserChanged
from common.ids import MessageId, UserId, new_id
from users.handlers import follow
from users.store import Store

from .conftest import NOW, POLICY, Town, contact, handed_on, of, said

LATER = NOW + timedelta(minutes=5)


async def stop(town: Town) -> list[Message]:
    return await town.prefer(is_wanted=False, at=NOW)


async def refuse(town: Town, *user_ids: UserId, reason: str = "person_stopped") -> list[Message]:
    events = [
        MessageFailed(
            occurred_at=town.clock.now(),
            user_id=user_id,
            sent_id=MessageId(new_id()),
            kind="daily_ready",
            reason=reason,
        )
        for user_id in user_ids
    ]
    async with town.database.transaction() as tx:
        await follow(events, Store(tx), town.clock.now(), POLICY)
    return await town.news()


async def test_a_stop_pauses_in_silence_and_is_in_the_ledger(town: Town) -> None:
    await town.sign_up()
    news = await stop(town)
    assert (contact(news).state, of(SendMessage, news)) == ("paused", [])
    assert await town.number("SELECT count(*) FROM users.consents WHERE NOT is_granted") == 1
    assert handed_on(await town.hear("question now")).kind == "question_now"
    assert await stop(town) == []


async def test_a_resume_ends_the_pause(town: Town) -> None:
    await town.sign_up()
    await stop(town)
    news = await town.prefer(is_wanted=True, at=LATER)
    assert (contact(news).state, of(SendMessage, news)) == ("active", [])
    assert await town.number("SELECT count(*) FROM users.consents WHERE is_granted") == 2


@pytest.mark.parametrize("at", [NOW - timedelta(minutes=1), NOW])
async def test_a_resume_from_before_the_stop_is_ignored(town: Town, at: object) -> None:
    await town.sign_up()
    await stop(town)
    assert await town.prefer(is_wanted=True, at=at) == []  # type: ignore[arg-type]


async def test_the_news_in_the_wrong_order_ends_in_the_right_state(town: Town) -> None:
    await town.sign_up()
    assert of(UserChanged, await town.prefer(is_wanted=True, at=LATER)) == []
    assert await stop(town) == []
    [[state]] = await town.query("SELECT state FROM users.users")
    assert state == "active"


async def test_start_brings_back_and_an_older_stop_does_not_undo_it(town: Town) -> None:
    await town.sign_up()
    await stop(town)
    town.later(minutes=10)
    news = await town.hear("começar")
    assert (said(news), contact(news).state) == (["restarted"], "active")
    assert await town.prefer(is_wanted=False, at=LATER) == []


async def test_a_resume_does_not_bring_back_whoever_said_stop(town: Town) -> None:
    await town.sign_up()
    await stop(town)
    await town.hear("parar")
    assert of(UserChanged, await town.prefer(is_wanted=True, at=LATER)) == []
    [[state, paused_by]] = await town.query("SELECT state, paused_by FROM users.users")
    assert (state, paused_by) == ("opted_out", None)


async def test_nobody_is_created_for_a_preference(town: Town) -> None:
    assert await stop(town) == []
    assert await town.number("SELECT count(*) FROM users.users") == 0


async def test_a_message_that_was_refused_for_it_has_the_same_effect(town: Town) -> None:
    first, second = await town.sign_up(), await town.sign_up("5521987654321")
    await town.news()
    news = await refuse(town, second, first, second, UserId(new_id()))
    assert {e.user_id: e.contact.state for e in of(UserChanged, news)} == {
        first: "paused",
        second: "paused",
    }
    assert await refuse(town, first, second) == []


async def test_another_failure_changes_nobody(town: Town) -> None:
    user_id = await town.sign_up()
    await town.news()
    assert await refuse(town, user_id, reason="window_closed") == []


async def test_the_switch_of_somebody_who_was_merged_counts(town: Town) -> None:
    winner = await town.sign_up()
    loser = contact(await town.hear("oi", wa_id=None, scoped="BR.9")).user_id
    await town.hear("menu", scoped="BR.9")
    await town.news()
    news = await refuse(town, loser)
    assert (contact(news).user_id, contact(news).state) == (winner, "paused")
