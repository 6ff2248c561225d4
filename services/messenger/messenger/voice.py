"""Voice notes become text. The audio is in memory while it is listened to, and nowhere else."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import text

from common import inbox
from common.clock import Clock
from common.database import Database
from common.events import Channel as ChannelName
from common.events import Media, TranscribeVoice, VoiceProblem, VoiceTranscribed
from common.ids import derived_id
from common.topology import MESSENGER_TRANSCRIBE
from messenger import metrics
from messenger.channels.media import MediaRefused, MediaSource, MediaUnavailable
from messenger.transcriber import NotTranscribed, Transcriber, bare

log = structlog.get_logger()

MOST_BYTES = 16 * 2**20
"""WhatsApp's own limit for audio."""
LONGEST = timedelta(minutes=5)
LONGEST_BYTES = 5 * 2**20
"""Five minutes at 128 kbit/s, for formats whose length is not told."""
FETCH_WITHIN = 25.0  # seconds
OGG_PAGE = b"OggS"
OPUS_RATE = 48_000

IS_DONE = text(
    "SELECT EXISTS (SELECT 1 FROM messenger.inbox"
    " WHERE consumer = :consumer AND message_id = :message)"
)


@dataclass(frozen=True)
class Heard:
    """Exactly one is set."""

    text: str | None = None
    problem: VoiceProblem | None = None


class Voice:
    """`transcriber` None: nobody listens, and people are told so."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sources: Mapping[ChannelName, MediaSource],
        transcriber: Transcriber | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sources = sources
        self._transcriber = transcriber

    async def transcribe(self, command: TranscribeVoice) -> None:
        """Answered once, whatever happens; a repeated command costs nothing."""
        if await self._is_done(command):
            return
        heard = await self._hear(command)
        metrics.VOICE.labels(heard.problem or "text").inc()
        async with self._database.transaction() as transaction:
            ids = [command.message_id]
            new = await inbox.record(
                transaction.connection,
                self._database.schema,
                MESSENGER_TRANSCRIBE.name,
                ids,
                self._clock.now(),
            )
            if not new:
                return
            inbound = command.inbound
            transaction.publish(
                VoiceTranscribed(
                    message_id=derived_id("transcribed", inbound.channel, inbound.provider_id),
                    occurred_at=self._clock.now(),
                    user_id=command.user_id,
                    inbound=inbound,
                    text=heard.text,
                    problem=heard.problem,
                )
            )

    async def close(self) -> None:
        for source in self._sources.values():
            await source.close()
        if self._transcriber is not None:
            await self._transcriber.close()

    async def _is_done(self, command: TranscribeVoice) -> bool:
        asked = {"consumer": MESSENGER_TRANSCRIBE.name, "message": command.message_id}
        async with self._database.transaction() as transaction:
            return bool((await transaction.connection.execute(IS_DONE, asked)).scalar_one())

    async def _hear(self, command: TranscribeVoice) -> Heard:
        source = self._sources.get(command.inbound.channel)
        if self._transcriber is None or source is None:
            return Heard(problem="not_configured")
        try:
            audio = await self._fetch(source, command.media)
            if is_too_long(audio):
                return Heard(problem="too_long")
            return Heard(text=await self._transcriber.transcribe(audio, command.media.mime_type))
        except (MediaRefused, NotTranscribed) as error:
            return Heard(problem=error.problem)
        except (MediaUnavailable, TimeoutError) as error:
            log.warning("voice_not_fetched", error=type(error).__name__)
            return Heard(problem="unavailable")

    async def _fetch(self, source: MediaSource, media: Media) -> bytes:
        if not bare(media.mime_type).startswith("audio/"):
            raise MediaRefused("unreadable")
        async with asyncio.timeout(FETCH_WITHIN):
            try:
                audio = await source.fetch(media, limit=MOST_BYTES)
            except MediaUnavailable:
                audio = await source.fetch(media, limit=MOST_BYTES)
        if not audio:
            raise MediaRefused("unreadable")
        return audio


def is_too_long(audio: bytes) -> bool:
    """Ogg says itself how long it is: its last page counts the samples before it."""
    if not audio.startswith(OGG_PAGE):
        return len(audio) > LONGEST_BYTES
    last = audio.rfind(OGG_PAGE)
    samples = int.from_bytes(audio[last + 6 : last + 14], "little", signed=True)
    return samples > LONGEST.total_seconds() * OPUS_RATE
