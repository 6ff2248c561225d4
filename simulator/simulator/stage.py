"""Everything the simulator is made of, wired together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from simulator import webhooks
from simulator.clock import Clock
from simulator.clock_stream import ClockStream
from simulator.cloud_api import CloudApi
from simulator.delivery import WebhookDelivery
from simulator.faults import Faults
from simulator.journal import KEPT_CALLS, KEPT_WEBHOOKS, Journal
from simulator.live import Live
from simulator.person import People
from simulator.phones import Phones
from simulator.sending import Sending
from simulator.settings import Settings
from simulator.statuses import Statuses
from simulator.storage import StateFile
from simulator.template_api import TemplateApi
from simulator.templates import TemplateBook


class Stage:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.live = Live()
        self.clock = Clock()
        self.faults = Faults(settings.simulator_seed, self.live.changed)
        self.calls = Journal(KEPT_CALLS, "calls", self.live.changed)
        self.webhooks = Journal(KEPT_WEBHOOKS, "webhooks", self.live.changed)
        self.phones = Phones(self._changed, settings.simulator_read_receipts)
        self._account = _account(settings)
        self.delivery = WebhookDelivery(
            settings, self._account, self.clock, self.faults, self.webhooks
        )
        self.people = People(self.clock, self.phones, self.delivery, self._account)
        self.cloud_api = self._cloud_api()
        self.clock.on_change(lambda: self._changed("clock"))
        path = settings.simulator_state
        self._state_file = StateFile(path, self.clock, self.phones) if path else None

    def _cloud_api(self) -> CloudApi:
        book = TemplateBook(self.settings.simulator_templates)
        statuses = Statuses(
            self.clock,
            self.phones,
            self.faults,
            self.delivery,
            self._account,
            gap_seconds=self.settings.simulator_status_gap_seconds,
        )
        sending = Sending(self.settings, self.clock, self.phones, book, statuses)
        return CloudApi(
            self.settings, self.clock, self.faults, sending, TemplateApi(book), self.calls
        )

    def _changed(self, topic: str) -> None:
        self.live.changed(topic)
        if self._state_file:
            self._state_file.touch()

    def reset(self) -> None:
        self.faults.disarm()
        self.delivery.forget_all()
        self.phones.forget_all()
        self.calls.clear()
        self.webhooks.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        if self._state_file:
            self._state_file.load()
        await self.delivery.start()
        stream = asyncio.create_task(self._follow_clock())
        try:
            yield
        finally:
            stream.cancel()
            with suppress(asyncio.CancelledError):
                await stream
            await self.delivery.stop()
            if self._state_file:
                self._state_file.save()

    async def _follow_clock(self) -> None:
        if self.settings.nats_url:
            await ClockStream(self.settings.nats_url, self.clock).run()


def _account(settings: Settings) -> webhooks.Account:
    return webhooks.Account(
        business_account_id=settings.simulator_business_account_id,
        metadata=webhooks.Metadata(
            display_phone_number=settings.simulator_business_phone,
            phone_number_id=settings.whatsapp_phone_number_id,
        ),
    )
