import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from messenger import catalogue
from messenger.channels import NotSent
from messenger.channels.cloud import CloudChannel
from messenger.policies import BY_KIND, when_unknown
from messenger.tracking import Tracking

from .conftest import CONTENT, NUMBER, Rig
from .fakes import Fault

KINDS = set(catalogue.load(CONTENT).entries)

NO_ANSWER = Fault(is_accepted=True, drops_connection=True)


async def test_a_crash_between_attempt_and_outcome_is_resolved_by_a_status_not_resent(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    await rig.handle(message)
    dying = asyncio.create_task(rig.dispatcher.run())
    rig.whatsapp.gate = asyncio.Event()
    await rig.becomes(message, "sending")
    async with asyncio.timeout(5):
        while not rig.whatsapp.sent:
            await asyncio.sleep(0.01)
    for task in asyncio.all_tasks():  # no chance to record anything, as after SIGKILL
        if task.get_coro().__qualname__.startswith("Dispatcher."):  # type: ignore[union-attr]
            task.cancel()
    rig.dispatcher._unrecorded = 0
    await asyncio.gather(dying, return_exceptions=True)
    rig.whatsapp.gate = None
    assert (await rig.row(message)).state == "sending"

    rig.clock.advance(timedelta(seconds=61))
    await rig.sweeper.sweep()
    assert (await rig.row(message)).state == "unknown"
    await rig.handle(rig.status("wamid.77", "sent", tracker=message.message_id))
    rig.clock.advance(timedelta(hours=1))
    await rig.sweeper.sweep()
    rig.dispatcher = rig.new_dispatcher()
    async with rig.dispatching():
        await asyncio.sleep(0.2)
    row = await rig.row(message)
    assert (row.state, row.provider_id) == ("sent", "wamid.77")
    assert len(rig.whatsapp.sent) == 1
    assert len((await rig.events()).named("message.accepted")) == 1


async def test_a_message_that_is_being_recorded_is_not_taken_for_lost(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.gate = asyncio.Event()
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "sending")
        rig.clock.advance(timedelta(seconds=61))
        async with rig.database.transaction() as recording:
            tracking = Tracking(recording, rig.clock.now())
            await tracking.lock([message.message_id])
            async with asyncio.timeout(2):  # and nobody waits for it
                await rig.sweeper.sweep()
        assert (await rig.row(message)).state == "sending"
        rig.whatsapp.gate.set()
        await rig.becomes(message, "accepted")


async def test_a_reply_whose_outcome_is_unknown_is_sent_again_once(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.constant_fault = NO_ANSWER
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        rig.clock.advance(timedelta(seconds=89))
        await rig.sweeper.sweep()
        assert (await rig.row(message)).state == "unknown"
        rig.clock.advance(timedelta(seconds=2))
        await rig.sweeper.sweep()
        await asyncio.sleep(0.2)
        row = await rig.becomes(message, "unknown")
        rig.clock.advance(timedelta(seconds=91))
        await rig.sweeper.sweep()
        row = await rig.becomes(message, "failed")
    assert row.reason == "unknown_outcome"
    assert len(rig.whatsapp.sent) == 2


async def test_a_template_whose_outcome_is_unknown_is_never_sent_again(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user, wrote=False)
    message = rig.question(user)
    rig.whatsapp.faults.append(NO_ANSWER)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        rig.clock.advance(timedelta(seconds=91))
        await rig.sweeper.sweep()
        row = await rig.becomes(message, "failed")
    assert row.reason == "unknown_outcome"
    assert len(rig.whatsapp.sent) == 1


async def test_a_status_resolves_an_unknown_outcome_before_it_is_sent_again(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(NO_ANSWER)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")
        await rig.handle(rig.status("wamid.1", "delivered", tracker=message.message_id))
        rig.clock.advance(timedelta(hours=1))
        await rig.sweeper.sweep()
        await asyncio.sleep(0.1)
    assert (await rig.row(message)).state == "delivered"
    assert len(rig.whatsapp.sent) == 1
    events = await rig.events()
    assert len(events.named("message.accepted")) == len(events.named("message.delivered")) == 1


@pytest.mark.parametrize("fault", [Fault(500), Fault(502, body="<html>"), Fault(408)])
async def test_a_server_fault_without_words_may_have_sent_it(
    rig: Rig, user: UUID, fault: Fault
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(fault)
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")


async def test_an_acceptance_without_an_id_is_unknown(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(Fault(200, body="{}"))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "unknown")


async def test_nothing_was_sent_when_nobody_listens_and_all_leaves_when_they_do_again(
    rig: Rig,
) -> None:
    people = [uuid4() for _ in range(20)]
    for person in people:
        await rig.know(person)
    messages = [rig.send(person) for person in people]
    await rig.handle(*messages)
    here = rig.channel
    nowhere = CloudChannel("http://127.0.0.1:9/v26.0", NUMBER, "token", connections=8)
    rig.channel = nowhere
    rig.dispatcher = rig.new_dispatcher()
    async with rig.dispatching():
        await asyncio.sleep(0.4)
    states = {(await rig.row(message)).state for message in messages}
    attempts = await rig.rows("SELECT DISTINCT outcome FROM messenger.attempts")
    assert states == {"queued"}
    assert [row.outcome for row in attempts] == ["unsent"]
    assert NotSent.retryable is False
    await nowhere.close()

    rig.channel = here
    rig.dispatcher = rig.new_dispatcher()
    rig.clock.advance(timedelta(minutes=1))
    async with rig.dispatching():
        for message in messages:
            await rig.becomes(message, "accepted")
    assert len(rig.whatsapp.sent) == len(messages)


async def test_a_message_is_given_up_after_five_refusals_that_were_to_pass(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.constant_fault = Fault(500, 131000)
    async with rig.dispatching():
        await rig.handle(message)
        for _ in range(5):
            await asyncio.sleep(0.15)
            await rig.pass_time(timedelta(minutes=1))
        row = await rig.becomes(message, "failed")
    assert (row.reason, row.error_code, len(rig.whatsapp.sent)) == ("whatsapp_131000", 131000, 5)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(131026, "whatsapp_131026"), (131050, "person_stopped"), (132000, "whatsapp_132000")],
)
async def test_a_refusal_for_good_is_told_with_its_reason(
    rig: Rig, user: UUID, code: int, reason: str
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(Fault(400, code))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "failed")
    [failed] = (await rig.events()).named("message.failed")
    assert failed["reason"] == reason
    assert len(rig.whatsapp.sent) == 1


async def test_a_question_that_meets_a_closed_window_leaves_as_template_once(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message, reply = rig.question(user), rig.send(user)
    rig.whatsapp.constant_fault = Fault(400, 131047)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "failed")
        await rig.handle(reply)
        assert (await rig.becomes(reply, "failed")).reason == "window_closed"
    assert rig.whatsapp.kinds() == ["interactive", "template"]  # the window is known to be closed
    assert row.reason == "window_closed"


async def test_too_many_messages_to_one_person_delay_that_person_only(rig: Rig) -> None:
    busy, other = uuid4(), uuid4()
    await rig.know(busy)
    await rig.know(other)
    first, second, third = rig.send(busy), rig.send(busy), rig.send(other)
    rig.whatsapp.faults.append(Fault(400, 131056))
    async with rig.dispatching():
        await rig.handle(first)
        await asyncio.sleep(0.2)
        await rig.handle(second, third)
        await rig.becomes(third, "accepted")
        assert (await rig.row(first)).state == (await rig.row(second)).state == "queued"
        rig.whatsapp.faults.append(Fault(400, 131056))
        await rig.pass_time(timedelta(seconds=1.1))  # 4^0
        await asyncio.sleep(0.2)
        [contact] = await rig.rows("SELECT * FROM messenger.contacts WHERE strikes > 0")
        assert contact.hold_until == rig.clock.now() + timedelta(seconds=4)  # 4^1
        await rig.pass_time(timedelta(seconds=4.1))
        await rig.becomes(first, "accepted")
        await rig.becomes(second, "accepted")
    [row] = await rig.rows("SELECT max(strikes) AS most FROM messenger.contacts")
    assert row.most == 0


async def test_too_fast_means_slower_and_again(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(Fault(429, 130429))
    async with rig.dispatching():
        await rig.handle(message)
        await asyncio.sleep(0.2)
        await rig.pass_time(timedelta(seconds=3))
        row = await rig.becomes(message, "accepted")
    assert rig.pacer.slowed == 1
    assert row.tries == 1


async def test_a_wait_that_whatsapp_asks_for_is_kept(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(Fault(429, 130429, headers=(("Retry-After", "120"),)))
    async with rig.dispatching():
        await rig.handle(message)
        await asyncio.sleep(0.2)
        assert (await rig.row(message)).not_before == rig.clock.now() + timedelta(seconds=120)


async def test_a_number_that_may_not_send_pauses_and_is_probed_until_it_may(rig: Rig) -> None:
    people = [uuid4() for _ in range(30)]
    for person in people:
        await rig.know(person)
    messages = [rig.send(person) for person in people]
    rig.whatsapp.constant_fault = Fault(401, 190)
    async with rig.dispatching():
        await rig.handle(*messages[:1])
        await asyncio.sleep(0.2)
        assert len(rig.whatsapp.sent) == 1
        await rig.handle(*messages[1:])
        await asyncio.sleep(0.2)
        assert len(rig.whatsapp.sent) == 1
        await rig.pass_time(timedelta(seconds=31))
        await asyncio.sleep(0.3)
        assert len(rig.whatsapp.sent) == 2
        await rig.pass_time(timedelta(seconds=31))
        await asyncio.sleep(0.3)
        assert len(rig.whatsapp.sent) == 2  # the next probe comes after a minute
        rig.whatsapp.constant_fault = None
        await rig.pass_time(timedelta(seconds=31))
        for message in messages:
            await rig.becomes(message, "accepted")
    assert len(rig.whatsapp.sent) == 2 + len(messages)
    assert await rig.rows("SELECT 1 FROM messenger.pauses") == []


async def test_the_limit_of_the_app_waits_as_long_as_whatsapp_asks(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.append(Fault(429, 80007, headers=(("Retry-After", "1800"),)))
    async with rig.dispatching():
        await rig.handle(message)
        await asyncio.sleep(0.2)
        [pause] = await rig.rows("SELECT scope, probe_at FROM messenger.pauses")
        assert (pause.scope, pause.probe_at) == ("all", rig.clock.now() + timedelta(minutes=30))
        await rig.pass_time(timedelta(minutes=29))
        await asyncio.sleep(0.2)
        assert len(rig.whatsapp.sent) == 1
        await rig.pass_time(timedelta(minutes=1))
        await rig.becomes(message, "accepted")


@pytest.mark.parametrize("word", ["held_for_quality_assessment", "paused"])
async def test_a_template_that_whatsapp_keeps_back_is_accepted_and_not_sent_again(
    rig: Rig, user: UUID, word: str
) -> None:
    await rig.know(user, wrote=False)
    message = rig.question(user)
    body = f'{{"messages": [{{"id": "wamid.9", "message_status": "{word}"}}]}}'
    rig.whatsapp.faults.append(Fault(200, body=body))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
        await rig.pass_time(timedelta(hours=1))
        await rig.sweeper.sweep()
        await asyncio.sleep(0.2)
    assert len(rig.whatsapp.sent) == 1


async def test_a_held_message_goes_on_when_its_kind_has_got_another_template(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user, wrote=False)
    message = rig.question(user)
    rig.whatsapp.faults.append(Fault(400, 132016))
    async with rig.dispatching():
        await rig.handle(message)
        async with asyncio.timeout(5):
            while (await rig.row(message)).held_for is None:
                await asyncio.sleep(0.02)
    newer = rig.renderer.catalogue.model_copy(deep=True)
    entry = newer.entries["daily_ready"].model_copy(update={"template": "sabatina_ready_2"})
    newer = newer.model_copy(update={"entries": {**newer.entries, "daily_ready": entry}})
    rig.renderer = replace(rig.renderer, catalogue=newer)
    rig.dispatcher = rig.new_dispatcher()
    async with rig.dispatching():
        row = await rig.becomes(message, "accepted")
    assert row.template == "sabatina_ready_2"


async def test_two_replicas_send_one_probe(rig: Rig) -> None:
    people = [uuid4() for _ in range(20)]
    for person in people:
        await rig.know(person)
    rig.whatsapp.constant_fault = Fault(401, 190)
    async with rig.dispatching(rig.new_dispatcher(), rig.new_dispatcher()):
        await rig.handle(rig.send(people[0]))
        await asyncio.sleep(0.3)
        seen = len(rig.whatsapp.sent)
        await rig.handle(*[rig.send(person) for person in people])
        rig.clock.advance(timedelta(seconds=31))
        await asyncio.sleep(1.2)
    assert len(rig.whatsapp.sent) == seen + 1


def test_the_policy_for_a_send_in_doubt_is_written_down_for_each_kind() -> None:
    for kind in KINDS:
        expected = "give_up" if kind == "still_stopped" else "resend_once"
        assert when_unknown(kind, is_template=False, resends=0) == expected
        assert when_unknown(kind, is_template=False, resends=1) == "give_up"
        assert when_unknown(kind, is_template=True, resends=0) == "give_up"
    assert set(BY_KIND) <= KINDS
