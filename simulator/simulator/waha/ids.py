"""Names in WAHA's own forms: chats, messages and events."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_DEVICE = re.compile(r":\d+(?=@)")
_SERIALIZED = re.compile(r"(?:true|false)_([^_]+)_([^_]+)(?:_.+)?")


def plain_chat_id(written: str) -> str:
    """As the API names chats: without a device, and users always under `@c.us`."""
    chat_id = _DEVICE.sub("", written.strip())
    if "@" not in chat_id:
        return f"{chat_id}@c.us"
    return chat_id.replace("@s.whatsapp.net", "@c.us")


def engine_jid(chat_id: str, device: int | None = None) -> str:
    """As the engines name the same chat inside `_data`."""
    user, server = chat_id.split("@", 1)
    server = "s.whatsapp.net" if server == "c.us" else server
    return f"{user}@{server}" if device is None else f"{user}:{device}@{server}"


def serialized(chat_id: str, bare_id: str, *, from_me: bool, participant: str | None = None) -> str:
    direction = "true" if from_me else "false"
    ending = f"_{participant}" if participant else ""
    return f"{direction}_{chat_id}_{bare_id}{ending}"


def bare_id(written: str) -> str:
    """The part of a message id that stays the same whichever chat id it was made with."""
    found = _SERIALIZED.fullmatch(written)
    return found.group(2) if found else written


@dataclass(slots=True)
class Ids:
    """Made from the seed and a count of each kind: a run repeats, and a restart repeats none."""

    seed: int
    issued: Counter[str] = field(default_factory=Counter)

    def outgoing(self) -> str:
        return "3EB0" + self._next("outgoing")[:18].upper()

    def incoming(self) -> str:
        return "AC" + self._next("incoming")[:30].upper()

    def event(self, now: datetime) -> str:
        value = (int(now.timestamp() * 1000) << 80) | int(self._next("event")[:20], 16)
        digits = [_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5)]
        return "evt_" + "".join(digits)

    def request(self) -> str:
        return self._next("request")[:32]

    def lid_of(self, number: str) -> str:
        """A phone's hidden id: always the same for a seed."""
        return str(10**14 + int(self._digest("lid", number)[:16], 16) % (9 * 10**14))

    def _next(self, kind: str) -> str:
        self.issued[kind] += 1
        return self._digest(kind, str(self.issued[kind]))

    def _digest(self, *parts: str) -> str:
        return hashlib.sha256("\x1f".join((str(self.seed), *parts)).encode()).hexdigest()
