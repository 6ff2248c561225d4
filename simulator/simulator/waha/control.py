"""What tests do to the simulated WAHA, and what they ask of it."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from simulator.phones import Phones
from simulator.waha.people import NoiseKind
from simulator.waha.server import Waha
from simulator.waha.sessions import Session, SessionStatus


class SessionChange(BaseModel):
    """`scan`: somebody scans the code. `silent`: it says WORKING, but hears and sends nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str | None = None
    state: SessionStatus | None = None
    scan: bool = False
    silent: bool | None = None


class Noise(BaseModel):
    """An event that no product should act on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: NoiseKind
    phone: str
    text: str = "oi"


class Posted(BaseModel):
    id: str


class WahaView(BaseModel):
    """`repeats`: ids that were sent again. `strays`: accepted, but for nobody."""

    session: str
    status: SessionStatus
    silent: bool
    paired: bool
    repeats: dict[str, int]
    strays: int
    dropped_webhooks: int
    waiting_webhooks: int


def routes(waha: Waha, phones: Phones) -> APIRouter:
    router = APIRouter(prefix="/control/waha")

    @router.get("")
    async def look() -> WahaView:
        return _view(waha, _session(waha, None))

    @router.post("/session")
    async def change_session(change: SessionChange) -> WahaView:
        session = _session(waha, change.session)
        if change.silent is not None:
            waha.hush(session, is_silent=change.silent)
        if change.scan:
            waha.sessions.pair(session)
        if change.state is not None:
            waha.sessions.become(session, change.state)
        return _view(waha, session)

    @router.post("/events", status_code=202)
    async def make_noise(noise: Noise) -> Posted:
        phone = phones.get_or_create(noise.phone)
        return Posted(id=waha.people.make_noise(phone, noise.kind, noise.text))

    return router


def _session(waha: Waha, name: str | None) -> Session:
    found = waha.sessions.find(name) if name else waha.session()
    if found is None:
        raise HTTPException(404, "there is no such session")
    return found


def _view(waha: Waha, session: Session) -> WahaView:
    return WahaView(
        session=session.name,
        status=session.status,
        silent=session.is_silent,
        paired=session.is_paired,
        repeats=dict(waha.sending.repeats),
        strays=len(waha.chats.strays),
        dropped_webhooks=waha.webhooks.losses.dropped,
        waiting_webhooks=waha.webhooks.losses.waiting,
    )
