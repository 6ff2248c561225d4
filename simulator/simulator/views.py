"""What the control API takes and gives."""

from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulator import windows
from simulator.numbers import WaIdForm
from simulator.phones import Phone
from simulator.transcript import ChannelName, Message
from simulator.waha.accounts import LidForm, Shape, WahaAccount


class PhoneChange(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    receipts: bool | None = None
    wa_id_form: WaIdForm | None = None
    blocked: bool | None = None
    registered: bool | None = None
    username: Annotated[str, Field(pattern=r"^[a-z0-9._]{3,35}$")] | None = None
    hides_number: bool | None = None
    """Only with a username; then the business gets no number, only the business-scoped id."""
    lid: LidForm | None = None
    shape: Shape | None = None
    device: int | None = None


class PhoneView(BaseModel):
    phone: str
    waha: WahaAccount
    wa_id: str
    wa_id_form: WaIdForm
    user_id: str
    username: str | None
    hides_number: bool
    name: str
    receipts: bool
    blocked: bool
    registered: bool
    wants_marketing: bool
    channel: ChannelName
    """Of the last message, and so of the next."""
    window_closes_at: datetime | None
    typing_until: datetime | None
    count: int
    last: Message | None


class ClockMove(BaseModel):
    """`advance` by a duration, `to` an instant, or `next` time of day in a zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    advance: timedelta | None = None
    to: AwareDatetime | None = None
    next: time | None = None
    zone: str = "America/Sao_Paulo"

    @model_validator(mode="after")
    def is_one_move(self) -> "ClockMove":
        if sum(move is not None for move in (self.advance, self.to, self.next)) != 1:
            raise ValueError("give one of advance, to and next")
        return self


class ClockView(BaseModel):
    now: datetime
    offset_seconds: float


class Replayed(BaseModel):
    """The receiver's HTTP status; null when it did not answer."""

    status: int | None


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise HTTPException(422, f"{name!r} is not a time zone") from error


_FIELDS = {
    "name": "name",
    "receipts": "has_receipts",
    "wa_id_form": "wa_id_form",
    "blocked": "has_blocked",
    "registered": "is_registered",
    "hides_number": "hides_number",
}


def change(phone: Phone, wanted: PhoneChange) -> None:
    """What is left out stays; a username is given back with null, and the number shows again."""
    for given, field in _FIELDS.items():
        value = getattr(wanted, given)
        if value is not None:
            setattr(phone, field, value)
    if "device" in wanted.model_fields_set:
        phone.waha.device = wanted.device
    phone.waha.lid = wanted.lid or phone.waha.lid
    phone.waha.shape = wanted.shape or phone.waha.shape
    if "username" in wanted.model_fields_set:
        phone.username = wanted.username
    phone.hides_number = phone.hides_number and phone.username is not None


def phone_view(phone: Phone) -> PhoneView:
    return PhoneView(
        phone=phone.number,
        waha=phone.waha,
        wa_id=phone.wa_id,
        wa_id_form=phone.wa_id_form,
        user_id=phone.user_id,
        username=phone.username,
        hides_number=phone.hides_number,
        name=phone.name,
        receipts=phone.has_receipts,
        blocked=phone.has_blocked,
        registered=phone.is_registered,
        wants_marketing=phone.wants_marketing,
        channel=phone.channel_of_next(),
        window_closes_at=windows.closes_at(phone.last_inbound_at),
        typing_until=phone.typing_until,
        count=len(phone.messages),
        last=phone.messages[-1] if phone.messages else None,
    )
