"""What WhatsApp calls people, as it says when it takes a message."""

from uuid import UUID

import pytest

from common.events import UserChanged, UserDeleted
from common.ids import UserId

from .conftest import Rig


async def learned(rig: Rig) -> list[tuple[str | None, str | None]]:
    events = (await rig.events()).named("learn_aliases")
    return [(e["sender"].get("wa_id"), e["sender"].get("business_scoped_id")) for e in events]


async def say(rig: Rig, user: UUID, times: int = 1) -> None:
    async with rig.dispatching():
        for _ in range(times):
            message = rig.send(user)
            await rig.handle(message)
            await rig.becomes(message, "accepted")


async def test_names_that_we_used_are_no_news(rig: Rig, user: UUID) -> None:
    await rig.know(user)
    await say(rig, user)
    assert await learned(rig) == []


async def test_another_number_is_told_once(rig: Rig, user: UUID) -> None:
    """Brazil: the dialled number has a ninth digit that WhatsApp's own name has not."""
    rig.whatsapp.names = {"5511987654321": {"wa_id": "551187654321"}}
    await rig.know(user)
    await say(rig, user, times=3)
    assert await learned(rig) == [("551187654321", None)]


async def test_a_business_scoped_id_is_told_once_and_again_when_it_changes(
    rig: Rig, user: UUID
) -> None:
    rig.whatsapp.names = {"5511987654321": {"wa_id": "5511987654321", "user_id": "BR.1"}}
    await rig.know(user)
    await say(rig, user, times=2)
    rig.whatsapp.names["5511987654321"]["user_id"] = "BR.2"
    await say(rig, user)
    assert await learned(rig) == [("5511987654321", "BR.1"), ("5511987654321", "BR.2")]


async def test_somebody_without_a_number_is_written_to_by_their_id(rig: Rig, user: UUID) -> None:
    rig.whatsapp.names = {"BR.150212345": {"user_id": "BR.150212345"}}
    contact = rig.person(user, address="BR.150212345")
    changed = UserChanged(occurred_at=rig.clock.now(), user_id=UserId(user), contact=contact)
    await rig.handle(changed)
    await rig.handle(rig.inbound(user))
    await say(rig, user)
    assert rig.whatsapp.sent[0]["recipient"] == "BR.150212345"
    assert "to" not in rig.whatsapp.sent[0]
    assert await learned(rig) == []


@pytest.mark.parametrize("is_late", [False, True])
async def test_nothing_is_learned_of_somebody_who_is_forgotten(
    rig: Rig, user: UUID, is_late: bool
) -> None:
    rig.whatsapp.names = {"5511987654321": {"wa_id": "551187654321"}}
    await rig.know(user)
    if not is_late:
        await say(rig, user)
    await rig.handle(UserDeleted(occurred_at=rig.clock.now(), user_id=UserId(user)))
    [row] = await rig.rows("SELECT learned_names FROM messenger.contacts")
    assert row.learned_names is None
