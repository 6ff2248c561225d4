from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from simulator.clock import next_time_of_day
from simulator.faults import ArmedFault, FaultOrder
from simulator.journal import EntryView
from simulator.person import Said
from simulator.phones import Phone, canonical_number
from simulator.stage import Stage
from simulator.transcript import Message
from simulator.views import ClockMove, ClockView, PhoneChange, PhoneView, phone_view


class Taken(BaseModel):
    id: str
    phone: str


def routes(stage: Stage) -> APIRouter:
    router = APIRouter(prefix="/control")
    _add_phones(router, stage)
    _add_clock(router, stage)
    _add_faults(router, stage)
    _add_journals(router, stage)
    return router


def _add_phones(router: APIRouter, stage: Stage) -> None:
    @router.get("/phones")
    async def list_phones(limit: int | None = Query(None, ge=1)) -> list[PhoneView]:
        """With a limit, those who were active last."""
        phones = stage.phones.all()
        if limit is not None:
            phones = sorted(phones, key=_last_activity, reverse=True)[:limit]
        return [phone_view(phone) for phone in phones]

    @router.put("/phones/{phone}")
    async def change_phone(phone: str, change: PhoneChange) -> PhoneView:
        person = stage.phones.get_or_create(phone)
        person.name = change.name or person.name
        person.has_receipts = person.has_receipts if change.receipts is None else change.receipts
        person.wa_id_form = change.wa_id_form or person.wa_id_form
        stage.phones.touch(person)
        return phone_view(person)

    @router.post("/phones/{phone}/messages", status_code=202)
    async def say(phone: str, said: Said, name: str | None = None) -> Taken:
        person = stage.phones.get_or_create(phone)
        person.name = said.name or name or person.name
        return Taken(id=stage.people.say(person, said).id, phone=person.number)

    @router.get("/phones/{phone}/messages", response_model_exclude_none=True)
    async def read_transcript(phone: str) -> list[Message]:
        person = stage.phones.find(phone)
        return person.messages if person else []


def _last_activity(phone: Phone) -> float:
    return phone.messages[-1].at.timestamp() if phone.messages else float("inf")


def _add_clock(router: APIRouter, stage: Stage) -> None:
    def view() -> ClockView:
        offset = stage.clock.offset.total_seconds()
        return ClockView(now=stage.clock.now(), offset_seconds=offset)

    @router.get("/clock")
    async def read_clock() -> ClockView:
        return view()

    @router.post("/clock")
    async def move_clock(move: ClockMove) -> ClockView:
        if move.advance is not None:
            stage.clock.advance(move.advance)
        elif move.to is not None:
            stage.clock.move_to(move.to)
        elif move.next is not None:
            stage.clock.move_to(next_time_of_day(stage.clock.now(), move.next, _zone(move.zone)))
        return view()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise HTTPException(422, f"{name!r} is not a time zone") from error


def _add_faults(router: APIRouter, stage: Stage) -> None:
    @router.get("/faults")
    async def list_faults() -> list[ArmedFault]:
        return stage.faults.all()

    @router.post("/faults", status_code=201)
    async def arm_fault(order: FaultOrder) -> ArmedFault:
        if order.phone is not None:
            order = order.model_copy(update={"phone": canonical_number(order.phone)})
        return stage.faults.arm(order)

    @router.delete("/faults", status_code=204)
    async def disarm_faults() -> None:
        stage.faults.disarm()

    @router.delete("/faults/{fault_id}", status_code=204)
    async def disarm_fault(fault_id: int) -> None:
        stage.faults.disarm(fault_id)


def _add_journals(router: APIRouter, stage: Stage) -> None:
    @router.get("/sent")
    async def read_calls(
        since: int = Query(0, ge=0),
        limit: int | None = Query(None, ge=1),
        last: int | None = Query(None, ge=1),
    ) -> list[EntryView]:
        return stage.calls.read_last(last) if last else stage.calls.read(since, limit)

    @router.get("/webhooks")
    async def read_webhooks(
        since: int = Query(0, ge=0),
        limit: int | None = Query(None, ge=1),
        last: int | None = Query(None, ge=1),
    ) -> list[EntryView]:
        return stage.webhooks.read_last(last) if last else stage.webhooks.read(since, limit)

    @router.post("/reset", status_code=204)
    async def reset() -> None:
        """Forgets everything but the time, which cannot go back."""
        stage.reset()

    @router.get("/events")
    async def follow_events() -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = stage.live.stream()
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
