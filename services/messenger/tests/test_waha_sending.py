"""What is particular to sending over WAHA: chats, ids, sends in doubt, refusals."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.database import Database
from common.events import InboundRef
from messenger.channels.waha_payloads import client_id

from .fake_waha import SESSION, FakeWaha
from .fakes import Fault
from .waha_rig import WahaRig


@pytest.fixture
async def waha() -> AsyncIterator[FakeWaha]:
    async with FakeWaha().serving() as fake:
        yield fake


@pytest.fixture
async def rig(database: Database, waha: FakeWaha) -> AsyncIterator[WahaRig]:
    made = WahaRig(database, waha)
    yield made
    await made.channel.close()


async def test_a_number_is_asked_about_once_and_its_own_spelling_is_used(
    rig: WahaRig, user: UUID
) -> None:
    rig.waha.numbers["5511987654321"] = "551187654321@c.us"
    await rig.know(user)
    async with rig.dispatching():
        for _ in range(2):
            message = rig.send(user)
            await rig.handle(message)
            await rig.becomes(message, "accepted")
    assert [call["chatId"] for call in rig.waha.sent] == ["551187654321@c.us"] * 2
    assert sum("check-exists" in asked for asked in rig.waha.asked) == 1
    [learned] = (await rig.events()).named("user.learn_aliases")
    assert learned["sender"] == {"wa_id": "551187654321"}


async def test_a_new_address_is_asked_about_anew(rig: WahaRig, user: UUID) -> None:
    await rig.know(user)
    first = rig.send(user)
    moved = rig.person(user, revision=2, address="34600000000")
    second = rig.send(user, contact=moved)
    async with rig.dispatching():
        await rig.handle(first)
        await rig.becomes(first, "accepted")
        await rig.handle(second)
        await rig.becomes(second, "accepted")
    assert [call["chatId"] for call in rig.waha.sent] == ["5511987654321@c.us", "34600000000@c.us"]


async def test_a_hidden_id_is_written_to_as_it_is(rig: WahaRig, user: UUID) -> None:
    message = rig.send(user, contact=rig.person(user, address="4639135154355@lid"))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    assert rig.waha.sent[0]["chatId"] == "4639135154355@lid"
    assert not any("check-exists" in asked for asked in rig.waha.asked)


async def test_a_number_without_whatsapp_fails_with_its_reason(rig: WahaRig, user: UUID) -> None:
    rig.waha.numbers["5511987654321"] = None
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "failed")
    assert (row.reason, rig.waha.sent) == ("not_on_whatsapp", [])


async def test_a_number_that_cannot_be_asked_about_waits(rig: WahaRig, user: UUID) -> None:
    rig.waha.check_status = 500
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        while not rig.waha.asked:
            await asyncio.sleep(0.01)
        await rig.becomes(message, "queued")
        rig.waha.check_status = 200
        await asyncio.sleep(0.1)
        await rig.pass_time(timedelta(seconds=10))
        await rig.becomes(message, "accepted")
    assert len(rig.waha.sent) == 1


@pytest.mark.parametrize("shape", ["text", "serialized", "key"])
async def test_the_id_is_found_in_every_engines_answer(
    rig: WahaRig, user: UUID, shape: str
) -> None:
    rig.waha.shape = shape
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
    assert row.provider_id == client_id(message.message_id)


def test_our_id_looks_like_one_of_whatsapp_web_and_is_always_the_same() -> None:
    message = uuid4()
    assert client_id(message) == client_id(message)
    assert client_id(message) != client_id(uuid4())
    assert client_id(message).startswith("3EB0")
    assert len(client_id(message)) == 22
    int(client_id(message), 16)


async def test_an_acknowledgement_that_comes_before_the_answer_finds_its_message(
    rig: WahaRig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.waha.gate = asyncio.Event()
    async with rig.dispatching():
        await rig.handle(message)
        await rig.sends(1)
        await rig.handle(rig.ack(client_id(message.message_id), "delivered"))
        assert (await rig.row(message)).state == "delivered"
        rig.waha.gate.set()
        await asyncio.sleep(0.2)
    assert (await rig.row(message)).state == "delivered"
    events = await rig.events()
    assert len(events.named("message.accepted")) == len(events.named("message.delivered")) == 1


async def test_a_send_in_doubt_that_whatsapp_has_is_accepted(rig: WahaRig, user: UUID) -> None:
    async with rig.everything():
        await rig.know(user)
        message = rig.send(user)
        rig.waha.faults.append(Fault(500, is_accepted=True))
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    assert len(rig.waha.sent) == 1


async def test_a_send_in_doubt_that_whatsapp_has_not_goes_again_under_the_same_id(
    rig: WahaRig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.waha.faults.append(Fault(drops_connection=True))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        await rig.reconciler.reconcile()
        assert (await rig.row(message)).state == "unknown"  # the call may be under way
        await rig.pass_time(timedelta(seconds=31))
        assert await rig.reconciler.reconcile() == 1
        rig.dispatcher.wake()
        await rig.becomes(message, "accepted")
    assert [call["id"] for call in rig.waha.sent] == [client_id(message.message_id)] * 2


async def test_a_send_in_doubt_waits_while_waha_cannot_be_asked(rig: WahaRig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.waha.faults.append(Fault(500))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        rig.waha.lookup_status = 503
        rig.clock.advance(timedelta(minutes=10))
        await rig.reconciler.reconcile()
        await rig.sweeper.sweep()
        assert (await rig.row(message)).state == "unknown"


async def test_what_must_not_come_twice_is_given_up(rig: WahaRig, user: UUID) -> None:
    await rig.know(user, "opted_out")
    message = rig.send(user, "still_stopped", purpose="stop_confirmation")
    rig.waha.faults.append(Fault(500))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        rig.clock.advance(timedelta(seconds=31))
        await rig.reconciler.reconcile()
        row = await rig.becomes(message, "failed")
    assert row.reason == "unknown_outcome"


async def test_a_message_that_is_never_there_is_given_up_in_the_end(
    rig: WahaRig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.waha.constant_fault = Fault(500)
    async with rig.dispatching():
        await rig.handle(message)
        for _ in range(4):
            await rig.becomes(message, "unknown")
            rig.clock.advance(timedelta(seconds=31))
            await rig.reconciler.reconcile()
            rig.dispatcher.wake()
        row = await rig.becomes(message, "failed")
    assert (row.reason, len(rig.waha.sent)) == ("unknown_outcome", 4)


async def test_a_session_that_starts_is_waited_for(rig: WahaRig, user: UUID) -> None:
    rig.waha.status = "STARTING"
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        while not rig.waha.posted:
            await asyncio.sleep(0.01)
        await rig.becomes(message, "queued")
        rig.waha.status = "WORKING"
        await asyncio.sleep(0.1)
        await rig.pass_time(timedelta(seconds=10))
        await rig.becomes(message, "accepted")
    assert await rig.rows("SELECT * FROM messenger.pauses") == []


@pytest.mark.parametrize(
    ("status", "code"), [("SCAN_QR_CODE", -2), ("FAILED", -3), ("STOPPED", -4), ("NEW_WORD", -5)]
)
async def test_a_session_that_cannot_send_pauses_its_number_and_a_probe_ends_that(
    rig: WahaRig, user: UUID, status: str, code: int
) -> None:
    rig.waha.status = status
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        while not await rig.rows("SELECT * FROM messenger.pauses"):
            await asyncio.sleep(0.01)
        [pause] = await rig.rows("SELECT * FROM messenger.pauses")
        assert (pause.number_id, pause.error_code) == (SESSION, code)
        rig.waha.status = "WORKING"
        await rig.pass_time(timedelta(seconds=31))
        await rig.becomes(message, "accepted")
    assert await rig.rows("SELECT * FROM messenger.pauses") == []


async def test_what_waha_does_not_understand_fails_alone(rig: WahaRig, user: UUID) -> None:
    await rig.know(user)
    rig.waha.faults.append(Fault(400))
    async with rig.dispatching():
        bad, good = rig.send(user), rig.send(user)
        await rig.handle(bad)
        row = await rig.becomes(bad, "failed")
        await rig.handle(good)
        await rig.becomes(good, "accepted")
    assert row.reason == "waha_refused"


async def test_an_inbound_message_is_seen_before_it_is_answered(rig: WahaRig, user: UUID) -> None:
    await rig.know(user)
    answer = rig.send(
        user, inbound=InboundRef(provider_id="3EB0AA", at=rig.clock.now(), channel="waha")
    )
    async with rig.dispatching():
        await rig.handle(answer)
        await rig.becomes(answer, "accepted")
    assert [path for path, _ in rig.waha.posted] == ["sendSeen", "sendText"]


async def test_courtesies_that_fail_hold_nothing_up(rig: WahaRig, user: UUID) -> None:
    rig.waha.courtesy_status = 500
    await rig.know(user)
    answer = rig.send(
        user, inbound=InboundRef(provider_id="3EB0AA", at=rig.clock.now(), channel="waha")
    )
    async with rig.dispatching():
        await rig.handle(answer)
        await rig.becomes(answer, "accepted")


async def test_a_hidden_name_is_resolved_once_a_day(rig: WahaRig, user: UUID) -> None:
    contact = rig.person(user, address="4639135154355@lid")
    await rig.handle(rig.send(user, contact=contact))
    await rig.names.resolve()
    await rig.names.resolve()
    assert sum("/lids/" in asked for asked in rig.waha.asked) == 1
    assert (await rig.events()).named("user.learn_aliases") == []
    rig.waha.lids["4639135154355@lid"] = "5511987654321@c.us"
    rig.clock.advance(timedelta(days=1))
    await rig.names.resolve()
    [learned] = (await rig.events()).named("user.learn_aliases")
    assert learned["sender"] == {"wa_id": "5511987654321", "lid": "4639135154355@lid"}
    assert learned["user_id"] == str(user)


async def test_a_deleted_person_leaves_no_chat_behind(rig: WahaRig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    await rig.know(user, "deleted", revision=2, wrote=False)
    [row] = await rig.rows("SELECT chat_id, chat_for, address FROM messenger.contacts")
    assert row == (None, None, None)
    assert (await rig.row(message)).provider_id is None
