"""A spoken answer: written down, shown for approval, and only then handed on."""

from typing import get_args
from uuid import uuid4

import pytest

from common.events import HandleReply, Media, MessageReceived, SendMessage, TranscribeVoice
from common.events import VoiceProblem as Problem
from common.ids import AssignmentId, UserId

from .conftest import ANA, NOW, Town, contact, handed_on, intent, of, reply, said
from .test_stop import ask

NOTE = Media(id="777", mime_type="audio/ogg; codecs=opus", is_voice=True)
HEARD = "A generator gives one value at a time."


async def speak(town: Town, **how: object) -> MessageReceived:
    note = town.message(kind="audio", media=NOTE, **how)  # type: ignore[arg-type]
    await town.deliver(note)
    return note


async def only_person(town: Town) -> UserId:
    [[user_id]] = await town.query("SELECT id FROM users.users")
    return UserId(user_id)


async def asked(town: Town) -> AssignmentId:
    question = await ask(town, await town.sign_up())
    await town.news()
    return question


async def test_a_voice_note_is_sent_to_be_written_down_and_nothing_is_said_yet(
    town: Town,
) -> None:
    await asked(town)
    note = await speak(town)
    news = await town.news()
    [command] = of(TranscribeVoice, news)
    assert (command.media, command.language, command.inbound) == (NOTE, "pt", note.ref)
    assert (said(news), intent(news)) == ([], "voice")
    await town.deliver(note)
    assert await town.news() == []


@pytest.mark.parametrize("way", ["tap", "1", "Enviar como resposta", "yes", "envía"])
async def test_what_was_heard_is_handed_on_once_the_person_agrees(town: Town, way: str) -> None:
    question = await asked(town)
    shown = await town.transcribe(await speak(town), HEARD)
    sent = reply(shown)
    assert (sent.kind, sent.values["transcript"], sent.purpose) == ("voice_heard", HEARD, "reply")
    choice = f"voice:send:{sent.values['a']}"
    news = await (town.tap(choice) if way == "tap" else town.hear(way))
    command = handed_on(news)
    assert (command.kind, command.text, command.assignment_id) == ("text", HEARD, question)
    again = await town.tap(choice)
    assert (said(again), of(HandleReply, again)) == (["voice_gone"], [])


@pytest.mark.parametrize("way", ["tap", "2", "Descartar", "não"])
async def test_what_was_heard_can_be_discarded(town: Town, way: str) -> None:
    await asked(town)
    sent = reply(await town.transcribe(await speak(town), HEARD))
    choice = f"voice:discard:{sent.values['a']}"
    news = await (town.tap(choice) if way == "tap" else town.hear(way))
    assert (said(news), of(HandleReply, news)) == (["voice_discarded"], [])
    assert said(await town.tap(choice)) == ["voice_gone"]


@pytest.mark.parametrize("is_late_first", [True, False])
async def test_a_newer_voice_note_takes_the_place_of_the_one_before(
    town: Town, is_late_first: bool
) -> None:
    await asked(town)
    first, second = await speak(town), await speak(town)
    notes = [(first, "the first"), (second, "the second")]
    shown = []
    for note, text in notes if is_late_first else reversed(notes):
        shown += of(SendMessage, await town.transcribe(note, text))
    assert [sent.values["transcript"] for sent in shown] == ["the second"]
    third = await speak(town)
    assert said(await town.tap(f"voice:send:{shown[0].values['a']}")) == ["voice_gone"]
    sent = reply(await town.transcribe(third, "the third"))
    assert handed_on(await town.tap(f"voice:send:{sent.values['a']}")).text == "the third"


async def test_the_same_transcript_twice_is_shown_once(town: Town) -> None:
    await asked(town)
    note = await speak(town)
    assert said(await town.transcribe(note, HEARD)) == ["voice_heard"]
    assert await town.transcribe(note, HEARD) == []


async def test_an_answer_written_meanwhile_takes_the_place_of_the_transcript(
    town: Town,
) -> None:
    await asked(town)
    await town.transcribe(await speak(town), HEARD)
    assert handed_on(await town.hear("I would rather write it.")).text.startswith("I would")
    assert said(await town.tap(f"voice:send:{uuid4()}")) == ["voice_gone"]


async def test_a_hint_before_sending_loses_nothing(town: Town) -> None:
    await asked(town)
    note = await speak(town)
    assert handed_on(await town.hear("dica")).kind == "hint"
    sent = reply(await town.transcribe(note, HEARD))
    assert handed_on(await town.hear("dica")).kind == "hint"
    assert handed_on(await town.tap(f"voice:send:{sent.values['a']}")).text == HEARD


async def test_the_question_is_the_one_that_was_open_when_it_was_spoken(town: Town) -> None:
    question = await asked(town)
    note = await speak(town)
    await ask(town, await only_person(town))
    sent = reply(await town.transcribe(note, HEARD))
    assert handed_on(await town.hear("1")).assignment_id == question
    assert sent.kind == "voice_heard"


async def test_a_transcript_without_any_question_is_told_so(town: Town) -> None:
    await asked(town)
    note = await speak(town)
    await town.hear("menu")
    await town.change_rows("DELETE FROM users.open_questions")
    assert said(await town.transcribe(note, HEARD)) == ["question_closed"]


async def test_a_stop_that_is_spoken_is_a_stop(town: Town) -> None:
    await asked(town)
    news = await town.transcribe(await speak(town), "Parar.")
    assert (said(news), contact(news).state) == (["stopped"], "opted_out")
    assert reply(news).purpose == "stop_confirmation"


async def test_an_ambiguous_word_is_shown_like_any_other(town: Town) -> None:
    await asked(town)
    assert said(await town.transcribe(await speak(town), "Fim.")) == ["voice_heard"]


async def test_a_transcript_for_somebody_who_left_is_dropped(town: Town) -> None:
    await asked(town)
    note = await speak(town)
    await town.hear("parar")
    assert await town.transcribe(note, HEARD) == []


@pytest.mark.parametrize("problem", get_args(Problem))
async def test_every_problem_has_its_own_words(town: Town, problem: Problem) -> None:
    await asked(town)
    news = await town.transcribe(await speak(town), problem=problem)
    assert said(news) == [f"voice_{problem}"]
    assert handed_on(await town.hear("then I write")).text == "then I write"


@pytest.mark.parametrize("text", [None, "", "  \n"])
async def test_a_transcript_of_nothing_is_unreadable(town: Town, text: str | None) -> None:
    await asked(town)
    assert said(await town.transcribe(await speak(town), text)) == ["voice_unreadable"]


async def test_a_transcript_with_a_nul_can_be_kept(town: Town) -> None:
    await asked(town)
    sent = reply(await town.transcribe(await speak(town), "one\x00two"))
    assert sent.values["transcript"] == "onetwo"


async def test_without_an_open_question_or_a_file_a_voice_note_is_refused(town: Town) -> None:
    await town.sign_up()
    await town.news()
    await speak(town)
    assert said(await town.news()) == ["media_unsupported"]
    await ask(town, await only_person(town))
    assert said(await town.hear(kind="audio")) == ["media_unsupported"]
    assert said(await town.hear(kind="image", media=NOTE)) == ["media_unsupported"]


async def test_an_audio_of_somebody_who_is_signing_up_is_refused(town: Town) -> None:
    await town.hear("oi")
    await speak(town, wa_id=ANA)
    assert said(await town.news())[-1:] == ["media_unsupported"]
    assert town.clock.now() == NOW
