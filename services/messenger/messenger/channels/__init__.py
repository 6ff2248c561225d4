"""What a channel to WhatsApp promises, whichever it is."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from common.errors import SabatinaError
from common.events import Attachment, Purpose
from messenger.rendering import Content


@dataclass(frozen=True)
class OutboundMessage:
    """`id` comes back in every status, where the channel can carry it."""

    id: UUID
    to: str
    """Digits, a business-scoped id (it has a dot), or a WAHA chat id (it has an @)."""
    content: Content
    purpose: Purpose
    traceparent: str | None = None
    attachment: Attachment | None = None
    user_id: UUID | None = None
    chat_id: str | None = None
    """WAHA: the chat of `to`, when it is known."""
    answers: str | None = None
    """The person's message that this replies to."""


@dataclass(frozen=True)
class Accepted:
    """`wa_id` and `business_scoped_id` are what WhatsApp calls the person, where it says so."""

    provider_id: str
    wa_id: str | None = None
    business_scoped_id: str | None = None


class Channel(Protocol):
    async def send(self, message: OutboundMessage) -> Accepted:
        """Raises SendRefused, NotSent, or OutcomeUnknown. Never repeats anything by itself."""
        ...

    async def close(self) -> None: ...


class SendRefused(SabatinaError):
    """WhatsApp said no, in words: it did not leave."""

    def __init__(
        self,
        code: int | None,
        http_status: int,
        *,
        is_transient: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"refused with {code}, HTTP {http_status}")
        self.code = code
        self.http_status = http_status
        self.is_transient = is_transient
        self.retry_after = retry_after


class NotSent(SabatinaError):
    """No connection: not a byte left."""


class OutcomeUnknown(SabatinaError):
    """The request left, and no answer that says anything came back."""

    def __init__(self, http_status: int | None = None) -> None:
        super().__init__(f"no outcome, HTTP {http_status}")
        self.http_status = http_status
