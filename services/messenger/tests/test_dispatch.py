import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

from common.events import InboundRef

from .conftest import Rig
from .fakes import Fault


async def test_a_reply_leaves_once_and_is_told_as_accepted(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
        await rig.handle(message)
        await asyncio.sleep(0.1)
    assert len(rig.whatsapp.sent) == 1
    assert rig.whatsapp.sent[0]["to"] == "5511987654321"
    assert row.provider_id == rig.whatsapp.accepted[str(message.message_id)]
    [accepted] = (await rig.events()).named("message.accepted")
    assert accepted["sent_id"] == str(message.message_id)
    assert accepted["is_template"] is False
    [attempt] = await rig.rows("SELECT outcome FROM messenger.attempts")
    assert attempt.outcome == "accepted"


async def test_nothing_leaves_after_a_stop_that_came_between_queue_and_send(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    question, reply = rig.question(user), rig.send(user)
    await rig.handle(question, reply)
    await rig.know(user, "opted_out", revision=2, wrote=False)
    async with rig.dispatching():
        row = await rig.becomes(reply, "suppressed")
    assert row.reason == "opted_out"
    assert (await rig.row(question)).state == "suppressed"
    assert rig.whatsapp.sent == []
    failed = (await rig.events()).named("message.failed")
    assert [event["reason"] for event in failed] == ["opted_out", "opted_out"]


async def test_a_stop_travels_with_its_own_confirmation(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    question = rig.question(user)
    await rig.handle(question)
    confirmation = rig.send(
        user,
        "stopped",
        purpose="stop_confirmation",
        contact=rig.person(user, "opted_out", revision=2),
    )
    await rig.handle(confirmation)
    async with rig.dispatching():
        await rig.becomes(confirmation, "accepted")
    assert rig.whatsapp.trackers() == [str(confirmation.message_id)]
    assert (await rig.row(question)).state == "suppressed"


async def test_two_dispatchers_send_each_message_once_and_one_at_a_time_to_a_person(
    rig: Rig,
) -> None:
    people = [uuid4() for _ in range(40)]
    for person in people:
        await rig.know(person)
    messages = [rig.send(person) for person in people for _ in range(5)]
    await rig.handle(*messages)
    rig.whatsapp.delay = 0.005
    async with rig.dispatching(rig.new_dispatcher(), rig.new_dispatcher()):
        for message in messages:
            await rig.becomes(message, "accepted", within=20)
    assert set(Counter(rig.whatsapp.trackers()).values()) == {1}
    assert len(rig.whatsapp.sent) == len(messages)
    overlaps = await rig.rows(
        "SELECT 1 FROM messenger.attempts a JOIN messenger.messages m ON m.id = a.message_id"
        " JOIN messenger.messages o ON o.user_id = m.user_id AND o.id <> m.id"
        " JOIN messenger.attempts b ON b.message_id = o.id"
        " WHERE a.started_at < b.ended_at AND b.started_at < a.ended_at"
    )
    assert overlaps == []


async def test_messages_of_a_person_leave_in_order_and_replies_before_the_daily_question(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    question = rig.question(user)
    await rig.pass_time(timedelta(seconds=1))
    replies = []
    for _ in range(4):
        replies.append(rig.send(user, message_id=uuid4()))
        rig.clock.advance(timedelta(milliseconds=1))
    await rig.handle(question, *replies)
    async with rig.dispatching():
        await rig.becomes(question, "accepted")
    expected = [*(str(reply.message_id) for reply in replies), str(question.message_id)]
    assert rig.whatsapp.trackers() == expected


async def test_a_question_outside_the_window_leaves_as_template(rig: Rig, user: UUID) -> None:
    await rig.know(user, wrote=False)
    question, reply = rig.question(user), rig.send(user)
    async with rig.dispatching():
        await rig.handle(question, reply)
        row = await rig.becomes(question, "accepted")
        refused = await rig.becomes(reply, "failed")
    assert row.is_template
    assert refused.reason == "window_closed"
    [call] = rig.whatsapp.sent
    template = call["template"]
    assert isinstance(template, dict)
    assert template["name"] == "sabatina_daily_ready"
    assert template["language"] == {"code": "pt_BR"}
    [accepted] = (await rig.events()).named("message.accepted")
    assert accepted["is_template"] is True


async def test_the_message_that_is_answered_proves_that_the_window_is_open(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user, wrote=False)
    message = rig.send(user, inbound=InboundRef(provider_id="wamid.in", at=rig.clock.now()))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")


async def test_a_message_waits_for_late_news_of_its_person(rig: Rig, user: UUID) -> None:
    message = rig.send(user, inbound=InboundRef(provider_id="wamid.in", at=rig.clock.now()))
    async with rig.dispatching():
        await rig.handle(message)
        await asyncio.sleep(0.1)
        assert (await rig.row(message)).state == "queued"
        await rig.know(user, wrote=False)
        await rig.becomes(message, "accepted")


async def test_a_message_to_nobody_fails_in_the_end(rig: Rig, user: UUID) -> None:
    message = rig.send(user)
    await rig.handle(message)
    rig.clock.advance(timedelta(minutes=11))
    async with rig.dispatching():
        row = await rig.becomes(message, "failed")
    assert row.reason == "no_contact"


async def test_an_expired_message_is_not_sent(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.question(user, expires_at=rig.clock.now() + timedelta(minutes=1))
    await rig.handle(message)
    rig.clock.advance(timedelta(minutes=1))
    async with rig.dispatching():
        row = await rig.becomes(message, "failed")
    assert (row.reason, rig.whatsapp.sent) == ("expired", [])


async def test_one_message_that_cannot_be_rendered_takes_no_other_with_it(rig: Rig) -> None:
    people = [uuid4() for _ in range(10)]
    for person in people:
        await rig.know(person)
    messages = [rig.send(person) for person in people]
    bad = rig.send(people[3], "no_such_kind")
    gap = rig.send(people[4], "question", values={"track": "python"})
    await rig.handle(bad, gap, *messages)
    async with rig.dispatching():
        for message in messages:
            await rig.becomes(message, "accepted")
        assert (await rig.becomes(bad, "failed")).reason == "unknown_kind"
        assert (await rig.becomes(gap, "failed")).reason.startswith("missing_value_")
    assert len(rig.whatsapp.sent) == 10


async def test_calls_at_once_are_bounded(rig: Rig) -> None:
    people = [uuid4() for _ in range(150)]
    for person in people:
        await rig.know(person)
    messages = [rig.send(person) for person in people]
    await rig.handle(*messages)
    rig.whatsapp.delay = 0.05
    async with rig.dispatching():
        for message in messages:
            await rig.becomes(message, "accepted", within=10)
    assert rig.whatsapp.most_in_flight <= 64


async def test_what_is_in_flight_is_finished_when_the_service_stops(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.delay = 0.3
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "sending")
    assert (await rig.row(message)).state == "accepted"


async def test_text_that_the_database_cannot_store_is_still_sent(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user, "model_answer", values={"model": "a\x00b \\u0000 c"})
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")


async def test_a_person_is_not_held_up_by_anothers_slow_call(rig: Rig) -> None:
    slow, quick = uuid4(), uuid4()
    await rig.know(slow)
    await rig.know(quick)
    first, second = rig.send(slow), rig.send(quick)
    rig.whatsapp.gate = asyncio.Event()
    async with rig.dispatching():
        await rig.handle(first)
        async with asyncio.timeout(5):
            while not rig.whatsapp.sent:
                await asyncio.sleep(0.01)
        gate, rig.whatsapp.gate = rig.whatsapp.gate, None
        await rig.handle(second)
        await rig.becomes(second, "accepted")
        assert (await rig.row(first)).state == "sending"
        gate.set()
        await rig.becomes(first, "accepted")


async def test_a_fault_of_the_server_in_words_is_tried_again(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.faults.extend([Fault(500, 131000), Fault(503, 131016)])
    async with rig.dispatching():
        await rig.handle(message)
        for _ in range(2):
            await rig.becomes(message, "queued")
            await asyncio.sleep(0.1)
            await rig.pass_time(timedelta(seconds=10))
        row = await rig.becomes(message, "accepted")
    assert row.tries == 3
