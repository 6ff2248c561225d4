"""Speech to text, over the API of OpenAI or of any server that speaks it."""

import asyncio
from typing import TYPE_CHECKING, Literal, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from messenger.settings import Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = structlog.get_logger()

TRIES = 2
LONGEST_TEXT = 4_000

EXTENSIONS = {
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/webm": "webm",
    "audio/flac": "flac",
}
"""What the API takes; it goes by the file's name."""


class NotTranscribed(Exception):
    def __init__(self, problem: Literal["unreadable", "unavailable"]) -> None:
        super().__init__(problem)
        self.problem: Literal["unreadable", "unavailable"] = problem


class Transcriber(Protocol):
    async def transcribe(self, audio: bytes, mime_type: str) -> str:
        """Raises NotTranscribed."""
        ...

    async def close(self) -> None: ...


class _Transcript(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str


class OpenAITranscriber:
    """No language is told: people answer in any of theirs. Nothing tells who speaks."""

    def __init__(self, client: "AsyncOpenAI", model: str, deadline: float) -> None:
        self._client = client
        self._model = model
        self._deadline = deadline

    @classmethod
    def from_settings(cls, settings: Settings) -> "OpenAITranscriber | None":
        """None when voice is switched off, or there is no key."""
        if not settings.transcription or not settings.has_openai_key:
            return None
        from openai import AsyncOpenAI

        timeout = settings.transcription_timeout.total_seconds()
        client = AsyncOpenAI(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            timeout=timeout,
            max_retries=TRIES - 1,
        )
        return cls(client, settings.transcription_model, timeout * TRIES)

    async def close(self) -> None:
        await self._client.close()

    async def transcribe(self, audio: bytes, mime_type: str) -> str:
        extension = EXTENSIONS.get(bare(mime_type))
        if extension is None:
            raise NotTranscribed("unreadable")
        body = await self._ask(audio, f"voice.{extension}", bare(mime_type))
        try:
            text = _Transcript.model_validate_json(body).text
        except ValidationError:
            log.error("transcript_unreadable")
            raise NotTranscribed("unavailable") from None
        words = text.replace("\x00", "").strip()
        if not words:
            raise NotTranscribed("unreadable")
        return words[:LONGEST_TEXT]

    async def _ask(self, audio: bytes, name: str, mime_type: str) -> bytes:
        import openai

        try:
            # Of the whole: the client's own limit begins anew with each try and each byte.
            async with asyncio.timeout(self._deadline):
                answer = await self._client.audio.transcriptions.with_raw_response.create(
                    file=(name, audio, mime_type), model=self._model
                )
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise NotTranscribed("unreadable") from None
        except (openai.OpenAIError, TimeoutError) as error:
            # The text of the vendor's error may repeat the request, so it goes no further.
            log.warning("transcription_failed", error=type(error).__name__)
            raise NotTranscribed("unavailable") from None
        return answer.content


def bare(mime_type: str) -> str:
    """`audio/ogg; codecs=opus` without its parameters."""
    return mime_type.split(";", 1)[0].strip().lower()
