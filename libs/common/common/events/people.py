"""Who somebody is and what they agreed to."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from common.events.base import Channel, Command, Event, Language, Track, Value
from common.events.inbound import Sender
from common.ids import UserId

UserState = Literal[
    "unknown",
    "onboarding",
    "declined",
    "pending",
    "active",
    "paused",
    "opted_out",
    "merged",
    "deleted",
]
"""`merged`: found to be somebody else whom we know; it can be taken back for 30 days."""


class Contact(Value):
    """Where and whether a person can be reached. The higher revision is the newer truth."""

    user_id: UserId
    revision: int
    state: UserState
    language: Language
    channel: Channel = "cloud"
    address: str | None = None
    """Where to send to. Digits: the wa_id that WhatsApp gave, or the E.164 number before it gave
    any. Somebody without a known number: a business-scoped id (`BR.1502`, it has a dot) on the
    Cloud API, the hidden id (`123@lid`) on WAHA."""
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


class LearnAliases(Command):
    """WhatsApp let slip, in answer to a call of ours, what somebody is also called."""

    subject: ClassVar[str] = "user.learn_aliases"

    user_id: UserId
    sender: Sender


class ReverseMerge(Command):
    """Two people were taken for one by mistake: `user_id`, the merged one, is brought back."""

    subject: ClassVar[str] = "user.reverse_merge"

    user_id: UserId
    source: str


class UserMerged(Event):
    """`user_id` was found to be `into`, whose state and preferences hold from now on."""

    subject: ClassVar[str] = "user.merged"

    user_id: UserId
    into: UserId


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
