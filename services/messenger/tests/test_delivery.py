from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.events import InboundRef, NoticeReceived, StatusReceived, UserChanged, UserDeleted
from common.ids import UserId
from messenger.delivery import RANKS, Tracked, apply_status, merge, news

from .conftest import START, Rig

STATUSES = ("sent", "failed", "delivered", "read")


def settled(order: tuple[str, ...]) -> str:
    state = "accepted"
    for status in order:
        state = merge(state, status)
    return state


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_order_of_statuses_does_not_matter(size: int) -> None:
    for told in permutations(STATUSES, size):
        for order in permutations(told):
            assert settled(order) == settled(told)
            assert settled((*order, *order)) == settled(order)


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_a_state_never_goes_back_and_each_thing_is_told_once(statuses: list[str]) -> None:
    tracked = Tracked(uuid4(), uuid4(), "skipped", "accepted", START, accepted_at=START)
    told: list[str] = []
    for word in statuses:
        after = apply_status(tracked, status_of(word), START)
        assert RANKS[after.state] >= RANKS[tracked.state]
        told += [type(event).__name__ for event in news(tracked, after, START)]
        tracked = after
    assert len(told) == len(set(told))


def status_of(word: str, provider_id: str = "wamid.1") -> StatusReceived:
    return StatusReceived(
        occurred_at=START,
        channel="cloud",
        number_id="1",
        provider_id=provider_id,
        status=word,
        status_at=START,
    )


