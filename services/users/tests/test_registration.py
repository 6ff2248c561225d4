"""People who come from the web, and what may be done to them from there."""

import asyncio
from uuid import uuid4

import pytest
from psycopg.errors import RaiseException
from pydantic import ValidationError

from common.database import Database
from common.errors import CommandRefused
from common.events import (
    GetUser,
    ListUsers,
    SendMessage,
    UserChanged,
    UserDeleted,
    UserRegistered,
    UserState,
)
from common.ids import UserId, new_id
from users import queries

from .conftest import ANA, NOW, POLICY, Town, contact, of, preferences, registration_of, reply, said


async def test_a_registration_waits_for_its_confirmation_in_the_chat(town: Town) -> None:
    command = registration_of()
    outcome = await town.register(command)
    assert (outcome.user_id, outcome.is_new, outcome.state) == (command.user_id, True, "pending")
    news = await town.news()
    assert (reply(news).kind, reply(news).purpose) == ("confirm_signup", "signup")
    assert reply(news).values == {"date": "20/11/2026"}
    assert [event.source for event in of(UserRegistered, news)] == ["web"]
    assert (contact(news).state, contact(news).address) == ("pending", ANA)
    done = await town.tap("signup:confirm")
    assert (said(done), contact(done).state) == (["onboarding_done"], "active")
    assert reply(done).values == {
        "track": "python",
        "time": "09:00",
        "tz_label": "America/Sao_Paulo",
    }
    assert of(UserRegistered, done) == []
    rows = await town.query("SELECT version, channel FROM users.consents ORDER BY channel")
    assert rows == [(POLICY, "cloud"), (POLICY, "web")]
    assert said(await town.tap("signup:confirm")) == ["menu"]


@pytest.mark.parametrize(("language", "date"), [("en", "Nov 20, 2026"), ("es", "20/11/2026")])
async def test_the_date_is_in_the_persons_own_form(town: Town, language: str, date: str) -> None:
    await town.register(registration_of(language=language))
    assert reply(await town.news()).values == {"date": date}


async def test_the_same_number_again_makes_no_second_person_and_no_second_message(
    town: Town,
) -> None:
    first = await town.register(registration_of())
    await town.news()
    again = await town.register(
        registration_of("+551187654321", preferences=preferences(time="21:00"))
    )
    assert (again.user_id, again.is_new, again.state) == (first.user_id, False, "pending")
    news = await town.news()
    assert of(SendMessage, news) == []
    assert of(UserChanged, news)[-1].preferences == preferences(time="21:00")
    assert await town.number("SELECT count(*) FROM users.users") == 1
    town.later(days=31)
    await town.register(registration_of())
    assert said(await town.news()) == ["confirm_signup"]


async def test_a_form_may_not_speak_for_somebody_active(town: Town) -> None:
    user_id = await town.sign_up()
    outcome = await town.register(registration_of(language="en", name="Mallory"))
    assert (outcome.user_id, outcome.is_new, outcome.state) == (user_id, False, "active")
    assert await town.news() == []


async def test_somebody_who_began_in_the_chat_may_finish_on_the_web(town: Town) -> None:
    await town.hear("oi")
    outcome = await town.register(registration_of())
    assert (outcome.is_new, outcome.state) == (False, "pending")
    assert said(await town.news()) == ["confirm_signup"]
    assert said(await town.hear("sim")) == ["onboarding_done"]


async def test_a_text_instead_of_the_confirmation_asks_again(town: Town) -> None:
    await town.register(registration_of())
    await town.news()
    for how in ({"text": "oi"}, {"choice": "question:now"}, {"choice": "track:ruby"}):
        assert said(await town.hear(**how)) == ["confirm_signup"]
    assert said(await town.hear("stop")) == ["stopped"]
    assert said(await town.hear("start")) == ["restarted"]


