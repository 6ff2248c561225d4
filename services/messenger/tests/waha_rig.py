"""The service with WAHA instead of the Cloud API."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from common.database import Database
from common.events import Contact, InboundRef, InboundUnderstood, StatusReceived, UserState
from common.ids import UserId
from messenger.channels import Channel
from messenger.channels.waha import WahaChannel
from messenger.channels.waha_api import WahaApi
from messenger.dispatch import Dispatcher, Outlet
from messenger.numbered import NumberedRenderer
from messenger.waha.catching_up import CatchingUp
from messenger.waha.hidden_names import HiddenNames
from messenger.waha.outreach import WarmUp
from messenger.waha.pace import Pace
from messenger.waha.reconciling import Reconciler
from messenger.waha.sessions import Supervisor

from .conftest import Rig
from .fake_waha import KEY, SESSION, FakeWaha
from .fakes import FakeWhatsApp

NO_WAITING = Pace(factor=0, jitter=timedelta(), chance=random.Random(1))


class WahaRig(Rig):
    def __init__(self, database: Database, waha: FakeWaha, pace: Pace = NO_WAITING) -> None:
        self.waha = waha
        self.pace = pace
        self.api = WahaApi(waha.url, KEY, SESSION, connections=8)
        super().__init__(database, FakeWhatsApp())
        self.reconciler = Reconciler(database, self.clock, self.api, self.dispatcher.wake)
        self.catching_up = CatchingUp(database, self.clock, self.api)
        self.resumed = 0
        self.supervisor = self.new_supervisor()

    def new_channel(self) -> Channel:
        self.names = HiddenNames(self.database, self.clock, self.api)
        return WahaChannel(self.api, self.pace, self.names.keep_chat)

    def new_dispatcher(self) -> Dispatcher:
        allowance = WarmUp(SESSION, self.pace)
        outlet = Outlet(
            "waha", SESSION, self.channel, self.pacer, 4, pace=self.pace, allowance=allowance
        )
        return Dispatcher(self.database, self.clock, NumberedRenderer(self.renderer), outlet)

    def new_supervisor(self) -> Supervisor:
        def resumed() -> None:
            self.resumed += 1

        return Supervisor(
            self.database, self.clock, self.api, catch_up=self.catching_up, resumed=resumed
        )

    @asynccontextmanager
    async def everything(self) -> AsyncIterator[None]:
        """With the jobs around the dispatcher."""
        async with self.dispatching():
            jobs = [asyncio.create_task(self.reconciler.run())]
            try:
                yield
            finally:
                for job in jobs:
                    job.cancel()
                await asyncio.gather(*jobs, return_exceptions=True)

    def person(
        self,
        user: UUID,
        state: UserState = "active",
        *,
        revision: int = 1,
        name: str | None = "Ana",
        address: str | None = "5511987654321",
    ) -> Contact:
        contact = super().person(user, state, revision=revision, name=name, address=address)
        return contact.model_copy(update={"channel": "waha"})

    def inbound(self, user: UUID) -> InboundUnderstood:
        return InboundUnderstood(
            occurred_at=self.clock.now(),
            user_id=UserId(user),
            inbound=InboundRef(
                provider_id=uuid4().hex.upper(),
                at=self.clock.now(),
                channel="waha",
                number_id=SESSION,
            ),
            intent="text",
        )

    def ack(self, provider_id: str, status: str) -> StatusReceived:
        return StatusReceived(
            occurred_at=self.clock.now(),
            channel="waha",
            number_id=SESSION,
            provider_id=provider_id,
            status=status,
            status_at=self.clock.now(),
        )

    async def session(self) -> Any:
        [row] = await self.rows("SELECT * FROM messenger.waha_sessions")
        return row

    async def sends(self, count: int, *, within: float = 5) -> None:
        deadline = asyncio.get_running_loop().time() + within
        while len(self.waha.sent) < count:
            assert asyncio.get_running_loop().time() < deadline, len(self.waha.sent)
            await asyncio.sleep(0.01)

    def in_seconds(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)
