"""What WhatsApp told us, one message each, exactly as many as it told."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from common.events.base import Event, InboundRef, Value
from common.ids import UserId

Channel = Literal["cloud", "waha"]
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
    business_scoped_id: str | None = None
    profile_name: str | None = None

    @property
    def key(self) -> str:
        return self.wa_id or self.business_scoped_id or ""


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
    original: str | None = None
    """The item as WhatsApp sent it, as JSON, when this version does not understand its kind."""

    @property
    def shard_key(self) -> str:
        return self.sender.key

    @property
    def ref(self) -> InboundRef:
        return InboundRef(provider_id=self.provider_id, at=self.sent_at)


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
