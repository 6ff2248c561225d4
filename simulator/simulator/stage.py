"""Everything the simulator is made of, wired together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from simulator.business import Business
from simulator.clock import Clock
from simulator.clock_stream import ClockStream
from simulator.faults import Faults
from simulator.identifiers import Identifiers
from simulator.journal import KEPT_CALLS, KEPT_WEBHOOKS, Journal
from simulator.live import Live
from simulator.media import MediaStore
from simulator.phones import Phone, Phones
from simulator.said import NoSuchChannel, Said, Speaker
from simulator.settings import Settings
from simulator.storage import State, StateFile
from simulator.transcript import ChannelName, Message
from simulator.waha.server import Waha


class Stage:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.live = Live()
        self.clock = Clock()
        self.identifiers = Identifiers(settings.simulator_seed)
        self.faults = Faults(settings.simulator_seed, self.live.changed)
        self.calls = Journal(KEPT_CALLS, "calls", self.live.changed)
        self.webhooks = Journal(KEPT_WEBHOOKS, "webhooks", self.live.changed)
        self.phones = Phones(self._changed, self.identifiers, settings.simulator_read_receipts)
        self.media = MediaStore(self.clock, self.identifiers)
        self.business = Business(
            settings,
            self.clock,
            self.faults,
            self.phones,
            self.media,
            calls=self.calls,
            webhook_journal=self.webhooks,
        )
        self.waha = Waha(
            settings,
            self.clock,
            self.faults,
            self.phones,
            self.media,
            calls=self.calls,
            webhooks=self.webhooks,
            changed=self._changed,
        )
        self.speakers: dict[ChannelName, Speaker] = {
            "cloud": self.business.people,
            "waha": self.waha.people,
        }
        self.clock.on_change(lambda: self._changed("clock"))
        path = settings.simulator_state
        self._state_file = StateFile(path, self.export_state) if path else None

    def say(self, phone: Phone, said: Said) -> Message:
        """In the chat that is named, or quoted, or else in the one where the last message is."""
        channel = said.channel or self._channel_of(said) or phone.channel_of_next()
        if channel not in self.speakers:
            raise NoSuchChannel(channel)
        return self.speakers[channel].say(phone, said)

    def _channel_of(self, said: Said) -> ChannelName | None:
        found = self.phones.find_message(said.quote or said.message_id or "")
        return found[1].channel if found else None

    def _changed(self, topic: str) -> None:
        self.live.changed(topic)
        if self._state_file:
            self._state_file.touch()

    def reset(self) -> None:
        self.faults.disarm()
        self.phones.forget_all()
        self.media.forget_all()
        self.business.reset()
        self.waha.reset()
        self.calls.clear()
        self.webhooks.clear()
        self.identifiers.renew()

    def export_state(self) -> State:
        return State(
            offset_seconds=self.clock.offset.total_seconds(),
            phones=self.phones.all(),
            templates=self.business.templates.all(),
            standing=self.business.standing.view,
            quirks=self.business.account.quirks,
            waha=self.waha.state(),
        )

    def import_state(self, state: State) -> None:
        """Adds to what is there; a clock that is further ahead stays."""
        self.clock.adopt(timedelta(seconds=state.offset_seconds))
        for phone in state.phones:
            self.phones.restore(phone)
        self.business.templates.restore(state.templates)
        self.business.standing.view = state.standing or self.business.standing.view
        self.business.account.quirks = state.quirks or self.business.account.quirks
        self.waha.restore(state.waha)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        kept = self._state_file.read() if self._state_file else None
        if kept:
            self.import_state(kept)
        await self.business.delivery.start()
        stream = asyncio.create_task(self._follow_clock())
        try:
            yield
        finally:
            stream.cancel()
            with suppress(asyncio.CancelledError):
                await stream
            await self.business.delivery.stop()
            await self.waha.stop()
            if self._state_file:
                self._state_file.save()

    async def _follow_clock(self) -> None:
        if self.settings.nats_url:
            await ClockStream(self.settings.nats_url, self.clock).run()