async def test_not_me_erases_and_keeps_the_form_from_writing_again(town: Town) -> None:
    outcome = await town.register(registration_of())
    await town.news()
    news = await town.tap("signup:notme")
    assert (said(news), contact(news).state, contact(news).address) == ([], "deleted", None)
    assert [event.user_id for event in of(UserDeleted, news)] == [outcome.user_id]
    assert await town.query("SELECT value FROM users.identities") == []
    assert (await town.register(registration_of())).is_new
    assert of(SendMessage, await town.news()) == []
    town.later(days=31)
    await town.register(registration_of())
    assert said(await town.news()) == ["confirm_signup"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "5511987654321"}, "phone"),
        ({"phone": "+55 11 98765"}, "phone"),
        ({"phone": "+0123456789"}, "phone"),
        ({"phone": "+٥٥١١٩٨٧٦٥٤٣"}, "phone"),
        ({"consent_version": " "}, "consent_version"),
        ({"preferences": preferences(timezone="Mars/Olympus")}, "timezone"),
        ({"preferences": preferences(timezone="")}, "timezone"),
        ({"preferences": preferences(timezone="../etc/passwd")}, "timezone"),
        ({"preferences": preferences(time="24:00")}, "time"),
        ({"preferences": preferences(time="9:00")}, "time"),
        ({"preferences": preferences(time="09:00\n")}, "time"),
        ({"preferences": preferences(level=0)}, "level"),
        ({"preferences": preferences(level=4)}, "level"),
        ({"preferences": preferences(tracks=())}, "tracks"),
    ],
)
async def test_garbage_is_refused_and_the_field_is_named(
    town: Town, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(CommandRefused) as refused:
        await town.register(registration_of(**{"phone": f"+{ANA}", **changes}))  # type: ignore[arg-type]
    assert refused.value.code == "invalid"
    assert refused.value.detail.startswith(f"{field}:")
    assert await town.news() == []


def test_an_unknown_track_is_no_message_at_all() -> None:
    with pytest.raises(ValidationError):
        registration_of(preferences={**preferences().model_dump(), "tracks": ["cobol"]})


async def test_a_taken_id_is_refused(town: Town) -> None:
    command = registration_of()
    await town.register(command)
    with pytest.raises(CommandRefused, match="user_id"):
        await town.register(registration_of("+34600000001", user_id=command.user_id))


async def test_fields_left_out_of_a_change_stay(town: Town) -> None:
    user_id = await town.sign_up()
    view = await town.change(user_id, name=" Ana\nB. ", level=3, tracks=["dsa", "dsa", "ruby"])
    assert (view.name, view.language, view.phone) == ("Ana B.", "pt", f"+{ANA}")
    assert view.preferences is not None
    assert (view.preferences.tracks, view.preferences.level) == (("dsa", "ruby"), 3)
    assert view.preferences.time == "09:00"
    assert contact(await town.news()).name == "Ana B."
    await town.change(user_id, level=3)
    assert await town.news() == []
    with pytest.raises(CommandRefused, match="timezone"):
        await town.change(user_id, timezone="Nowhere")


async def test_deletion_leaves_a_tombstone_and_the_ledger(town: Town) -> None:
    user_id = await town.sign_up()
    assert (await town.delete(user_id)).state == "deleted"
    news = await town.news()
    assert (contact(news).address, contact(news).name) == (None, None)
    assert of(UserChanged, news)[-1].preferences is None
    assert len(of(UserDeleted, news)) == 1
    for table in ("identities", "dialogues", "open_questions"):
        assert await town.number(f"SELECT count(*) FROM users.{table}") == 0  # noqa: S608
    assert await town.number("SELECT count(*) FROM users.consents") == 1
    everything = str(await town.query("SELECT * FROM users.users"))
    assert ANA not in everything
    assert "Ana" not in everything
    for again in (town.delete, town.unsubscribe, town.change):
        with pytest.raises(CommandRefused, match="user_not_found"):
            await again(user_id)
    fresh = await town.hear("oi")
    assert said(fresh) == ["welcome"]
    assert contact(fresh).user_id != user_id


async def test_nobody_can_be_changed_who_is_not_there(town: Town) -> None:
    for command in (town.delete, town.unsubscribe, town.change):
        with pytest.raises(CommandRefused, match="user_not_found"):
            await command(UserId(uuid4()))


async def test_the_ledger_of_consents_cannot_be_rewritten(town: Town) -> None:
    await town.register(registration_of())
    for statement in ("UPDATE users.consents SET is_granted = false", "DELETE FROM users.consents"):
        with pytest.raises(RaiseException, match="only ever added to"):
            await town.query(statement)


async def test_one_person_and_pages_of_people_can_be_read(town: Town, database: Database) -> None:
    ids = sorted([await town.sign_up(f"5511987650{n:03}") for n in range(5)])
    await town.hear("stop", wa_id="5511987650000")
    assert (await queries.get_user(GetUser(user_id=ids[0]), database)).user_id == ids[0]
    with pytest.raises(CommandRefused, match="user_not_found"):
        await queries.get_user(GetUser(user_id=UserId(new_id())), database)
    first = await queries.list_users(ListUsers(limit=3), database)
    rest = await queries.list_users(ListUsers(limit=3, after=first.next_after), database)
    assert [view.user_id for view in first.items + rest.items] == ids
    assert (first.next_after, rest.next_after) == (ids[2], None)
    assert len((await queries.list_users(ListUsers(limit=-1), database)).items) == 1

    async def count(state: UserState) -> int:
        return len((await queries.list_users(ListUsers(state=state), database)).items)

    assert (await count("opted_out"), await count("active"), await count("deleted")) == (1, 4, 0)


@pytest.mark.parametrize("run", range(6))
async def test_a_registration_and_a_first_message_at_once_make_one_person(
    town: Town, run: int
) -> None:
    await asyncio.gather(
        town.register(registration_of()),
        town.deliver(town.message("oi", wa_id="551187654321")),
        town.register(registration_of("+551187654321")),
        town.deliver(town.message("hola", wa_id=ANA, scoped="BR.1")),
    )
    rows = await town.query("SELECT state, address FROM users.users")
    assert len(rows) == 1
    assert rows[0][0] == "pending"
    assert said(await town.news()).count("confirm_signup") >= 1
    assert town.clock.now() == NOW


@pytest.mark.parametrize("run", range(4))
async def test_a_deletion_and_a_message_at_once_leave_nothing_half_deleted(
    town: Town, run: int
) -> None:
    user_id = await town.sign_up()
    await town.news()
    await asyncio.gather(
        town.delete(user_id),
        *(town.deliver(town.message("english")) for _ in range(3)),
    )
    rows = await town.query("SELECT address, name FROM users.users WHERE state = 'deleted'")
    assert rows == [(None, None)]
    bearers = await town.query("SELECT user_id FROM users.identities")
    assert (user_id,) not in bearers
    changes = [e for e in of(UserChanged, await town.news()) if e.user_id == user_id]
    revisions = [event.contact.revision for event in changes]
    assert revisions == sorted(set(revisions))


async def test_a_stop_and_a_registration_at_once_end_stopped_and_silent(town: Town) -> None:
    await town.sign_up()
    await asyncio.gather(
        town.deliver(town.message("stop")), *(town.register(registration_of()) for _ in range(3))
    )
    assert await town.query("SELECT state FROM users.users") == [("opted_out",)]
    assert "confirm_signup" not in said(await town.news())
