"""From a first message to an active person, in the chat."""

import asyncio

import pytest

from common.events import Language, UserChanged, UserRegistered
from users.handlers import Turn, understand_message
from users.store import Store

from .conftest import ANA, NOW, POLICY, Town, contact, handed_on, intent, of, reply, said

FIRST_WORDS: list[tuple[Language, str, str]] = [
    ("pt", "5511987654321", "oi"),
    ("en", "14155550123", "hello"),
    ("es", "34600000001", "hola"),
]


@pytest.mark.parametrize(("language", "number", "greeting"), FIRST_WORDS)
async def test_a_stranger_becomes_active_in_five_taps(
    town: Town, language: Language, number: str, greeting: str
) -> None:
    first = await town.hear(greeting, wa_id=number)
    assert (said(first), contact(first).state) == (["welcome"], "onboarding")
    assert contact(first).language == language
    steps = [
        (f"lang:{language}", "consent"),
        ("consent:yes", "pick_track"),
        ("track:dsa", "pick_level"),
        ("level:3", "pick_time"),
        ("time:07:00", "onboarding_done"),
    ]
    for choice, answer in steps:
        news = await town.tap(choice, wa_id=number)
        assert said(news) == [answer]
    changed = of(UserChanged, news)[-1]
    assert (changed.contact.state, changed.contact.address) == ("active", number)
    assert changed.contact.name == "Ana Canário"
    assert changed.preferences is not None
    assert (changed.preferences.tracks, changed.preferences.level) == (("dsa",), 3)
    assert changed.preferences.time == "07:00"
    assert [event.source for event in of(UserRegistered, news)] == ["chat"]
    consents = await town.query("SELECT is_granted, version, language, channel FROM users.consents")
    assert consents == [(True, POLICY, language, "cloud")]


@pytest.mark.parametrize(
    ("language", "yes", "track", "level", "time", "kept"),
    [
        ("português", "Sim!", "JavaScript", "Pleno", "às 8 e meia", "08:30"),
        ("English", "I agree", "algorithms", "senior", "7:45 pm", "19:45"),
        ("español", "Sí", "ruby", "junior", "a las 19h", "19:00"),
        ("2", "1", "5", "1", "06h15", "06:15"),
    ],
)
async def test_everything_can_be_typed(
    town: Town, language: str, yes: str, track: str, level: str, time: str, kept: str
) -> None:
    await town.hear("?!")
    kinds = [said(await town.hear(text)) for text in (language, yes, track, level)]
    assert kinds == [["consent"], ["pick_track"], ["pick_level"], ["pick_time"]]
    done = await town.hear(time)
    assert said(done) == ["onboarding_done"]
    assert reply(done).values["time"] == kept


async def test_the_time_zone_is_guessed_from_the_number_and_can_be_changed(town: Town) -> None:
    manaus = "5592991234567"
    await town.hear("oi", wa_id=manaus)
    for choice in ("lang:pt", "consent:yes", "track:python", "level:1"):
        news = await town.tap(choice, wa_id=manaus)
    assert reply(news).values == {"tz_label": "America/Manaus"}
    assert said(await town.tap("tz:change", wa_id=manaus)) == ["ask_timezone"]
    assert said(await town.hear("Atlântida", wa_id=manaus)) == ["timezone_bad"]
    asked_again = await town.hear("Lisboa", wa_id=manaus)
    assert reply(asked_again).values == {"tz_label": "Europe/Lisbon"}
    assert said(await town.hear("quando der", wa_id=manaus)) == ["time_bad"]
    done = await town.hear("19h", wa_id=manaus)
    assert reply(done).values == {
        "track": "python",
        "time": "19:00",
        "tz_label": "Europe/Lisbon",
    }


async def test_what_is_not_understood_repeats_the_step(town: Town) -> None:
    assert said(await town.hear("start")) == ["welcome"]
    assert said(await town.hear("blah")) == ["welcome"]
    await town.tap("lang:en")
    assert said(await town.hear("blah")) == ["consent"]
    assert said(await town.tap("question:now")) == ["consent"]
    assert said(await town.tap("consent:more")) == ["consent_more"]
    assert said(await town.hear("tell me more")) == ["consent_more"]
    assert said(await town.hear("help")) == ["help"]
    assert said(await town.hear("yes")) == ["pick_track"]
    assert said(await town.hear(kind="image")) == ["media_unsupported"]


@pytest.mark.parametrize("choice", ["track:python", "level:1", "time:09:00", "tz:change"])
async def test_nothing_is_kept_before_consent(town: Town, choice: str) -> None:
    await town.hear("oi")
    await town.tap("lang:pt")
    news = await town.tap(choice)
    assert said(news) == ["consent"]
    assert of(UserChanged, news) == []
    assert await town.query("SELECT name, tracks, level, time_of_day FROM users.users") == [
        (None, [], None, None)
    ]


async def test_no_is_final_and_leaves_no_profile(town: Town) -> None:
    await town.hear("oi")
    await town.tap("lang:pt")
    refused = await town.tap("consent:no")
    assert (said(refused), contact(refused).state) == (["consent_declined"], "declined")
    for text in ("oi", "menu", "ajuda", "parar"):
        assert said(await town.hear(text)) == []
    assert await town.query("SELECT is_granted FROM users.consents") == [(False,)]
    assert await town.query("SELECT name, tracks FROM users.users") == [(None, [])]
    back = await town.hear("começar")
    assert (said(back), contact(back).state) == (["welcome"], "onboarding")


