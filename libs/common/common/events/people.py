"""Who somebody is and what they agreed to."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from common.events.base import Command, Event, Language, Track, Value
from common.ids import UserId

UserState = Literal[
    "unknown", "onboarding", "declined", "pending", "active", "paused", "opted_out", "deleted"
]


class Contact(Value):
    """Where and whether a person can be reached. The higher revision is the newer truth."""

    user_id: UserId
    revision: int
    state: UserState
    language: Language
    channel: Literal["cloud", "waha"] = "cloud"
    address: str | None = None
    """The wa_id (digits) that WhatsApp gave, or the E.164 digits before it gave any."""
    name: str | None = None


class Preferences(Value):
    tracks: tuple[Track, ...]
    level: int
    timezone: str
    time: str
    """HH:MM on the person's own clock."""
    paused_until: AwareDatetime | None = None


class RegisterUser(Command):
    subject: ClassVar[str] = "user.register"

    user_id: UserId
    name: str | None = None
    phone: str
    language: Language
    preferences: Preferences
    consent_version: str
    source: Literal["web", "api"] = "web"

    @property
    def shard_key(self) -> str:
        return self.phone


class UserRegistration(Value):
    """The answer to RegisterUser."""

    user_id: UserId
    is_new: bool
    state: UserState


class ChangeUser(Command):
    """Fields left out stay as they are."""

    subject: ClassVar[str] = "user.change"

    user_id: UserId
    name: str | None = None
    language: Language | None = None
    tracks: tuple[Track, ...] | None = None
    level: int | None = None
    timezone: str | None = None
    time: str | None = None


class UnsubscribeUser(Command):
    subject: ClassVar[str] = "user.unsubscribe"

    user_id: UserId
    source: str


class DeleteUser(Command):
    subject: ClassVar[str] = "user.delete"

    user_id: UserId
    source: str


class UserChanged(Event):
    """The whole of what other services may know of a person, each time any of it changes."""

    subject: ClassVar[str] = "user.changed"

    user_id: UserId
    contact: Contact
    preferences: Preferences | None = None


class UserRegistered(Event):
    subject: ClassVar[str] = "user.registered"

    user_id: UserId
    source: str


class UserOptedOut(Event):
    subject: ClassVar[str] = "user.opted_out"

    user_id: UserId
    source: str


class UserDeleted(Event):
    subject: ClassVar[str] = "user.deleted"

    user_id: UserId
