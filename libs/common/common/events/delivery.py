"""What we want said, and what became of it."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Base64Bytes

from common.events.base import Command, Event, InboundRef, Value
from common.events.people import Contact
from common.ids import MessageId, UserId

Purpose = Literal["reply", "daily", "signup", "stop_confirmation"]
"""Why a message is sent; it decides in which states of the person it may leave at all."""


class Attachment(Value):
    """A file that goes with a message; the text is then its caption. At most 512 KiB."""

    kind: Literal["image", "document"]
    mime_type: str
    filename: str
    data: Base64Bytes


class SendMessage(Command):
    """Say one message of the catalogue to one person, once.

    `message_id` is what makes it once: the same id is never sent twice.
    """

    subject: ClassVar[str] = "message.send"

    user_id: UserId
    kind: str
    """A key of the message catalogue."""
    values: dict[str, str] = {}
    purpose: Purpose
    inbound: InboundRef | None = None
    """What it replies to. Proves that the 24-hour window is open, however late other news is."""
    contact: Contact | None = None
    """The newest contact, when the sender knows it: a STOP travels with its own confirmation."""
    attachment: Attachment | None = None
    expires_at: AwareDatetime | None = None
    """Not worth sending after this moment."""


class MessageAccepted(Event):
    """WhatsApp took it. That is not delivery."""

    subject: ClassVar[str] = "message.accepted"

    user_id: UserId
    sent_id: MessageId
    """The `message_id` of the SendMessage."""
    kind: str
    is_template: bool = False
    """Outside the 24-hour window a template went instead of the text: it only announces it."""


class MessageDelivered(Event):
    subject: ClassVar[str] = "message.delivered"

    user_id: UserId
    sent_id: MessageId
    kind: str


class MessageFailed(Event):
    """It will never arrive: refused by WhatsApp, suppressed by consent, or expired."""

    subject: ClassVar[str] = "message.failed"

    user_id: UserId
    sent_id: MessageId
    kind: str
    reason: str
