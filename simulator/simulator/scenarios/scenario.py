from datetime import time, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from simulator.transcript import ChannelName, DeliveryStatus

NEW = "new"


class InvalidScenario(ValueError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tap(Part):
    """An option by id or title; `of` is the number of the message from the bot, from 1."""

    option: str
    of: Annotated[int, Field(ge=1)] | None = None


class Expect(Part):
    """The bot's next message. `text` is a part of it, `exactly` all of it."""

    text: str | None = None
    exactly: str | None = None
    options: tuple[str, ...] | None = None
    kind: str | None = None
    template: str | None = None
    status: DeliveryStatus | None = None
    anywhere: bool = False
    """Skips messages from the bot until one fits."""
    within: Annotated[float, Field(gt=0)] = 15


class ClockStep(Part):
    advance: timedelta | None = None
    to: AwareDatetime | None = None
    next: time | None = None
    zone: str = "America/Sao_Paulo"


class Step(Part):
    """Exactly one of these."""

    say: str | None = None
    tap: str | Tap | None = None
    send: dict[str, JsonValue] | None = None
    expect: Expect | None = None
    silence: Annotated[float, Field(gt=0)] | None = None
    """Seconds in which nothing may come."""
    advance: timedelta | None = None
    clock: ClockStep | None = None
    fault: dict[str, JsonValue] | None = None
    phone: str | None = None
    """From here on another person has the phone in hand."""
    change: dict[str, JsonValue] | None = None
    marketing: bool | None = None
    number: str | None = None
    channel: ChannelName | None = None

    @model_validator(mode="after")
    def is_one_step(self) -> "Step":
        if len(self.model_fields_set) != 1:
            raise ValueError("a step does one thing")
        return self


class Scenario(Part):
    """With `new` as the phone, somebody who never wrote before."""

    name: str
    phone: str
    person: str | None = None
    channel: ChannelName | None = None
    steps: tuple[Step, ...]


def read_scenario(path: Path) -> Scenario:
    try:
        return Scenario.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise InvalidScenario(path, str(error)) from error
