"""What WhatsApp told us, one message each, exactly as many as it told."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from common.events.base import Channel, Command, Event, InboundRef, Language, Value
from common.ids import UserId

InboundKind = Literal[
    "text",
    "button",
    "choice",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "order",
    "reaction",
    "system",
    "edit",
    "revoke",
    "unsupported",
    "unknown",
]


class Sender(Value):
    """Every name by which WhatsApp knows the sender; any of them may be missing, never all."""

    wa_id: str | None = None
    """Digits; of a number that need not be the one that was dialled (Brazil's ninth digit)."""
    business_scoped_id: str | None = None
    lid: str | None = None
    """WAHA: `<digits>@lid`, the name of somebody who hides their number."""
    profile_name: str | None = None
    username: str | None = None

    @property
    def key(self) -> str:
        return self.wa_id or self.business_scoped_id or self.lid or ""


class Media(Value):
    """A file that a person sent, as it was announced: nothing of it has been fetched."""

    id: str | None = None
    """Cloud API: asked for its address first."""
    url: str | None = None
    """WAHA: where the file itself is."""
    mime_type: str = ""
    sha256: str | None = None
    """Base64, as WhatsApp gives it."""
    filename: str | None = None
    is_voice: bool = False


class MessageReceived(Event):
    subject: ClassVar[str] = "message.received"

    channel: Channel
    number_id: str
    """Our number that received it: a Cloud API phone number id or a WAHA session."""
    provider_id: str
    sender: Sender
    sent_at: AwareDatetime
    kind: InboundKind
    text: str | None = None
    choice_id: str | None = None
    """The id of the button or list row that was tapped."""
    quoted_id: str | None = None
    target_id: str | None = None
    """The earlier message that a reaction, an edit or a revoke is about."""
    chat_id: str | None = None
    """WAHA: the chat it came from, where a reply belongs."""
    media: Media | None = None
    became: Sender | None = None
    """`sender` has changed their number or id, and is called so from now on."""
    original: str | None = None
    """The item as WhatsApp sent it, as JSON, when this version does not understand its kind."""

    @property
    def shard_key(self) -> str:
        return self.sender.key

    @property
    def ref(self) -> InboundRef:
        return InboundRef(
            provider_id=self.provider_id,
            at=self.sent_at,
            channel=self.channel,
            number_id=self.number_id,
        )


class PreferenceReceived(Event):
    """WhatsApp's own switch: the person stopped, or again allows, what we send unasked."""

    subject: ClassVar[str] = "preference.received"

    channel: Channel
    number_id: str
    sender: Sender
    is_wanted: bool
    set_at: AwareDatetime

    @property
    def shard_key(self) -> str:
        return self.sender.key


class TranscribeVoice(Command):
    """Fetch a voice note and write it down. Answered by VoiceTranscribed, whatever happens."""

    subject: ClassVar[str] = "voice.transcribe"

    user_id: UserId
    inbound: InboundRef
    media: Media
    language: Language


VoiceProblem = Literal["not_configured", "too_long", "too_large", "unreadable", "unavailable"]


class VoiceTranscribed(Event):
    """Exactly one of `text` and `problem` is set."""

    subject: ClassVar[str] = "voice.transcribed"

    user_id: UserId
    inbound: InboundRef
    text: str | None = None
    problem: VoiceProblem | None = None


class StatusReceived(Event):
    subject: ClassVar[str] = "status.received"

    channel: Channel
    number_id: str
    provider_id: str
    status: str
    """WhatsApp's word: sent, delivered, read, played, failed, or one of tomorrow."""
    status_at: AwareDatetime
    tracker: str | None = None
    """Our own message id, which WhatsApp echoes."""
    error_code: int | None = None
    error_detail: str | None = None

    @property
    def shard_key(self) -> str:
        return self.provider_id


class NoticeReceived(Event):
    """Anything else in a webhook: template, account and quality news, and what nobody knows yet."""

    subject: ClassVar[str] = "notice.received"

    channel: Channel
    field: str
    original: str


class InboundUnderstood(Event):
    """The end of an inbound message's way: what it was taken for."""

    subject: ClassVar[str] = "inbound.understood"

    user_id: UserId
    inbound: InboundRef
    intent: str
    opens_window: bool = True
