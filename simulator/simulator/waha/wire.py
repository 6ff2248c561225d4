"""Bodies that leave: only this family builds them, and nothing reads them back."""

from datetime import datetime
from typing import Literal

Json = dict[str, object]
Engine = Literal["GOWS", "NOWEB"]

VERSION = "2026.7.1"
_ACKS = {-1: "ERROR", 0: "PENDING", 1: "SERVER", 2: "DEVICE", 3: "READ", 4: "PLAYED"}


def ack_name(ack: int | None) -> str:
    return "UNKNOWN" if ack is None else _ACKS[ack]


def environment(engine: Engine) -> Json:
    return {
        "version": VERSION,
        "engine": engine,
        "tier": "CORE",
        "browser": "",
        "platform": "simulator",  # a real one names its system here
        "worker": {"id": None},
    }


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def seconds(at: datetime) -> int:
    return int(at.timestamp())
