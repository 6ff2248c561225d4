"""Identifiers: time-ordered for what we create, name-based for what a vendor names."""

import os
import time
from typing import NewType
from uuid import UUID, uuid5

UserId = NewType("UserId", UUID)
AssignmentId = NewType("AssignmentId", UUID)
AnswerId = NewType("AnswerId", UUID)
MessageId = NewType("MessageId", UUID)

NAMESPACE = UUID("5aba714a-0000-4000-8000-000000000000")


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): ids made later sort later, to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | (0x7 << 76) | (0x2 << 62))


def derived_id(*parts: object) -> UUID:
    """The same parts give the same id, on every replica and on every retry.

    WhatsApp's own ids contain the sender's number in base64, so they are never used as message ids.
    """
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
