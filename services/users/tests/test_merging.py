"""Two people who are one after all, and the way back."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from common.errors import CommandRefused
from common.events import (
    ListMerges,
    Sender,
    UserChanged,
    UserDeleted,
    UserMerged,
    UserOptedOut,
)
from common.ids import UserId
from users import queries

from .conftest import ANA, Town, contact, handed_on, intent, of, registration_of, said
from .test_stop import ask

SCOPED: dict[str, Any] = {"wa_id": None, "scoped": "BR.9"}
BOTH: dict[str, Any] = {"scoped": "BR.9"}


async def two(town: Town) -> tuple[UserId, UserId]:
    """Somebody active under a number, and a beginner under a business-scoped id."""
    winner = await town.sign_up()
    loser = contact(await town.hear("hola", **SCOPED)).user_id
    await town.tap("lang:es", **SCOPED)
    return winner, loser


async def merged(town: Town) -> tuple[UserId, UserId]:
    winner, loser = await two(town)
    await town.hear("menu", **BOTH)
    return winner, loser


async def test_the_loser_is_kept_and_everybody_is_told(town: Town) -> None:
    winner, loser = await two(town)
    news = await town.hear("menu", **BOTH)
    [event] = of(UserMerged, news)
    assert (event.user_id, event.into) == (loser, winner)
    [told] = [e.contact for e in of(UserChanged, news) if e.user_id == loser]
    assert told.state == "merged"
    assert of(UserDeleted, news) == []
    rows = await town.query("SELECT state, merged_into FROM users.users ORDER BY state")
    assert rows == [("active", None), ("merged", winner)]
    assert await town.number("SELECT count(*) FROM users.dialogues") == 1  # the winner's menu


async def test_whoever_lists_people_sees_one_and_may_ask_for_merges(town: Town) -> None:
    winner, loser = await merged(town)
    page = await queries.list_merges(ListMerges(), town.database)
    [view] = page.items
    assert (view.user_id, view.into, view.reversed_at) == (loser, winner, None)
    assert (view.reversible_until - view.merged_at).days == 30


async def test_a_merge_can_be_taken_back_with_all_that_was_there(town: Town) -> None:
    winner, loser = await merged(town)
    town.later(days=29)
    view = await town.reverse(loser)
    news = await town.news()
    assert (view.user_id, view.state, view.language) == (loser, "onboarding", "es")
    assert {e.user_id for e in of(UserChanged, news)} == {loser}
    assert said(await town.hear("si", **SCOPED)) == ["pick_track"]  # where they had been
    assert said(await town.hear("menu")) == ["menu"]
    assert {u for (u,) in await town.query("SELECT user_id FROM users.identities")} == {
        winner,
        loser,
    }


async def test_people_who_were_taken_apart_are_not_put_together_again(town: Town) -> None:
    winner, loser = await merged(town)
    await town.reverse(loser)
    await town.news()
    news = await town.hear("menu", **BOTH)
    assert (said(news), of(UserMerged, news)) == (["menu"], [])
    assert (await town.learn(loser, wa_id=ANA), await town.learn(winner)) == ([], [])
    late = await town.hear("?", **SCOPED)
    assert intent(late) == "help"
    assert of(UserMerged, await town.rename(Sender(business_scoped_id="BR.9"))) == []


async def test_a_merge_is_taken_back_once_and_in_time(town: Town) -> None:
    winner, loser = await merged(town)
    for nobody in (winner, UserId(uuid4())):
        with pytest.raises(CommandRefused, match="user_not_found"):
            await town.reverse(nobody)
    await town.reverse(loser)
    with pytest.raises(CommandRefused, match="merge_reversed"):
        await town.reverse(loser)


async def test_after_thirty_days_the_merged_one_is_forgotten(town: Town) -> None:
    winner, loser = await merged(town)
    town.later(days=29)
    assert await town.purge() == 0
    town.later(days=1)
    with pytest.raises(CommandRefused, match="merge_final"):
        await town.reverse(loser)
    await town.news()
    assert await town.purge() == 1
    news = await town.news()
    assert [event.user_id for event in of(UserDeleted, news)] == [loser]
    assert await town.query("SELECT snapshot FROM users.merges") == [(None,)]
    states = await town.query("SELECT id, state FROM users.users")
    assert sorted(states) == sorted([(winner, "active"), (loser, "deleted")])
    with pytest.raises(CommandRefused, match="merge_final"):
        await town.reverse(loser)
    assert await town.purge() == 0


async def test_two_replicas_forget_once(town: Town) -> None:
    await merged(town)
    town.later(days=31)
    await town.news()
    await asyncio.gather(*(town.purge() for _ in range(3)))
    assert len(of(UserDeleted, await town.news())) == 1


async def test_deleting_the_winner_deletes_whom_they_took_in(town: Town) -> None:
    winner, loser = await merged(town)
    await town.delete(winner)
    assert {e.user_id for e in of(UserDeleted, await town.news())} == {winner, loser}
    assert "BR.9" not in str(await town.query("SELECT * FROM users.merges"))
    assert await town.query("SELECT DISTINCT state FROM users.users") == [("deleted",)]
    with pytest.raises(CommandRefused, match="merge_final"):
        await town.reverse(loser)


async def test_a_command_for_the_merged_one_is_for_who_they_became(town: Town) -> None:
    winner, loser = await merged(town)
    assert (await town.change(loser, level=3)).user_id == winner
    assert (await town.unsubscribe(loser)).state == "opted_out"
    assert (await town.delete(loser)).user_id == winner


async def test_a_stop_before_the_merge_counts_and_stays_after_its_reversal(town: Town) -> None:
    winner = await town.sign_up()
    stopped = contact(await town.hear("stop", **SCOPED)).user_id
    news = await town.hear("hello", **BOTH)
    assert said(news) == ["still_stopped"]
    assert [e.user_id for e in of(UserOptedOut, news)] == [winner]
    assert await town.number("SELECT count(*) FROM users.consents WHERE NOT is_granted") == 2
    await town.reverse(stopped)
    states = await town.query("SELECT DISTINCT state FROM users.users")
    assert states == [("opted_out",)]


async def test_a_stop_after_the_merge_counts_for_both(town: Town) -> None:
    _, loser = await merged(town)
    await town.hear("stop", **SCOPED)
    await town.news()
    assert (await town.reverse(loser)).state == "opted_out"
    ledger = await town.query("SELECT user_id FROM users.consents WHERE NOT is_granted")
    assert (loser,) in ledger
    assert said(await town.hear("oi", **SCOPED)) == ["still_stopped"]


async def test_a_number_that_was_learnt_since_goes_back_with_its_owner(town: Town) -> None:
    registered = (await town.register(registration_of())).user_id
    lid = {"wa_id": None, "lid": "5@lid", "chat": "5@lid", "channel": "waha"}
    active = contact(await town.hear("oi", **lid)).user_id
    for text in ("1", "1", "1", "1", "1"):
        await town.hear(text, **lid)
    await town.learn(active, lid="5@lid", wa_id="551187654321")
    assert said(await town.hear("menu", wa_id="551187654321")) == ["menu"]
    assert (await town.reverse(registered)).state == "pending"
    await town.news()
    news = await town.tap("signup:confirm", wa_id="551187654321")
    assert contact(news).user_id == registered
    assert (await town.query("SELECT address FROM users.users WHERE id = :i", i=active)) == [
        ("5@lid",)
    ]


async def test_a_chain_of_merges_leads_to_the_last_and_back(town: Town) -> None:
    first = contact(await town.hear("oi", **SCOPED)).user_id
    town.later(seconds=1)
    second = contact(await town.hear("oi", wa_id=None, scoped="BR.8")).user_id
    await town.tap("lang:pt", wa_id=None, scoped="BR.8")
    await town.tap("consent:yes", wa_id=None, scoped="BR.8")
    third = await town.sign_up()
    await town.learn(second, business_scoped_id="BR.9")
    [[last]] = await town.query("SELECT id FROM users.users WHERE state = 'onboarding'")
    await town.learn(last, wa_id=ANA)
    assert said(await town.hear("menu", **SCOPED)) == ["menu"]
    gone = second if last == first else first
    await town.reverse(last)
    rows = dict(await town.query("SELECT id, merged_into FROM users.users"))
    assert rows == {last: None, gone: last, third: None}
    await town.reverse(gone)
    owners = await town.query("SELECT count(DISTINCT user_id) FROM users.identities")
    assert owners == [(3,)]


async def test_an_open_question_of_the_winner_goes_on(town: Town) -> None:
    winner, _ = await two(town)
    await ask(town, winner)
    assert handed_on(await town.hear("an answer", **BOTH)).user_id == winner


@pytest.mark.parametrize("run", range(5))
async def test_two_messages_that_unite_from_both_sides_at_once_make_one(
    town: Town, run: int
) -> None:
    winner, loser = await two(town)
    await town.hear("oi", wa_id=None, lid="7@lid", chat="7@lid", channel="waha")
    messages = [
        town.message("menu", **BOTH),
        town.message("menu", wa_id=None, scoped="BR.9", lid="7@lid", channel="waha"),
        town.message("menu", lid="7@lid", channel="waha"),
        town.message("menu", **SCOPED),
    ]
    async with asyncio.timeout(20):
        await asyncio.gather(*(town.deliver(message) for message in messages))
    assert {u for (u,) in await town.query("SELECT user_id FROM users.identities")} == {winner}
    states = await town.query("SELECT state FROM users.users ORDER BY state")
    assert states == [("active",), ("merged",), ("merged",)]
    assert loser is not None
    assert len(of(UserMerged, await town.news())) == 2


async def test_messages_and_a_reversal_at_once_leave_nothing_between(town: Town) -> None:
    _, loser = await merged(town)
    await asyncio.gather(
        town.reverse(loser), *(town.deliver(town.message("menu", **SCOPED)) for _ in range(3))
    )
    owners = await town.query("SELECT count(DISTINCT user_id) FROM users.identities")
    assert owners == [(2,)]
    assert await town.query("SELECT merged_into FROM users.users WHERE id = :i", i=loser) == [
        (None,)
    ]


@pytest.mark.parametrize("run", range(4))
async def test_names_learnt_from_both_sides_at_once_make_one_person(town: Town, run: int) -> None:
    winner, loser = await two(town)
    await town.news()
    async with asyncio.timeout(20):
        await asyncio.gather(
            town.learn(loser, wa_id=ANA),
            town.learn(winner, business_scoped_id="BR.9"),
            town.learn(loser, wa_id=ANA),
            town.deliver(town.message("menu", **BOTH)),
        )
    assert {u for (u,) in await town.query("SELECT user_id FROM users.identities")} == {winner}
    assert await town.number("SELECT count(*) FROM users.merges") == 1
