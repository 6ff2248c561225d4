"""What made us look at a person, and what holds while it is dealt with."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.events import Channel


@dataclass(frozen=True)
class Occasion:
    id: UUID
    """Of the message that arrived: a retry records, and says, the same and not more."""
    channel: Channel
    now: datetime
    policy_version: str
