"""One person, whatever they are called."""

import asyncio

import pytest

from common.events import Sender, UserChanged, UserDeleted, UserMerged
from users.errors import SenderHasNoName
from users.identity import aliases_of, canonical_number, phone_alias

from .conftest import ANA, Town, contact, of, registration_of, said


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        ("+55 (82) 99944-8232", "5582999448232"),
        ("558299448232", "5582999448232"),
        ("5582999448232", "5582999448232"),
        ("551133334444", "551133334444"),  # a landline
        ("551159998888", "551159998888"),
        ("551161234567", "5511961234567"),
        ("5521 8765-4321", "5521987654321"),
        ("5215512345678", "525512345678"),
        ("525512345678", "525512345678"),
        ("5491123456789", "5491123456789"),
        ("541123456789", "5491123456789"),
        ("14155550123", "14155550123"),
        ("351912345678", "351912345678"),
        ("5511987654321@c.us", "5511987654321"),
        ("551187654321:18@s.whatsapp.net", "5511987654321"),
    ],
)
def test_every_form_of_a_number_has_one_canonical_form(number: str, canonical: str) -> None:
    assert canonical_number(number) == canonical
    assert canonical_number(canonical) == canonical


def test_a_sender_has_the_names_that_whatsapp_gave() -> None:
    both = aliases_of(Sender(wa_id="551187654321", business_scoped_id="BR.15a"))
    assert [(a.kind, a.canonical, a.value) for a in both] == [
        ("wa_id", ANA, "551187654321"),
        ("bsuid", "BR.15a", "BR.15a"),
    ]
    assert aliases_of(Sender()) == ()
    assert aliases_of(Sender(wa_id="status")) == ()
    assert [a.kind for a in aliases_of(Sender(wa_id="123456@lid"))] == ["lid"]
    hidden = aliases_of(Sender(lid="123456:18@lid", wa_id=ANA))
    assert [(a.group, a.kind, a.value) for a in hidden] == [
        ("number", "wa_id", ANA),
        ("scoped", "lid", "123456@lid"),
    ]
    assert phone_alias(f"+{ANA}").canonical == ANA


async def test_two_forms_of_a_brazilian_number_are_one_person(town: Town) -> None:
    await town.hear("oi", wa_id="5511987654321")
    news = await town.hear("oi", wa_id="551187654321")
    assert await town.number("SELECT count(*) FROM users.users") == 1
    assert (contact(news).address, contact(news).revision) == ("551187654321", 2)


async def test_first_messages_of_one_number_at_once_make_one_person(town: Town) -> None:
    numbers = ("5511987654321", "551187654321") * 3
    await asyncio.gather(*(town.deliver(town.message("oi", wa_id=n)) for n in numbers))
    assert await town.number("SELECT count(*) FROM users.users") == 1
    news = await town.news()
    assert len({message.contact.user_id for message in of(UserChanged, news)}) == 1


async def test_the_same_message_twice_changes_nothing(town: Town) -> None:
    message = town.message("oi")
    await town.deliver(message)
    first = await town.news()
    await asyncio.gather(*(town.deliver(message) for _ in range(3)))
    assert said(first) == ["welcome"]
    assert await town.news() == []


async def test_whatsapps_number_replaces_the_one_from_the_form(town: Town) -> None:
    await town.register(registration_of())
    assert contact(await town.news()).address == "5511987654321"
    news = await town.hear("oi", wa_id="551187654321")
    assert contact(news).address == "551187654321"
    assert contact(news).revision == 2
    history = await town.query(
        "SELECT kind, value, until IS NULL FROM users.identities ORDER BY until NULLS LAST"
    )
    assert history == [("phone", "5511987654321", False), ("wa_id", "551187654321", True)]


async def test_a_name_of_the_business_only_leads_to_the_same_person(town: Town) -> None:
    await town.hear("oi", scoped="BR.1")
    news = await town.tap("lang:pt", wa_id=None, scoped="BR.1")
    assert said(news) == ["consent"]
    assert await town.number("SELECT count(*) FROM users.users") == 1
    [[address]] = await town.query("SELECT address FROM users.users")
    assert address == ANA


async def test_a_sender_without_any_name_is_refused(town: Town) -> None:
    with pytest.raises(SenderHasNoName):
        await town.hear("oi", wa_id=None)


async def test_two_people_who_turn_out_to_be_one_are_united(town: Town) -> None:
    active = await town.sign_up()
    await town.hear("oi", wa_id=None, scoped="BR.9")
    news = await town.hear("menu", scoped="BR.9")
    assert said(news) == ["menu"]
    [gone] = of(UserMerged, news)
    assert (gone.user_id != active, gone.into) == (True, active)
    assert of(UserDeleted, news) == []
    assert await town.query("SELECT DISTINCT user_id FROM users.identities") == [(active,)]
    assert said(await town.hear("menu", wa_id=None, scoped="BR.9")) == ["menu"]


async def test_a_stop_of_either_counts_when_two_are_united(town: Town) -> None:
    await town.sign_up()
    await town.hear("stop", wa_id=None, scoped="BR.9")
    news = await town.hear("hello", scoped="BR.9")
    assert (said(news), contact(news).state) == (["still_stopped"], "opted_out")
