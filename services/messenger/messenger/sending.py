"""May this message leave now, and how? Asked at the last moment before each send."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.events import Attachment, Purpose

WINDOW = timedelta(hours=24)
WINDOW_MARGIN = timedelta(minutes=5)  # WhatsApp's clock and the way there
FIRST_WAIT = timedelta(seconds=0.2)
WAIT_LIMIT = timedelta(seconds=15)
PATIENCE = timedelta(minutes=10)  # for news of a person that is late
PAIR_GAP = timedelta(seconds=6)  # WhatsApp's own rate for one person
PAIR_BURST = 45  # messages that it lends them ahead
PAIR_MEMORY = PAIR_BURST * PAIR_GAP
DAYS_UNDELIVERED = 3
"""Proactive messages that failed on so many days: nobody is there, until they write."""

ALWAYS_TEMPLATES = frozenset({"confirm_signup", "daily_ready"})
TEMPLATE_OUTSIDE_WINDOW = frozenset({"question"})
SAID_AFTER_LEAVING = frozenset({"stopped", "still_stopped", "consent_declined", "help"})
LEFT = frozenset({"opted_out", "declined"})


@dataclass(frozen=True)
class Queued:
    """A message as it waits in the queue; `tries` counts the attempts that were made."""

    id: UUID
    user_id: UUID
    kind: str
    purpose: Purpose
    values: dict[str, str]
    received_at: datetime
    expires_at: datetime | None = None
    tries: int = 0
    waits: int = 0
    resends: int = 0
    must_be_template: bool = False
    traceparent: str | None = None
    attachment: Attachment | None = None
    answers: str | None = None
    """The person's message that it replies to."""
    is_fallback_language: bool = False
    sent_lately: int = 0
    """Messages to this person within `PAIR_MEMORY`."""
    last_sent_at: datetime | None = None
    channel: str | None = None
    """Where it is queued: the channel of the message that it replies to, at first."""


@dataclass(frozen=True)
class Addressee:
    """What we know of the person. `revision` is negative until the first news of them, and
    `last_inbound_at` is when they last wrote to the number that would send."""

    user_id: UUID
    revision: int
    state: str
    language: str
    address: str | None = None
    name: str | None = None
    last_inbound_at: datetime | None = None
    hold_until: datetime | None = None
    strikes: int = 0
    channel: str = "cloud"
    chat_id: str | None = None
    """WAHA: the chat that WhatsApp has for the address."""
    no_daily_until: datetime | None = None
    undelivered_days: int = 0
    learned_names: str | None = None
    """What WhatsApp returned the last time, as it was passed on."""


@dataclass(frozen=True)
class Send:
    is_template: bool


@dataclass(frozen=True)
class Suppress:
    reason: str


@dataclass(frozen=True)
class Fail:
    reason: str


@dataclass(frozen=True)
class Wait:
    until: datetime


@dataclass(frozen=True)
class Hold:
    """Until the pause of this scope, or the day's budget, lets it go."""

    scope: str


Decision = Send | Suppress | Fail | Wait | Hold


def decide(message: Queued, person: Addressee, now: datetime) -> Decision:
    if not allows(person, message.purpose, message.kind):
        return Suppress(person.state)
    if message.purpose == "daily" and person.undelivered_days >= DAYS_UNDELIVERED:
        return Suppress("unreachable")
    if message.expires_at is not None and message.expires_at <= now:
        return Fail("expired")
    is_elsewhere = message.channel is not None and message.channel != person.channel
    if person.revision < 0 or not person.address or is_elsewhere:
        return _wait_for_news(message, now)
    if person.hold_until is not None and person.hold_until > now:
        return Wait(person.hold_until)
    if (until := _resting_until(message, person)) is not None and until > now:
        return Wait(min(until, message.expires_at or until))
    return _send(message, person, now)


def allows(person: Addressee, purpose: Purpose, kind: str) -> bool:
    """Nothing is refused for want of news about the person; `decide` waits for it."""
    if person.state in ("deleted", "merged"):
        return False
    if person.revision < 0:
        return True
    match purpose:
        case "stop_confirmation":
            return True
        case "reply":
            return person.state not in LEFT or kind in SAID_AFTER_LEAVING
        case "daily":
            return person.state == "active"
        case "signup":
            return person.state == "pending"


def _resting_until(message: Queued, person: Addressee) -> datetime | None:
    """Before WhatsApp has to say that one person gets too much."""
    if message.purpose == "daily" and person.no_daily_until is not None:
        return person.no_daily_until
    # With fewer than the burst in the time that fills it again, there is always one left; from
    # then on each gap earns one.
    if message.sent_lately >= PAIR_BURST and message.last_sent_at is not None:
        return message.last_sent_at + PAIR_GAP
    return None


def is_window_open(last_inbound_at: datetime | None, now: datetime) -> bool:
    return last_inbound_at is not None and now < last_inbound_at + WINDOW - WINDOW_MARGIN


def _send(message: Queued, person: Addressee, now: datetime) -> Decision:
    if person.channel == "waha":
        return Send(is_template=False)
    if message.kind in ALWAYS_TEMPLATES or message.must_be_template:
        return Send(is_template=True)
    if is_window_open(person.last_inbound_at, now):
        return Send(is_template=False)
    if message.kind in TEMPLATE_OUTSIDE_WINDOW:
        return Send(is_template=True)
    return Fail("window_closed")


def _wait_for_news(message: Queued, now: datetime) -> Decision:
    if now - message.received_at >= PATIENCE:
        return Fail("no_contact")
    return Wait(now + min(FIRST_WAIT * 2 ** min(message.waits, 10), WAIT_LIMIT))
