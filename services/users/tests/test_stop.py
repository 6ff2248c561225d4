"""STOP: once, at once, from every state, and only when it is meant."""

from uuid import uuid4

import pytest

from common.events import HandleReply, SendMessage, UserChanged, UserOptedOut
from common.ids import AssignmentId, UserId
from users.store import Store
from users.understanding import Heard, Meaning, Standing, understand

from .conftest import NOW, Town, contact, handed_on, intent, of, registration_of, reply, said


async def ask(town: Town, user_id: UserId) -> AssignmentId:
    assignment_id = AssignmentId(uuid4())
    async with town.database.transaction() as transaction:
        await Store(transaction).open_questions([(assignment_id, user_id, NOW)])
    return assignment_id


async def test_stop_is_confirmed_once_and_told_to_everybody(town: Town) -> None:
    user_id = await town.sign_up()
    await ask(town, user_id)
    news = await town.hear("PARAR!!")
    assert (said(news), contact(news).state) == (["stopped"], "opted_out")
    sent = reply(news)
    assert (sent.purpose, sent.contact) == ("stop_confirmation", contact(news))
    assert [event.source for event in of(UserOptedOut, news)] == ["chat"]
    again = await town.hear("stop")
    assert (said(again), of(UserChanged, again), of(UserOptedOut, again)) == ([], [], [])
    consents = await town.query(
        "SELECT is_granted FROM users.consents ORDER BY at, is_granted DESC"
    )
    assert consents == [(True,), (False,)]


async def test_stop_from_a_stranger_is_confirmed_once(town: Town) -> None:
    news = await town.hear("stop")
    assert (said(news), contact(news).state) == (["stopped"], "opted_out")
    assert said(await town.hear("stop")) == []


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4])
async def test_stop_works_at_every_step_of_signing_up(town: Town, steps: int) -> None:
    await town.hear("oi")
    for choice in ("lang:pt", "consent:yes", "track:ruby", "level:1")[:steps]:
        await town.tap(choice)
    assert said(await town.hear("cancelar")) == ["stopped"]


async def test_the_stop_button_works(town: Town) -> None:
    await town.sign_up()
    assert said(await town.hear("Parar mensagens", choice="stop", kind="button")) == ["stopped"]


async def test_a_stopped_person_is_reminded_once_a_day(town: Town) -> None:
    await town.sign_up()
    await town.hear("stop")
    first = await town.hear("oi")
    assert (said(first), reply(first).purpose) == (["still_stopped"], "stop_confirmation")
    assert of(UserChanged, first) == []
    assert said(await town.tap("question:now")) == []
    town.later(hours=23)
    assert said(await town.hear(kind="image")) == []
    town.later(hours=2)
    assert said(await town.hear("anything")) == ["still_stopped"]
    assert of(HandleReply, await town.hear("an answer")) == []


async def test_help_works_for_a_stopped_person(town: Town) -> None:
    await town.sign_up()
    await town.hear("stop")
    assert said(await town.hear("?")) == ["help"]


async def test_start_brings_back_with_what_was_kept(town: Town) -> None:
    await town.sign_up(track="ruby")
    await town.hear("stop")
    news = await town.hear("Começar")
    assert contact(news).state == "active"
    assert (reply(news).kind, reply(news).values) == (
        "restarted",
        {"track": "ruby", "time": "09:00"},
    )
    assert said(await town.hear("parar")) == ["stopped"]
    assert await town.number("SELECT count(*) FROM users.consents WHERE is_granted") == 2


async def test_start_of_somebody_who_never_signed_up_begins_at_the_beginning(town: Town) -> None:
    await town.hear("stop")
    assert said(await town.hear("start")) == ["welcome"]


async def test_an_ambiguous_word_is_asked_about_while_a_question_is_open(town: Town) -> None:
    user_id = await town.sign_up()
    assignment_id = await ask(town, user_id)
    asked = await town.hear(" End. ")
    assert reply(asked).kind == "stop_or_answer"
    assert reply(asked).values == {"text": "End.", "a": str(assignment_id)}
    answer = handed_on(await town.tap(f"answer:{assignment_id}"))
    assert (answer.kind, answer.text, answer.assignment_id) == ("text", " End. ", assignment_id)
    assert of(HandleReply, await town.tap(f"answer:{assignment_id}")) == []


@pytest.mark.parametrize("answer", ["stop", "end", "2", "cancel"])
async def test_an_ambiguous_word_said_again_is_a_stop(town: Town, answer: str) -> None:
    await ask(town, await town.sign_up())
    assert said(await town.hear("end")) == ["stop_or_answer"]
    assert said(await town.hear(answer)) == ["stopped"]


async def test_the_kept_word_can_be_chosen_by_number(town: Town) -> None:
    await ask(town, await town.sign_up())
    await town.hear("fim")
    assert handed_on(await town.hear("1")).text == "fim"


async def test_an_ambiguous_word_without_a_question_is_a_stop(town: Town) -> None:
    await town.sign_up()
    assert said(await town.hear("fim")) == ["stopped"]


async def test_unsubscribing_on_the_web_is_a_stop_without_words(town: Town) -> None:
    user_id = await town.sign_up()
    view = await town.unsubscribe(user_id)
    news = await town.news()
    assert view.state == "opted_out"
    assert (of(SendMessage, news), contact(news).state) == ([], "opted_out")
    assert [event.source for event in of(UserOptedOut, news)] == ["web"]
    assert (await town.unsubscribe(user_id)).state == "opted_out"
    assert await town.news() == []


async def test_a_stopped_person_registered_on_the_web_hears_nothing(town: Town) -> None:
    user_id = await town.sign_up()
    await town.hear("stop")
    town.later(days=90)
    outcome = await town.register(registration_of())
    assert (outcome.user_id, outcome.is_new, outcome.state) == (user_id, False, "opted_out")
    assert await town.news() == []


async def test_refusing_later_what_was_agreed_to_is_a_stop(town: Town) -> None:
    await town.sign_up()
    news = await town.tap("consent:no")
    assert (said(news), intent(news)) == (["stopped"], "consent")


@pytest.mark.parametrize(
    "words",
    [
        "Stop sending me messages",
        "please stop",
        "Don't send me any more questions, please.",
        "I want to unsubscribe",
        "Pare de me mandar mensagens",
        "Não quero mais receber perguntas",
        "Por favor no me mandes más mensajes",
        "Quiero darme de baja",
    ],
)
def test_a_stop_in_so_many_words_is_one_and_is_asked_back_while_a_question_is_open(
    words: str,
) -> None:
    heard = Heard("text", words)
    assert understand(heard, Standing("active")).meaning == Meaning.STOP
    asked = understand(heard, Standing("active", has_open_question=True))
    assert asked.meaning == Meaning.STOP_OR_ANSWER


@pytest.mark.parametrize(
    "words",
    [
        "I would stop the goroutine and close the channel.",
        "Para de executar quando a fila esvazia.",
        "No me parece que el bucle termine.",
        "Please stop the loop with a break statement",
    ],
)
def test_an_answer_about_stopping_is_no_stop(words: str) -> None:
    asked = understand(Heard("text", words), Standing("active", has_open_question=True))
    assert asked.meaning == Meaning.REPLY
