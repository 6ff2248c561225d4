"""The messenger against the simulator: real calls, real refusals, real webhooks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from common.database import Database
from common.events import SendMessage, StatusReceived, UserChanged
from messenger.dispatch import Dispatcher, Outlet
from messenger.limits.pauses import resume
from simulator.testing import Gateway, Simulator, free_port, running

from .conftest import CONTENT, NUMBER, Rig
from .fakes import FakeWhatsApp


@dataclass(frozen=True)
class Somebody:
    id: UUID
    phone: str


class Stage(Rig):
    """A rig whose WhatsApp is the simulator; its statuses come as webhooks and are handed over."""

    def __init__(self, database: Database, simulator: Simulator) -> None:
        edge = FakeWhatsApp()
        edge.url = f"{simulator.url}/v26.0"
        super().__init__(database, edge)
        self.simulator = simulator
        self._told = 0

    def dispatcher_with(self, **outlet: Any) -> Dispatcher:
        made = Outlet("cloud", NUMBER, self.channel, self.pacer, **outlet)
        return Dispatcher(self.database, self.clock, self.renderer, made)

    async def meet(self, number: int, *, wrote: bool = True) -> Somebody:
        somebody = Somebody(uuid4(), f"55119{80_000_000 + number:08}")
        contact = self.person(somebody.id, address=somebody.phone)
        await self.handle(
            UserChanged(occurred_at=self.clock.now(), user_id=contact.user_id, contact=contact)
        )
        if wrote:
            await self.writes(somebody)
        return somebody

    async def writes(self, somebody: Somebody) -> None:
        await self.simulator.say(somebody.phone, text="oi")
        await self.handle(self.inbound(somebody.id))

    async def refuse(self, code: int, phone: str, **order: object) -> None:
        fault = {"target": "send", "kind": "error", "code": code, "phone": phone, **order}
        assert (await self.simulator.arm(**fault)).status_code == 201

    async def fail_later(self, code: int, phone: str) -> None:
        await self.refuse(code, phone, kind="failed_status")

    async def hear(self, *, within: float = 5, until: int = 1) -> list[StatusReceived]:
        """Takes the statuses that have come since the last time, at least `until`."""
        deadline = asyncio.get_running_loop().time() + within
        while len(self.simulator.gateway.statuses) < self._told + until:
            assert asyncio.get_running_loop().time() < deadline, "no status came"
            await asyncio.sleep(0.01)
        items = self.simulator.gateway.statuses[self._told :]
        self._told += len(items)
        statuses = [_status(item) for item in items]
        await self.handle(*statuses)
        return statuses

    async def scopes(self) -> set[str]:
        return {row.scope for row in await self.rows("SELECT scope FROM messenger.pauses")}

    async def probes(self) -> int:
        rows = await self.rows("SELECT probes FROM messenger.pauses")
        return sum(row.probes for row in rows)

    async def held(self, message: SendMessage) -> str | None:
        scope: str | None = (await self.row(message)).held_for
        return scope

    async def resume(self, scope: str) -> None:
        async with self.database.transaction() as transaction:
            await resume(transaction, NUMBER, scope)

    async def comes_true(self, ask: Callable[[], Awaitable[object]], answer: object) -> None:
        deadline = asyncio.get_running_loop().time() + 5
        while (found := await ask()) != answer:
            assert asyncio.get_running_loop().time() < deadline, found
            await asyncio.sleep(0.01)

    async def becomes_known(self, happened: Callable[[], bool]) -> None:
        async def ask() -> bool:
            return happened()

        await self.comes_true(ask, True)

    async def ends(self, message: SendMessage) -> Any:
        """Waits until it has left, or never will."""

        async def ask() -> bool:
            return (await self.row(message)).state not in ("queued", "sending")

        await self.comes_true(ask, True)
        return await self.row(message)

    async def contact(self, somebody: Somebody) -> Any:
        rows = await self.rows("SELECT * FROM messenger.contacts")
        return next(row for row in rows if row.user_id == somebody.id)


@asynccontextmanager
async def stage_for(database: Database, **settings: object) -> AsyncIterator[Stage]:
    gateway = Gateway(free_port())
    await gateway.start()
    options = {
        "whatsapp_phone_number_id": NUMBER,
        "whatsapp_access_token": "token",
        "simulator_templates": CONTENT / "templates",
        **settings,
    }
    async with running(gateway, **options) as simulator:
        stage = Stage(database, simulator)
        try:
            yield stage
        finally:
            await stage.channel.close()
    await gateway.stop()


def _status(item: dict[str, Any]) -> StatusReceived:
    """What the gateway makes of an item; its own tests prove that it does."""
    errors = item.get("errors")
    return StatusReceived(
        occurred_at=datetime.now(UTC),
        channel="cloud",
        number_id=NUMBER,
        provider_id=item["id"],
        status=item["status"],
        status_at=datetime.fromtimestamp(int(item["timestamp"]), UTC),
        tracker=item.get("biz_opaque_callback_data"),
        error_code=errors[0]["code"] if errors else None,
    )
