"""What the control API takes and gives."""

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from simulator import windows
from simulator.phones import Phone, WaIdForm
from simulator.transcript import Message


class PhoneChange(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    receipts: bool | None = None
    wa_id_form: WaIdForm | None = None


class PhoneView(BaseModel):
    phone: str
    wa_id: str
    wa_id_form: WaIdForm
    name: str
    receipts: bool
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


def phone_view(phone: Phone) -> PhoneView:
    return PhoneView(
        phone=phone.number,
        wa_id=phone.wa_id,
        wa_id_form=phone.wa_id_form,
        name=phone.name,
        receipts=phone.has_receipts,
        window_closes_at=windows.closes_at(phone.last_inbound_at),
        typing_until=phone.typing_until,
        count=len(phone.messages),
        last=phone.messages[-1] if phone.messages else None,
    )
