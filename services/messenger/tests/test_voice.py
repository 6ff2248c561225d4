"""Voice notes become text, or a word for what went wrong; exactly one answer each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from common.clock import FixedClock
from common.database import Database
from common.events import InboundRef, Media, TranscribeVoice, VoiceTranscribed, wildcard
from common.ids import UserId
from devstack.pytest_plugin import Migrated, Servers
from messenger.channels.cloud_media import CloudDownloads
from messenger.settings import Settings
from messenger.transcriber import OpenAITranscriber
from messenger.voice import Voice, is_too_long

from .conftest import NUMBER, START
from .fake_meta import FakeAudio, FakeMedia
from .test_app import bus, service


def ogg(seconds: float) -> bytes:
    """Two pages; the last one says how many samples there are."""

    def page(samples: int) -> bytes:
        return (
            b"OggS\x00\x00" + samples.to_bytes(8, "little") + b"\x00" * 12 + b"\x01\x10" + b"a" * 16
        )

    return page(0) + page(int(seconds * 48_000))


@pytest.fixture
async def meta() -> AsyncIterator[FakeMedia]:
    async with FakeMedia(content=ogg(20)).serving() as fake:
        yield fake


@pytest.fixture
async def audio() -> AsyncIterator[FakeAudio]:
    async with FakeAudio().serving() as fake:
        yield fake


@pytest.fixture
def settings(audio: FakeAudio, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SABATINA_WHATSAPP_PHONE_NUMBER_ID", NUMBER)
    monkeypatch.setenv("SABATINA_WHATSAPP_ACCESS_TOKEN", "a-real-token")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("OPENAI_BASE_URL", audio.url)
    monkeypatch.setenv("SABATINA_TRANSCRIPTION_TIMEOUT", "PT0.4S")
    return Settings()


@pytest.fixture
async def voice(database: Database, meta: FakeMedia, settings: Settings) -> AsyncIterator[Voice]:
    source = CloudDownloads(f"{meta.url}/v26.0", NUMBER, "a-real-token")
    opened = Voice(
        database,
        FixedClock(START),
        {"cloud": source},
        OpenAITranscriber.from_settings(settings),
    )
    yield opened
    await opened.close()


def note(
    mime_type: str = "audio/ogg; codecs=opus", *, inbound: str | None = None
) -> TranscribeVoice:
    return TranscribeVoice(
        occurred_at=START,
        user_id=UserId(uuid4()),
        inbound=InboundRef(provider_id=inbound or f"wamid.{uuid4()}", at=START, number_id=NUMBER),
        media=Media(id="700", mime_type=mime_type, is_voice=True),
        language="pt",
    )


async def answers(database: Database) -> list[VoiceTranscribed]:
    async with database.transaction() as transaction:
        query = text("SELECT body FROM messenger.outbox ORDER BY sequence")
        rows = await transaction.connection.execute(query)
        return [VoiceTranscribed.model_validate_json(bytes(row.body)) for row in rows]


async def test_what_was_said_comes_back_as_text(
    voice: Voice, database: Database, audio: FakeAudio
) -> None:
    command = note()
    await voice.transcribe(command)
    [answer] = await answers(database)
    assert (answer.text, answer.problem) == ("A closure keeps its variables.", None)
    assert (answer.user_id, answer.inbound) == (command.user_id, command.inbound)
    assert audio.requests == [
        {
            "model": "gpt-4o-mini-transcribe",
            "fields": "file,model",
            "name": "voice.ogg",
            "key": "Bearer a-key-of-the-tests",
        }
    ]


async def test_a_repeated_command_is_not_paid_for_twice(
    voice: Voice, database: Database, audio: FakeAudio
) -> None:
    command = note()
    await voice.transcribe(command)
    await voice.transcribe(command)
    assert len(await answers(database)) == 1
    assert len(audio.requests) == 1


async def test_the_answer_to_one_note_has_always_the_same_id(
    voice: Voice, database: Database
) -> None:
    await voice.transcribe(note(inbound="wamid.same"))
    await voice.transcribe(note(inbound="wamid.same"))
    first, second = await answers(database)
    assert first.message_id == second.message_id
    assert isinstance(first.message_id, UUID)


@pytest.mark.parametrize(
    ("script", "problem", "requests"),
    [
        (["busy", "ok"], None, 2),
        (["broken", "ok"], None, 2),
        (["busy"], "unavailable", 2),
        (["broken"], "unavailable", 2),
        (["slow"], "unavailable", 2),
        (["denied"], "unavailable", 1),
        (["garbage"], "unavailable", 1),
        (["odd"], "unavailable", 1),
        (["not_audio"], "unreadable", 1),
    ],
)
async def test_a_vendor_that_fails_is_asked_at_most_twice(
    voice: Voice,
    database: Database,
    audio: FakeAudio,
    script: list[str],
    problem: str | None,
    requests: int,
) -> None:
    audio.script = script
    await voice.transcribe(note())
    [answer] = await answers(database)
    assert answer.problem == problem
    assert (answer.text is None) == (problem is not None)
    assert len(audio.requests) <= requests


@pytest.mark.parametrize(("said", "problem"), [("", "unreadable"), (" \n ", "unreadable")])
async def test_silence_is_not_an_answer(
    voice: Voice, database: Database, audio: FakeAudio, said: str, problem: str
) -> None:
    audio.text = said
    await voice.transcribe(note())
    assert (await answers(database))[0].problem == problem


async def test_a_long_speech_is_cut(voice: Voice, database: Database, audio: FakeAudio) -> None:
    audio.text = "é" * 9_000
    await voice.transcribe(note())
    assert (await answers(database))[0].text == "é" * 4_000


async def test_a_note_of_more_than_five_minutes_is_not_sent_on(
    voice: Voice, database: Database, audio: FakeAudio, meta: FakeMedia
) -> None:
    meta.content = ogg(301)
    await voice.transcribe(note())
    assert (await answers(database))[0].problem == "too_long"
    assert audio.requests == []


@pytest.mark.parametrize(
    ("mime_type", "content", "problem"),
    [
        ("video/mp4", b"x", "unreadable"),
        ("", b"x", "unreadable"),
        ("audio/amr", b"#!AMR", "unreadable"),
        ("audio/ogg", b"", "unreadable"),
        ("audio/mpeg", b"x" * (6 * 2**20), "too_long"),
        ("audio/mpeg", b"x" * (17 * 2**20), "too_large"),
    ],
)
async def test_what_cannot_be_listened_to_says_why(
    voice: Voice,
    database: Database,
    meta: FakeMedia,
    audio: FakeAudio,
    mime_type: str,
    content: bytes,
    problem: str,
) -> None:
    meta.content = content
    await voice.transcribe(note(mime_type))
    assert (await answers(database))[0].problem == problem
    assert audio.requests == []


async def test_a_file_that_whatsapp_does_not_give_is_unavailable(
    voice: Voice, database: Database, meta: FakeMedia
) -> None:
    meta.statuses.extend([503, 503])
    await voice.transcribe(note())
    assert (await answers(database))[0].problem == "unavailable"
    meta.statuses.append(503)
    await voice.transcribe(note())
    assert (await answers(database))[1].text


@pytest.mark.parametrize(
    ("name", "value"), [("OPENAI_API_KEY", ""), ("SABATINA_TRANSCRIPTION", "off")]
)
async def test_without_a_transcriber_people_are_told_so(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    transcriber = OpenAITranscriber.from_settings(Settings())
    assert transcriber is None
    voice = Voice(database, FixedClock(START), {}, transcriber)
    await voice.transcribe(note())
    assert (await answers(database))[0].problem == "not_configured"


def test_the_length_of_a_note_is_read_from_it() -> None:
    assert not is_too_long(ogg(timedelta(minutes=5).total_seconds()))
    assert is_too_long(ogg(timedelta(minutes=5, seconds=1).total_seconds()))
    assert not is_too_long(b"OggS")


async def test_the_service_listens(
    servers: Servers,
    migrated: Migrated,
    meta: FakeMedia,
    audio: FakeAudio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("OPENAI_BASE_URL", audio.url)
    migrated.empty("messenger")
    async with bus(servers) as publisher, service(servers, migrated, f"{meta.url}/v26.0"):
        news = await publisher.client.subscribe(wildcard(VoiceTranscribed))
        command = note()
        await publisher.publish(command)
        answer = VoiceTranscribed.model_validate_json((await news.next_msg(timeout=20)).data)
    assert (answer.inbound, answer.text) == (command.inbound, "A closure keeps its variables.")
