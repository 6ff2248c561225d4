"""What every channel promises, asked of each of them in the same words."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from common.database import Database
from common.events import Attachment, SendMessage, StatusReceived
from devstack.servers import free_port
from messenger import lengths
from messenger.waha.outreach import ANY

from .conftest import Rig
from .fake_waha import FakeWaha
from .fakes import FakeWhatsApp, Fault
from .waha_rig import WahaRig

PHONE = "5511987654321"
NAME = "Ana"
SECRET = "um texto que ninguém mais lê"
PNG = Attachment.model_validate(
    {"kind": "image", "mime_type": "image/png", "filename": "a.png", "data": "iVBORw0KGgo="}
)


class Vendor(Protocol):
    """One channel, its vendor, and how to look at what arrived there."""

    rig: Rig
    faults: Any
    http_refusal: Fault

    def bodies(self) -> Sequence[str]: ...

    def ids(self) -> Sequence[str]: ...

    def fail_all(self, fault: Fault | None) -> None: ...

    def slow(self, seconds: float) -> None: ...

    def status(self, provider_id: str, status: str) -> StatusReceived: ...

    def in_flight(self) -> int: ...


class Cloud:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.faults = rig.whatsapp.faults
        self.http_refusal = Fault(400, 131026)

    def bodies(self) -> Sequence[str]:
        return [str(call) for call in self.rig.whatsapp.sent]

    def ids(self) -> Sequence[str]:
        return self.rig.whatsapp.trackers()

    def fail_all(self, fault: Fault | None) -> None:
        self.rig.whatsapp.constant_fault = fault

    def slow(self, seconds: float) -> None:
        self.rig.whatsapp.delay = seconds

    def status(self, provider_id: str, status: str) -> StatusReceived:
        return self.rig.status(provider_id, status)

    def in_flight(self) -> int:
        return self.rig.whatsapp.most_in_flight


class Waha:
    def __init__(self, rig: WahaRig) -> None:
        self.rig: Rig = rig
        self._waha = rig.waha
        self._ack = rig.ack
        self.faults = rig.waha.faults
        self.http_refusal = Fault(400)

    def bodies(self) -> Sequence[str]:
        return [str(call) for call in self._waha.sent]

    def ids(self) -> Sequence[str]:
        return [str(call.get("id")) for call in self._waha.sent]

    def fail_all(self, fault: Fault | None) -> None:
        self._waha.constant_fault = fault

    def slow(self, seconds: float) -> None:
        self._waha.delay = seconds

    def status(self, provider_id: str, status: str) -> StatusReceived:
        return self._ack(provider_id, status)

    def in_flight(self) -> int:
        return self._waha.most_in_flight


@pytest.fixture(params=["cloud", "waha"])
async def vendor(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Vendor]:
    if request.param == "cloud":
        async with FakeWhatsApp().serving() as whatsapp:
            rig = Rig(database, whatsapp)
            yield Cloud(rig)
            await rig.channel.close()
        return
    async with FakeWaha().serving() as waha:
        made = WahaRig(database, waha)
        yield Waha(made)
        await made.channel.close()


async def sent(vendor: Vendor, user: UUID, kind: str = "skipped", **fields: Any) -> SendMessage:
    message = vendor.rig.send(user, kind, **fields)
    await vendor.rig.handle(message)
    return message


async def test_a_text_is_accepted_under_an_id_and_told_once(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user)
        row = await vendor.rig.becomes(message, "accepted")
        await vendor.rig.handle(message)
        await asyncio.sleep(0.1)
    assert row.provider_id
    assert len(vendor.bodies()) == 1
    [accepted] = (await vendor.rig.events()).named("message.accepted")
    assert accepted["sent_id"] == str(message.message_id)


async def test_options_are_offered(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user, "menu")
        await vendor.rig.becomes(message, "accepted")
    assert "Pergunta agora" in vendor.bodies()[0]


async def test_a_long_text_is_cut_to_what_whatsapp_takes(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user, "model_answer", values={"model": "palavra " * 2_000})
        await vendor.rig.becomes(message, "accepted")
    assert 3_900 < lengths.units(vendor.bodies()[0]) < 4_096 + 400


async def test_an_attachment_goes_with_its_caption(vendor: Vendor, user: UUID) -> None:
    if isinstance(vendor, Cloud):
        pytest.skip("media of the Cloud API have tests of their own, with its upload")
    await vendor.rig.know(user)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user, attachment=PNG)
        row = await vendor.rig.becomes(message, "accepted")
    assert "image/png" in vendor.bodies()[0]
    assert "caption" in vendor.bodies()[0]
    assert row.provider_id


async def test_a_refusal_fails_with_a_reason_and_holds_nobody_else_up(vendor: Vendor) -> None:
    first, second = uuid4(), uuid4()
    await vendor.rig.know(first)
    await vendor.rig.know(second)
    vendor.faults.append(vendor.http_refusal)
    async with vendor.rig.dispatching():
        refused = await sent(vendor, first)
        row = await vendor.rig.becomes(refused, "failed")
        taken = await sent(vendor, second)
        await vendor.rig.becomes(taken, "accepted")
    assert row.reason
    [failed] = (await vendor.rig.events()).named("message.failed")
    assert failed["sent_id"] == str(refused.message_id)


@pytest.mark.parametrize(
    "fault", [Fault(502), Fault(502, is_accepted=True), Fault(drops_connection=True)]
)
async def test_without_an_answer_a_send_is_in_doubt_and_not_repeated_at_once(
    vendor: Vendor, user: UUID, fault: Fault
) -> None:
    await vendor.rig.know(user)
    vendor.faults.append(fault)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user)
        await vendor.rig.becomes(message, "unknown")
        await asyncio.sleep(0.3)
    assert len(vendor.bodies()) == 1


async def test_a_status_settles_a_send_in_doubt(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    vendor.faults.append(Fault(502, is_accepted=True))
    async with vendor.rig.dispatching():
        message = await sent(vendor, user)
        await vendor.rig.becomes(message, "unknown")
    told = vendor.status(vendor.ids()[0], "delivered")
    tracker = None if isinstance(vendor, Waha) else str(message.message_id)
    await vendor.rig.handle(told.model_copy(update={"tracker": tracker}))
    assert (await vendor.rig.row(message)).state == "delivered"


async def test_without_a_connection_nothing_left_and_it_is_tried_again(
    database: Database, user: UUID
) -> None:
    waha = FakeWaha(url=f"http://127.0.0.1:{free_port()}")
    rig = WahaRig(database, waha)
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        while not await rig.rows("SELECT 1 FROM messenger.attempts WHERE outcome = 'unsent'"):
            await asyncio.sleep(0.01)
    row = await rig.row(message)
    assert (row.state, row.tries) == ("queued", 0)
    await rig.channel.close()


async def test_statuses_move_a_message_forwards_only(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    async with vendor.rig.dispatching():
        message = await sent(vendor, user)
        row = await vendor.rig.becomes(message, "accepted")
    seen = []
    for word in ("read", "sent", "delivered", "failed", "read"):
        await vendor.rig.handle(vendor.status(row.provider_id, word))
        seen.append((await vendor.rig.row(message)).state)
    assert seen == ["read"] * 5
    events = await vendor.rig.events()
    assert len(events.named("message.delivered")) == 1
    assert events.named("message.failed") == []


async def test_a_stop_between_queue_and_send_is_heard(vendor: Vendor, user: UUID) -> None:
    await vendor.rig.know(user)
    question = vendor.rig.question(user)
    await vendor.rig.handle(question)
    await vendor.rig.know(user, "opted_out", revision=2, wrote=False)
    async with vendor.rig.dispatching():
        await vendor.rig.becomes(question, "suppressed")
    assert vendor.bodies() == []


async def test_messages_of_one_person_leave_in_order_and_one_at_a_time(
    vendor: Vendor, user: UUID
) -> None:
    await vendor.rig.know(user)
    messages = []
    for number in range(6):
        messages.append(vendor.rig.send(user, "model_answer", values={"model": f"number {number}"}))
        vendor.rig.clock.advance(timedelta(milliseconds=1))
    vendor.slow(0.02)
    async with vendor.rig.dispatching(vendor.rig.new_dispatcher()):
        await vendor.rig.handle(*messages)
        await vendor.rig.becomes(messages[-1], "accepted", within=10)
    assert [f"number {n}" in body for n, body in enumerate(vendor.bodies())] == [True] * 6
    assert vendor.in_flight() == 1


async def test_a_crash_between_claim_and_answer_is_found_and_settled(
    vendor: Vendor, user: UUID
) -> None:
    await vendor.rig.know(user)
    message = await sent(vendor, user)
    claimed = await vendor.rig.dispatcher._claim(1, lowest_priority=ANY)
    assert len(claimed.sent) == 1
    assert (await vendor.rig.row(message)).state == "sending"
    vendor.rig.clock.advance(timedelta(seconds=61))
    await vendor.rig.sweeper.sweep()
    assert (await vendor.rig.row(message)).state == "unknown"


async def test_nothing_personal_is_logged(
    vendor: Vendor, user: UUID, capfd: pytest.CaptureFixture[str]
) -> None:
    await vendor.rig.know(user)
    for fault in (Fault(500, body=SECRET), vendor.http_refusal, Fault(401), Fault(400)):
        vendor.faults.append(fault)
    async with vendor.rig.dispatching():
        for _ in range(4):
            await sent(vendor, user, "model_answer", values={"model": SECRET})
            await asyncio.sleep(0.1)
            await vendor.rig.pass_time(timedelta(minutes=11))
        await asyncio.sleep(0.3)
    written = "".join(capfd.readouterr())
    assert vendor.bodies()
    for personal in (PHONE, NAME, SECRET, PHONE[-8:]):
        assert personal not in written
