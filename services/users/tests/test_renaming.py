"""People who change their number or their id, and news of it that is late or comes twice."""

from common.events import InboundUnderstood, Sender, UserChanged, UserMerged

from .conftest import ANA, Town, contact, handed_on, intent, of, said
from .test_stop import ask

NEW = "5521987650000"
LID, NEW_LID = "111@lid", "222@lid"


async def test_a_new_number_is_the_same_person_and_nothing_is_said(town: Town) -> None:
    user_id = await town.sign_up()
    news = await town.rename(Sender(wa_id=NEW))
    assert (said(news), contact(news).user_id, contact(news).address) == ([], user_id, NEW)
    [understood] = of(InboundUnderstood, news)
    assert (understood.opens_window, understood.user_id) == (False, user_id)
    assert said(await town.hear("menu", wa_id=NEW)) == ["menu"]


async def test_told_twice_it_changes_nothing_even_when_the_old_number_has_a_new_owner(
    town: Town,
) -> None:
    user_id = await town.sign_up()
    await town.rename(Sender(wa_id=NEW))
    again = await town.rename(Sender(wa_id=NEW))
    assert of(UserChanged, again) == []
    town.later(days=90)
    newcomer = contact(await town.hear("oi")).user_id
    assert newcomer != user_id
    late = await town.rename(Sender(wa_id=NEW))
    assert (of(UserMerged, late), of(UserChanged, late)) == ([], [])
    assert intent(late) == "renamed"


async def test_a_message_from_before_the_change_that_comes_after_it_finds_the_person(
    town: Town,
) -> None:
    user_id = await town.sign_up()
    assignment = await ask(town, user_id)
    before = town.message("a late answer")
    town.later(minutes=1)
    await town.rename(Sender(wa_id=NEW))
    await town.deliver(before)
    news = await town.news()
    command = handed_on(news)
    assert (command.user_id, command.text, command.assignment_id) == (
        user_id,
        "a late answer",
        None,
    )
    assert of(UserChanged, news) == []
    [[address]] = await town.query("SELECT address FROM users.users")
    assert (address, assignment is not None) == (NEW, True)


async def test_the_first_message_under_the_new_number_may_come_before_the_news(
    town: Town,
) -> None:
    user_id = await town.sign_up()
    early = await town.hear("menu", wa_id=NEW)
    assert said(early) == ["welcome"]
    news = await town.rename(Sender(wa_id=NEW))
    [merged] = of(UserMerged, news)
    assert (merged.user_id, merged.into) == (contact(early).user_id, user_id)
    assert said(await town.hear("menu", wa_id=NEW)) == ["menu"]


async def test_a_new_business_scoped_id_leaves_the_number(town: Town) -> None:
    await town.sign_up()
    await town.hear("menu", scoped="BR.1")
    await town.rename(Sender(business_scoped_id="BR.2"), scoped="BR.1", wa_id=None)
    assert said(await town.hear("menu", wa_id=None, scoped="BR.2")) == ["menu"]
    assert said(await town.hear("menu")) == ["menu"]
    current = await town.query("SELECT value FROM users.identities WHERE until IS NULL")
    assert sorted(current) == [(ANA,), ("BR.2",)]


async def test_a_new_hidden_id_is_the_new_chat(town: Town) -> None:
    await town.hear("oi", lid=LID, chat=LID, channel="waha")
    news = await town.rename(Sender(lid=NEW_LID), lid=LID, wa_id=None, channel="waha")
    assert contact(news).address == NEW_LID


async def test_nobody_is_created_for_the_change_of_a_number(town: Town) -> None:
    assert await town.rename(Sender(wa_id=NEW)) == []
    assert await town.number("SELECT count(*) FROM users.users") == 0
    assert await town.rename(Sender()) == []