async def test_an_early_consent_is_recorded_once(town: Town) -> None:
    await town.hear("oi")
    await town.tap("lang:pt")
    await town.tap("consent:yes")
    assert said(await town.tap("consent:yes")) == ["pick_track"]
    assert await town.number("SELECT count(*) FROM users.consents") == 1


async def test_a_sign_up_goes_on_after_days(town: Town) -> None:
    await town.hear("oi")
    await town.tap("lang:pt")
    town.later(days=3)
    assert said(await town.hear("sim")) == ["pick_track"]
    town.later(days=60)
    assert said(await town.hear("oi")) == ["pick_track"]


@pytest.mark.parametrize("kind", ["reaction", "edit", "revoke", "system"])
async def test_a_reaction_and_its_like_are_noted_and_not_answered(town: Town, kind: str) -> None:
    stranger = await town.hear(kind=kind)
    assert (said(stranger), intent(stranger)) == ([], "ignored")
    await town.sign_up(wa_id="5521987654321")
    news = await town.hear(kind=kind, wa_id="5521987654321")
    assert (said(news), intent(news)) == ([], "ignored")


@pytest.mark.parametrize(
    "kind",
    [
        *("image", "video", "audio", "document", "sticker", "location", "contacts", "order"),
        *("unsupported", "unknown"),
    ],
)
async def test_what_cannot_be_read_is_said_so(town: Town, kind: str) -> None:
    await town.sign_up()
    news = await town.hear(kind=kind)
    assert (reply(news).kind, reply(news).values) == ("media_unsupported", {"media": kind})


async def test_a_reply_carries_the_newest_contact_and_what_it_replies_to(town: Town) -> None:
    message = town.message("oi")
    await town.deliver(message)
    sent = reply(await town.news())
    assert sent.inbound == message.ref
    assert sent.contact is not None
    assert (sent.contact.revision, sent.contact.state) == (1, "onboarding")
    assert (sent.purpose, sent.occurred_at) == ("reply", NOW)


async def test_a_text_of_an_active_person_is_handed_on_whole(town: Town) -> None:
    user_id = await town.sign_up()
    text = "a" * 5_000
    command = handed_on(await town.hear(text))
    assert (command.kind, command.text, command.user_id) == ("text", text, user_id)
    assert command.inbound.provider_id.startswith(f"wamid.{ANA}")


async def test_preferences_are_changed_from_the_menu(town: Town) -> None:
    await town.sign_up()
    assert said(await town.hear("menu")) == ["menu"]
    assert said(await town.hear("2")) == ["pick_track"]
    changed = await town.hear("4")
    assert reply(changed).values == {"track": "dsa"}
    assert said(await town.tap("schedule")) == ["pick_time"]
    assert reply(await town.hear("8")).values["time"] == "08:00"
    assert said(await town.tap("language")) == ["pick_language"]
    assert said(await town.hear("english")) == ["language_set"]
    assert reply(await town.hear("time 25:99")).kind == "time_bad"
    assert reply(await town.hear("zone Lisbon")).values["tz_label"] == "Europe/Lisbon"
    assert reply(await town.hear("7pm")).values["time"] == "19:00"
    [last] = await town.query("SELECT language, tracks, time_of_day, timezone FROM users.users")
    assert last == ("en", ["dsa"], "19:00", "Europe/Lisbon")


async def test_numbers_stand_for_options_in_a_list_without_buttons(town: Town) -> None:
    await town.sign_up()
    await town.hear("horario", channel="waha")
    assert reply(await town.hear("8", channel="waha")).values["time"] == "21:30"


async def test_a_shortcut_is_forgotten_after_ten_minutes(town: Town) -> None:
    await town.sign_up()
    await town.hear("menu")
    town.later(minutes=11)
    assert handed_on(await town.hear("2")).text == "2"


async def test_every_change_has_the_next_revision(town: Town) -> None:
    await town.sign_up()
    await town.hear("english")
    rows = await town.query("SELECT revision FROM users.users")
    told = await town.query(
        "SELECT convert_from(body, 'utf8')::jsonb -> 'contact' ->> 'revision' FROM users.outbox"
        " WHERE subject LIKE '%user.changed%' ORDER BY sequence"
    )
    revisions = [int(row[0]) for row in told]
    assert revisions == list(range(1, len(revisions) + 1))
    assert rows == [(revisions[-1],)]


async def test_a_message_that_waits_for_another_sees_the_step_that_it_led_to(town: Town) -> None:
    await town.hear("oi")
    first, second = town.message(choice="lang:pt"), town.message("1")
    async with town.database.transaction() as transaction:
        await understand_message(Turn(first, NOW, POLICY), Store(transaction))
        waiting = asyncio.create_task(town.deliver(second))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await waiting
    assert said(await town.news()) == ["consent", "pick_track"]


async def test_an_expired_step_is_removed_by_the_next_message(town: Town) -> None:
    await town.sign_up()
    await town.tap("menu")
    assert await town.number("SELECT count(*) FROM users.dialogues") == 1
    town.later(days=1)
    await town.hear("A stack is last in, first out.")
    assert await town.number("SELECT count(*) FROM users.dialogues") == 0
