import random
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from itertools import count
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.transcript import ChannelName

Target = Literal["send", "media", "webhook", "status", "llm"]


class Kind(StrEnum):
    ERROR = "error"
    FAILED_STATUS = "failed_status"
    TIMEOUT_AFTER_ACCEPTANCE = "timeout_after_acceptance"
    HTTP_500_BEFORE = "http_500_before"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DROP = "drop"
    BAD_SIGNATURE = "bad_signature"
    DELAY = "delay"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    WRONG_SCHEMA = "wrong_schema"
    REFUSAL = "refusal"
    FILTERED = "filtered"
    SLOW_BODY = "slow_body"


_ON_A_WEBHOOK = {Kind.DUPLICATE, Kind.REORDER, Kind.DROP, Kind.BAD_SIGNATURE, Kind.DELAY}
POSSIBLE: dict[Target, set[Kind]] = {
    "send": {
        Kind.ERROR,
        Kind.FAILED_STATUS,
        Kind.TIMEOUT_AFTER_ACCEPTANCE,
        Kind.HTTP_500_BEFORE,
        Kind.DELAY,
    },
    "media": {Kind.ERROR, Kind.HTTP_500_BEFORE, Kind.DELAY},
    "webhook": _ON_A_WEBHOOK,
    "status": _ON_A_WEBHOOK | {Kind.FAILED_STATUS},
    "llm": {
        Kind.ERROR,
        Kind.TIMEOUT_AFTER_ACCEPTANCE,
        Kind.HTTP_500_BEFORE,
        Kind.DELAY,
        Kind.GARBAGE,
        Kind.WRONG_SCHEMA,
        Kind.TRUNCATED,
        Kind.REFUSAL,
        Kind.FILTERED,
        Kind.SLOW_BODY,
    },
}
_DEFAULT_CODES = {Kind.ERROR: 131000, Kind.FAILED_STATUS: 131026}


class FaultOrder(BaseModel):
    """What somebody asks to go wrong. `times: null` means until disarmed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    kind: Kind
    times: int | None = Field(default=1, ge=1)
    rate: float = Field(default=1, ge=0, le=1)
    code: int | None = None
    delay: timedelta = Field(default=timedelta(seconds=2), ge=timedelta())
    phone: str | None = None
    channel: ChannelName | None = None
    """Left out: both."""

    @model_validator(mode="after")
    def is_possible(self) -> "FaultOrder":
        if self.kind not in POSSIBLE[self.target]:
            kinds = ", ".join(sorted(POSSIBLE[self.target]))
            raise ValueError(f"a {self.target} fault is one of: {kinds}")
        return self

    @property
    def error_code(self) -> int:
        return self.code if self.code is not None else _DEFAULT_CODES.get(self.kind, 131000)


class ArmedFault(BaseModel):
    id: int
    order: FaultOrder
    left: int | None
    happened: int = 0


class Faults:
    def __init__(self, seed: int, changed: Callable[[str], None]) -> None:
        self._random = random.Random(seed)
        self._armed: list[ArmedFault] = []
        self._ids = count(1)
        self._changed = changed

    def all(self) -> list[ArmedFault]:
        return list(self._armed)

    def arm(self, order: FaultOrder) -> ArmedFault:
        fault = ArmedFault(id=next(self._ids), order=order, left=order.times)
        self._armed.append(fault)
        self._changed("faults")
        return fault

    def disarm(self, fault_id: int | None = None) -> None:
        self._armed = [f for f in self._armed if fault_id is not None and f.id != fault_id]
        self._changed("faults")

    def strike(
        self,
        target: Target,
        kinds: set[Kind] | None = None,
        phone: str | None = None,
        channel: ChannelName = "cloud",
    ) -> FaultOrder | None:
        """The first armed fault that hits this event; its count goes down by one."""
        for fault in self._armed:
            if fault.order.channel in (None, channel) and self._hits(fault, target, kinds, phone):
                self._use(fault)
                return fault.order
        return None

    def _hits(
        self, fault: ArmedFault, target: Target, kinds: set[Kind] | None, phone: str | None
    ) -> bool:
        order = fault.order
        if order.target != target or (kinds is not None and order.kind not in kinds):
            return False
        if order.phone is not None and order.phone != phone:
            return False
        return order.rate >= 1 or self._random.random() < order.rate

    def _use(self, fault: ArmedFault) -> None:
        fault.happened += 1
        if fault.left is not None:
            fault.left -= 1
            if fault.left == 0:
                self._armed.remove(fault)
        self._changed("faults")
