"""What tests and the phone page use."""

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response, StreamingResponse

from simulator import control_business, control_people
from simulator.clock import next_time_of_day
from simulator.delivery import WEBHOOK_PATH
from simulator.faults import ArmedFault, FaultOrder
from simulator.journal import EntryView
from simulator.numbers import canonical_number
from simulator.stage import Stage
from simulator.storage import State
from simulator.views import ClockMove, ClockView, Replayed, zone


def routes(stage: Stage) -> APIRouter:
    router = APIRouter(prefix="/control")
    router.include_router(control_people.routes(stage))
    router.include_router(control_business.routes(stage))
    _add_clock(router, stage)
    _add_faults(router, stage)
    _add_journals(router, stage)
    _add_state(router, stage)
    _add_media(router, stage)
    return router


def _add_media(router: APIRouter, stage: Stage) -> None:
    @router.get("/media/{media_id}")
    async def read_media(media_id: str) -> Response:
        """For the phone page, which has no token. Only pictures and sounds are shown in place."""
        found = stage.media.find(media_id)
        if found is None:
            raise HTTPException(404, "the file is gone")
        is_shown = found.mime_type.startswith(("image/", "audio/", "video/"))
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline" if is_shown else "attachment",
        }
        return Response(found.data, media_type=found.mime_type, headers=headers)


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
            stage.clock.move_to(next_time_of_day(stage.clock.now(), move.next, zone(move.zone)))
        return view()


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

    @router.post("/webhooks/{n}/replay")
    async def replay_webhook(n: int) -> Replayed:
        """Posts a recorded body again, signed anew, and tells the answer."""
        entry = stage.webhooks.find(n)
        if entry is None or entry.path != WEBHOOK_PATH:
            raise HTTPException(404, f"webhook {n} is not in the journal, or not the Cloud API's")
        return Replayed(status=await stage.business.delivery.repost(entry.body))

    @router.get("/events")
    async def follow_events() -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = stage.live.stream()
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _add_state(router: APIRouter, stage: Stage) -> None:
    @router.post("/reset", status_code=204)
    async def reset() -> None:
        """Forgets everything but the time, which cannot go back."""
        stage.reset()

    @router.get("/state")
    async def export_state() -> Response:
        return Response(stage.export_state().to_bytes(), media_type="application/json")

    @router.put("/state", status_code=204)
    async def import_state(state: State) -> None:
        """In place of everything that is there; only the clock never goes back."""
        stage.reset()
        stage.import_state(state)
