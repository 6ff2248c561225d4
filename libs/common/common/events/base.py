"""What every message on the bus has in common, and the registry of all of them."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID
from zlib import crc32

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from common.ids import new_id

PREFIX = "sabatina"
SHARDS = 32

Channel = Literal["cloud", "waha"]
Language = Literal["pt", "en", "es"]
Track = Literal["python", "javascript", "ruby", "dsa"]

_registry: dict[str, type["Message"]] = {}


class Value(BaseModel):
    """An immutable part of a message. Unknown fields are ignored: producers may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Value):
    """A message on the bus. It may gain optional fields; any other change needs a new subject."""

    subject: ClassVar[str]
    """`<noun>.<verb>`: stable, whatever the class is called."""

    message_id: UUID = Field(default_factory=new_id)
    occurred_at: AwareDatetime

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        if subject := cls.__dict__.get("subject"):
            assert subject not in _registry, f"two messages claim the subject {subject}"
            _registry[subject] = cls

    @property
    def shard_key(self) -> str:
        """Messages with one key keep their order; the key itself never leaves the process."""
        return str(getattr(self, "user_id", self.message_id))

    @property
    def full_subject(self) -> str:
        return f"{PREFIX}.{self.subject}.{shard_of(self.shard_key)}"


class Event(Message):
    """A fact: named in the past tense, kept for days, read by many."""


class Command(Message):
    """A request: named in the imperative, handled by one consumer."""


class InboundRef(Value):
    """The person's message that something replies to; it also tells when the window opened."""

    provider_id: str
    at: datetime
    channel: Channel = "cloud"
    number_id: str = ""
    """Our number that it came to: a window is open for one person at one number."""


def shard_of(key: str) -> int:
    return crc32(key.encode()) % SHARDS


def wildcard(message: type[Message]) -> str:
    """The subject filter for every shard of a message."""
    return f"{PREFIX}.{message.subject}.*"


def all_messages() -> dict[str, type[Message]]:
    return dict(_registry)


def message_class(full_subject: str) -> type[Message]:
    """The class for a subject on the bus. Raises KeyError when this version does not know it."""
    noun, verb = full_subject.removeprefix(f"{PREFIX}.").split(".")[:2]
    return _registry[f"{noun}.{verb}"]
