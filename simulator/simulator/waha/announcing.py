"""Tells the hooks of a session what happened in it."""

from simulator.clock import Clock
from simulator.settings import Settings
from simulator.waha.ids import Ids
from simulator.waha.messages import Me, Teller, Told
from simulator.waha.sessions import Session, Sessions
from simulator.waha.webhooks import Event, WahaWebhooks
from simulator.waha.wire import Json, environment, milliseconds


class Announcer:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sessions: Sessions,
        *,
        webhooks: WahaWebhooks,
        ids: Ids,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._webhooks = webhooks
        self._ids = ids
        self.me = Me(
            number=settings.simulator_waha_number,
            lid=ids.lid_of(settings.simulator_waha_number),
            name="Sabatina (simulated)",
        )
        sessions.on_change(self._tell_status)

    def teller(self, session: Session) -> Teller:
        engine, base_url = self._settings.simulator_waha_engine, self._settings.waha_public_url
        return Teller(engine, self.me, session.name, base_url)

    def message(self, session: Session, told: Told) -> None:
        """`message` tells of what others wrote, `message.any` also of our own."""
        payload = self.teller(session).message(told)
        self.tell(session, "message.any", payload, told)
        if not told.from_me:
            self.tell(session, "message", payload, told)

    def noise(self, session: Session, told: Told) -> None:
        """Some engines tell of our own messages, and of groups, as if somebody wrote to us."""
        payload = self.teller(session).message(told)
        self.tell(session, "message.any", payload, told)
        self.tell(session, "message", payload, told)

    def ack(self, session: Session, told: Told, ack: int) -> None:
        self.tell(session, "message.ack", self.teller(session).ack(told, ack), told)

    def tell(self, session: Session, event: str, payload: Json, told: Told | None = None) -> None:
        if session.is_silent:
            return
        now = self._clock.now()
        lane = told.phone.number if told and told.phone else ""
        for hook in self._webhooks.hooks_of(session):
            if event in hook.events or "*" in hook.events:
                body = self._envelope(session, event, payload)
                self._webhooks.post(Event(body=body, hook=hook, lane=lane, at=now))

    def _envelope(self, session: Session, event: str, payload: Json) -> Json:
        now = self._clock.now()
        engine = self._settings.simulator_waha_engine
        return {
            "id": self._ids.event(now),
            "timestamp": milliseconds(now),
            "event": event,
            "session": session.name,
            "metadata": session.config.metadata,
            "me": self.me.info() if session.is_paired else None,
            "payload": payload,
            "engine": engine,
            "environment": environment(engine),
        }

    def _tell_status(self, session: Session) -> None:
        payload: Json = {
            "name": session.name,
            "status": session.status,
            "statuses": [point.model_dump() for point in session.statuses],
        }
        self.tell(session, "session.status", payload)
