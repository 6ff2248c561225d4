"""Everything that belongs to sending over WAHA, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from common.database import Transaction
from common.events import NoticeReceived
from common.service import Service
from messenger.channels.waha import WahaChannel
from messenger.channels.waha_api import WahaApi, WahaSilent
from messenger.dispatch import Outlet
from messenger.limits.pacing import LocalPacer
from messenger.notices import NoticeHandler
from messenger.settings import Settings
from messenger.waha.catching_up import CatchingUp
from messenger.waha.hidden_names import HiddenNames
from messenger.waha.outreach import WarmUp
from messenger.waha.pace import Pace
from messenger.waha.reconciling import Reconciler
from messenger.waha.sessions import Supervisor

RATE = 10.0  # calls a second at most; people and gaps set the real pace


@dataclass(frozen=True)
class Waha:
    outlet: Outlet
    api: WahaApi
    names: HiddenNames

    def watch(
        self, service: Service, settings: Settings, wake: Callable[[], None]
    ) -> dict[str, NoticeHandler]:
        """`wake` is called when messages may go that could not before. Returns who is to be told
        of the session's notices."""
        database = service.database
        assert database is not None
        supervisor = Supervisor(
            database,
            service.clock,
            self.api,
            catch_up=CatchingUp(database, service.clock, self.api),
            resumed=wake,
            silent_after=settings.waha_silent_after,
        )
        reconciler = Reconciler(database, service.clock, self.api, wake)
        service.in_background("waha-session", supervisor.run)
        service.in_background("waha-reconciler", reconciler.run)
        service.in_background("waha-names", self.names.run)
        service.on_clock_change(supervisor.wake)

        async def look(_: NoticeReceived, transaction: Transaction, __: datetime) -> None:
            transaction.after_commit(supervisor.wake)

        return {"session.status": look}


@asynccontextmanager
async def opened(settings: Settings, service: Service) -> AsyncIterator[Waha]:
    database = service.database
    assert database is not None
    session = settings.waha_session
    api = WahaApi(
        settings.waha_url,
        settings.waha_api_key.get_secret_value(),
        session,
        connections=settings.waha_in_flight + 4,
    )
    if not settings.simulation:
        await _refuse_simulator(api)
    pace = pace_of(settings)
    names = HiddenNames(database, service.clock, api)
    outlet = Outlet(
        "waha",
        session,
        WahaChannel(api, pace, names.keep_chat),
        LocalPacer(RATE),
        settings.waha_in_flight,
        pace=pace,
        allowance=WarmUp(session, pace),
    )
    try:
        yield Waha(outlet, api, names)
    finally:
        await api.close()


async def _refuse_simulator(api: WahaApi) -> None:
    """WAHA may well be on this machine, so its address does not tell; it is asked."""
    with suppress(WahaSilent):
        if (await api.version()).is_simulator:
            raise SystemExit(
                "SABATINA_WAHA_URL is Sabatina's simulator: set the address of a real WAHA, or"
                " SABATINA_SIMULATION=true on a developer's machine"
            )


def pace_of(settings: Settings) -> Pace:
    return Pace(
        factor=settings.waha_human_pace,
        gap=settings.waha_gap,
        jitter=settings.waha_daily_jitter,
        daily_limit=settings.waha_daily_limit,
        first_day_limit=settings.waha_first_day_limit,
    )
