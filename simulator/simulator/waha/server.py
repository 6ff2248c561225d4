"""Everything that is WAHA's, wired together."""

from collections import Counter
from collections.abc import Callable

from pydantic import BaseModel
from starlette.routing import Route

from simulator.clock import Clock
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.media import MediaStore
from simulator.phones import Phones
from simulator.settings import Settings
from simulator.waha.announcing import Announcer
from simulator.waha.api import Part, WahaApi
from simulator.waha.chats import Chats, Stray
from simulator.waha.ids import Ids
from simulator.waha.people import WahaPeople
from simulator.waha.reading_api import ReadingApi
from simulator.waha.sending import WahaSending
from simulator.waha.sending_api import SendingApi
from simulator.waha.session_api import SessionApi
from simulator.waha.sessions import Session, Sessions, SessionStatus
from simulator.waha.webhooks import WahaWebhooks


class WahaState(BaseModel):
    """What outlives a restart besides the chats, which are with the phones."""

    issued: dict[str, int] = {}
    sessions: list[Session] = []
    strays: list[Stray] = []


class Waha:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        phones: Phones,
        media: MediaStore,
        *,
        calls: Journal,
        webhooks: Journal,
        changed: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._changed = changed
        self.ids = Ids(settings.simulator_seed)
        self.sessions = Sessions(clock, settings.simulator_waha_start_seconds)
        self.webhooks = WahaWebhooks(settings, clock, faults, journal=webhooks, ids=self.ids)
        self.announcer = Announcer(
            settings, clock, self.sessions, webhooks=self.webhooks, ids=self.ids
        )
        self.chats = Chats(phones, self.ids, changed)
        self.sending = WahaSending(
            settings,
            clock,
            phones,
            self.chats,
            faults=faults,
            media=media,
            announcer=self.announcer,
            ids=self.ids,
        )
        self.people = WahaPeople(
            clock,
            phones,
            self.chats,
            media=media,
            announcer=self.announcer,
            ids=self.ids,
            session=self.session,
        )
        self.sessions.on_change(self._follow)
        parts: list[Part] = [
            SessionApi(clock, self.sessions, self.announcer, settings.simulator_waha_engine),
            self._sending_api(clock, faults, phones),
            ReadingApi(phones, self.sessions, self.chats, media=media, announcer=self.announcer),
        ]
        self._api = WahaApi(settings.waha_api_key.get_secret_value(), clock, calls, parts)
        self._open()

    def _sending_api(self, clock: Clock, faults: Faults, phones: Phones) -> SendingApi:
        return SendingApi(
            clock,
            faults,
            phones,
            self.sessions,
            chats=self.chats,
            sending=self.sending,
            announcer=self.announcer,
            ids=self.ids,
        )

    def session(self) -> Session | None:
        """The session in which people's messages arrive."""
        return self.sessions.find(self._settings.waha_session)

    def routes(self) -> list[Route]:
        return self._api.routes()

    def state(self) -> WahaState:
        sessions, strays = self.sessions.all(), self.chats.strays
        return WahaState(issued=dict(self.ids.issued), sessions=sessions, strays=strays)

    def restore(self, state: WahaState) -> None:
        self.ids.issued |= Counter(state.issued)
        self.sessions.restore(state.sessions)
        self.chats.strays = list(state.strays)

    def reset(self) -> None:
        """Ids go on: the product would take one that it has seen for a repetition."""
        self.webhooks.forget_all()
        self.people.forget_all()
        self.chats.forget_all()
        self.sending.repeats.clear()
        self.sessions.forget_all()
        self._open()

    def hush(self, session: Session, *, is_silent: bool) -> None:
        session.is_silent = is_silent
        if not is_silent:
            self.sending.release_held(session)
        self._changed("waha")

    async def stop(self) -> None:
        self.sessions.cancel_starts()
        await self.webhooks.stop()

    def _open(self) -> None:
        settings = self._settings
        self.sessions.open(settings.waha_session, is_paired=settings.simulator_waha_paired)

    def _follow(self, session: Session) -> None:
        self._changed("waha")
        if session.status is SessionStatus.WORKING:
            self.sending.release_held(session)
            self.people.catch_up(session, tells=self._settings.simulator_waha_backlog)
