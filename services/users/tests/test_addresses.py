"""Somebody with many names, and where they are written to."""

from itertools import permutations

import pytest

from common.events import Sender, UserChanged, UserMerged

from .conftest import ANA, NOW, Town, contact, intent, of, registration_of, reply, said

LID = "99887766@lid"
CHAT = f"{ANA}@c.us"

FORMS = [
    ("5511987654321", "551187654321"),  # Brazil, with and without the ninth digit
    ("5215512345678", "525512345678"),  # Mexico, with and without the 1
    ("5491123456789", "541123456789"),  # Argentina, with and without the 9
]


@pytest.mark.parametrize(("first", "second"), [*FORMS, *[(b, a) for a, b in FORMS]])
async def test_either_form_of_a_number_finds_the_person_of_the_other(
    town: Town, first: str, second: str
) -> None:
    await town.hear("hello", wa_id=first)
    news = await town.hear("1", wa_id=second)
    assert await town.number("SELECT count(*) FROM users.users") == 1
    assert contact(news).address == second
    registered = await town.register(registration_of(f"+{first}"))
    assert registered.is_new is False


@pytest.mark.parametrize("order", list(permutations(("wa_id", "scoped", "lid"))))
async def test_a_person_is_found_by_any_of_their_names(town: Town, order: tuple[str, ...]) -> None:
    names = {"wa_id": ANA, "scoped": "BR.15a", "lid": LID}
    await town.hear("oi", **names)
    for name in order:
        only = {"wa_id": None, name: names[name]}
        assert said(await town.hear("?", **only)) == ["help"]
    assert await town.number("SELECT count(*) FROM users.users") == 1
    kinds = await town.query("SELECT kind FROM users.identities ORDER BY kind")
    assert kinds == [("bsuid",), ("lid",), ("wa_id",)]


async def test_somebody_without_a_number_is_written_to_under_the_business_scoped_id(
    town: Town,
) -> None:
    news = await town.hear("hello", wa_id=None, scoped="BR.15a")
    assert contact(news).address == "BR.15a"
    news = await town.learn(contact(news).user_id, wa_id=ANA, business_scoped_id="BR.15a")
    assert contact(news).address == ANA


async def test_on_waha_a_reply_belongs_to_the_chat_it_came_from(town: Town) -> None:
    hidden = {"channel": "waha", "lid": LID}
    news = await town.hear("oi", chat=LID, **hidden)
    assert (contact(news).channel, contact(news).address) == ("waha", LID)
    assert reply(news).contact == contact(news)
    open_chat = await town.hear("1", chat=CHAT, **hidden)
    assert contact(open_chat).address == ANA


async def test_the_channel_is_that_of_the_last_message(town: Town) -> None:
    await town.hear("oi", channel="waha", lid=LID, chat=LID)
    news = await town.hear("1", scoped="BR.1")
    assert (contact(news).channel, contact(news).address) == ("cloud", ANA)
    reacted = await town.hear(kind="reaction", channel="waha", lid=LID, chat=LID)
    assert (intent(reacted), of(UserChanged, reacted)) == ("ignored", [])
    back = await town.hear("1", channel="waha", lid=LID, chat=LID, wa_id=None)
    assert (contact(back).channel, contact(back).address) == ("waha", LID)


async def test_a_hidden_id_is_no_number(town: Town) -> None:
    """Its digits may begin like those of a country."""
    lid = "5592123456@lid"
    await town.hear("oi", wa_id=None, lid=lid, chat=lid, channel="waha")
    for text in ("1", "1", "1", "1"):
        news = await town.hear(text, wa_id=None, lid=lid, chat=lid, channel="waha")
    assert reply(news).values == {"tz_label": "America/Sao_Paulo"}  # by the language
    [[user_id]] = await town.query("SELECT id FROM users.users")
    assert (await town.change(user_id, level=2)).phone is None


async def test_the_channel_of_somebody_from_the_web_is_a_setting(town: Town) -> None:
    await town.register(registration_of(), channel="waha")
    assert contact(await town.news()).channel == "waha"
    assert contact(await town.tap("signup:confirm")).channel == "cloud"


async def test_a_returned_number_replaces_the_one_from_the_form(town: Town) -> None:
    user_id = (await town.register(registration_of())).user_id
    await town.news()
    news = await town.learn(user_id, wa_id="551187654321", business_scoped_id="BR.7")
    assert contact(news).address == "551187654321"
    assert await town.learn(user_id, wa_id="551187654321", business_scoped_id="BR.7") == []
    assert said(await town.tap("signup:confirm", wa_id=None, scoped="BR.7")) == ["onboarding_done"]


async def test_names_of_somebody_who_is_gone_are_not_learnt(town: Town) -> None:
    user_id = await town.sign_up()
    await town.delete(user_id)
    await town.news()
    assert await town.learn(user_id, wa_id=ANA) == []
    assert await town.number("SELECT count(*) FROM users.identities") == 0


async def test_a_hidden_person_who_is_on_the_web_list_goes_on_with_one_confirmation(
    town: Town,
) -> None:
    registered = (await town.register(registration_of())).user_id
    hidden = {"wa_id": None, "lid": LID, "chat": LID, "channel": "waha"}
    stranger = contact(await town.hear("oi", **hidden)).user_id
    assert stranger != registered
    news = await town.learn(stranger, lid=LID, wa_id=ANA)
    [merged] = of(UserMerged, news)
    assert (merged.user_id, merged.into) == (stranger, registered)
    [there] = [e.contact for e in of(UserChanged, news) if e.user_id == registered]
    assert (there.channel, there.address, there.state) == ("waha", LID, "pending")
    assert said(await town.hear("1", **hidden)) == ["confirm_signup"]
    done = await town.hear("1", **hidden)
    assert (said(done), contact(done).state) == (["onboarding_done"], "active")
    assert (contact(done).user_id, contact(done).address) == (registered, LID)


async def test_what_is_learnt_twice_and_late_changes_nothing(town: Town) -> None:
    registered = (await town.register(registration_of())).user_id
    stranger = contact(await town.hear("oi", wa_id=None, lid=LID, chat=LID, channel="waha")).user_id
    await town.learn(stranger, lid=LID, wa_id=ANA)
    assert await town.learn(stranger, lid=LID, wa_id=ANA) == []
    assert await town.learn(registered, lid=LID) == []


async def test_a_sender_with_a_former_and_a_new_name_keeps_the_history(town: Town) -> None:
    await town.hear("oi")
    news = await town.rename(Sender(wa_id="5521987654321"))
    assert (said(news), intent(news), contact(news).address) == ([], "renamed", "5521987654321")
    rows = await town.query("SELECT value, until FROM users.identities ORDER BY since, value")
    assert ("5511987654321", NOW) in rows
    assert ("5521987654321", None) in rows