async def test_statuses_in_any_order_and_twice_make_one_delivery(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
    for word in ("read", "delivered", "sent", "read", "sent", "strange"):
        await rig.handle(rig.status(row.provider_id, word))
    batch = [rig.status(row.provider_id, word) for word in ("sent", "delivered", "read")]
    await rig.handle(*batch)
    row = await rig.row(message)
    assert row.state == "read"
    assert None not in (row.sent_at, row.delivered_at, row.read_at)
    assert len((await rig.events()).named("message.delivered")) == 1


async def test_a_failure_is_told_once_and_yields_to_proof_of_arrival(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
    for _ in range(2):
        await rig.handle(rig.status(row.provider_id, "failed", code=131026))
    await rig.handle(rig.status(row.provider_id, "sent"))
    assert (await rig.row(message)).state == "failed"
    await rig.handle(rig.status(row.provider_id, "delivered"))
    assert (await rig.row(message)).state == "delivered"
    events = await rig.events()
    assert [event["reason"] for event in events.named("message.failed")] == ["whatsapp_131026"]
    assert len(events.named("message.delivered")) == 1


async def test_a_status_that_comes_before_our_own_record_is_kept_and_merged(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    await rig.handle(rig.status("wamid.1", "delivered"), rig.status("wamid.9", "sent"))
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "accepted")
    await rig.sweeper.sweep()
    assert (await rig.row(message)).state == "delivered"
    [left] = await rig.rows("SELECT provider_id FROM messenger.early_statuses")
    assert left.provider_id == "wamid.9"
    rig.clock.advance(timedelta(days=2))
    await rig.sweeper.sweep()
    assert await rig.rows("SELECT 1 FROM messenger.early_statuses") == []


async def test_a_status_with_our_tracker_may_come_before_the_answer_to_the_call(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.send(user)
    rig.whatsapp.delay = 0.2
    async with rig.dispatching():
        await rig.handle(message)
        await rig.becomes(message, "sending")
        await rig.handle(rig.status("wamid.1", "sent", tracker=message.message_id))
        assert (await rig.row(message)).state == "sent"
    assert (await rig.row(message)).state == "sent"
    assert len((await rig.events()).named("message.accepted")) == 1


async def test_a_question_that_fails_later_for_the_window_leaves_as_template_once(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user)
    message = rig.question(user)
    async with rig.dispatching():
        await rig.handle(message)
        first = await rig.becomes(message, "accepted")
        refused = rig.status(first.provider_id, "failed", tracker=message.message_id, code=131047)
        again = refused.model_copy(update={"message_id": uuid4()})
        await rig.handle(refused)
        second = await rig.becomes(message, "accepted")
        await rig.handle(again)
    assert rig.whatsapp.kinds() == ["interactive", "template"]
    assert (await rig.row(message)).state == "accepted"
    assert second.provider_id != first.provider_id
    await rig.handle(rig.status(second.provider_id, "delivered"))
    assert (await rig.row(message)).state == "delivered"
    events = await rig.events()
    assert [e["is_template"] for e in events.named("message.accepted")] == [False, True]
    assert events.named("message.failed") == []


async def test_a_reply_that_fails_later_for_the_window_has_failed(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    message = rig.send(user)
    async with rig.dispatching():
        await rig.handle(message)
        row = await rig.becomes(message, "accepted")
        await rig.handle(rig.status(row.provider_id, "failed", code=131047))
    row = await rig.row(message)
    assert (row.state, row.reason, len(rig.whatsapp.sent)) == ("failed", "window_closed", 1)


async def test_other_news_is_kept_as_it_came(rig: Rig) -> None:
    notice = NoticeReceived(
        occurred_at=START, channel="cloud", field="security", original='{"a": "\\u00e9"}'
    )
    status = rig.status("wamid.0", "sent", tracker=None)
    await rig.handle(status, notice)
    [row] = await rig.rows("SELECT field, original FROM messenger.notices")
    assert (row.field, row.original) == ("security", notice.original)


async def test_a_tracker_that_is_not_ours_does_no_harm(rig: Rig) -> None:
    strange = rig.status("wamid.0", "sent").model_copy(update={"tracker": "not a uuid"})
    await rig.handle(strange)
    assert len(await rig.rows("SELECT 1 FROM messenger.early_statuses")) == 1


async def test_nothing_of_a_deleted_person_is_left_or_comes_back(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    sent, waiting = rig.send(user), rig.question(user)
    async with rig.dispatching():
        await rig.handle(sent)
        row = await rig.becomes(sent, "accepted")
    await rig.handle(waiting)
    await rig.handle(UserDeleted(occurred_at=START, user_id=UserId(user)))
    await rig.know(user, revision=7)
    late = rig.send(user, "stop_or_answer", values={"text": "secret", "a": "1"})
    await rig.handle(late)
    async with rig.dispatching():
        await rig.becomes(late, "suppressed")
    await rig.handle(rig.status(row.provider_id, "delivered", tracker=sent.message_id))
    [contact] = await rig.rows("SELECT * FROM messenger.contacts")
    assert (contact.state, contact.address, contact.name) == ("deleted", None, None)
    left = await rig.rows('SELECT "values" AS words, provider_id FROM messenger.messages')
    assert {str(message.words) for message in left} == {"{}"}
    assert {message.provider_id for message in left} == {None}
    assert len(rig.whatsapp.sent) == 1


async def test_older_news_of_a_person_is_ignored(rig: Rig, user: UUID) -> None:
    await rig.know(user, "opted_out", revision=5)
    old = rig.person(user, "active", revision=4)
    await rig.handle(UserChanged(occurred_at=START, user_id=UserId(user), contact=old))
    [contact] = await rig.rows("SELECT state, revision FROM messenger.contacts")
    assert (contact.state, contact.revision) == ("opted_out", 5)


@pytest.mark.parametrize("at_once", [True, False])
async def test_of_two_numbers_in_one_second_the_one_heard_of_last_counts(
    rig: Rig, user: UUID, at_once: bool
) -> None:
    await rig.know(user, wrote=False)
    news = [
        rig.inbound(user).model_copy(
            update={"inbound": InboundRef(provider_id=number, at=START, number_id=number)}
        )
        for number in ("first", "second")
    ]
    for batch in [news] if at_once else [[one] for one in news]:
        await rig.handle(*batch)
    [contact] = await rig.rows("SELECT last_inbound_number FROM messenger.contacts")
    assert contact.last_inbound_number == "second"
