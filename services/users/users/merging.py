"""Two people who are found to be one, and what it takes to have them back as two."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from common.clock import Clock
from common.database import Database
from common.errors import CommandRefused
from common.events import ReverseMerge, UserMerged, UserView
from common.ids import derived_id
from users import metrics, people
from users.errors import MergeMovedOn
from users.identity import NUMBER_KINDS, canonical_number, is_number
from users.merge_store import MergeOfPeople, Snapshot
from users.occasion import Occasion
from users.people import Consent, Person
from users.store import Store

NOT_HEARD_YET = frozenset({"unknown", "pending"})
"""States of somebody who may never have written: the chat of the other one is where they are."""

PURGE_EVERY = timedelta(minutes=10)
LOOK = 1.0  # seconds of real time between two looks at the clock, which may be a simulated one
BATCH = 100


async def unite(
    found: Sequence[Person], store: Store, occasion: Occasion, source: str
) -> Person | None:
    """The one who got furthest stays, and a STOP of either counts. All of `found` are locked.

    None when an operator has said of some of them that they are not the same.
    """
    if await store.merges.are_kept_apart([person.id for person in found]):
        return None
    winner, *losers = sorted(found, key=people.rank)
    for loser in losers:
        await _merge(loser, winner, store, occasion, source)
    after = _where_heard(people.united(winner, losers), losers)
    after = await store.record(winner, after, source=source, now=occasion.now)
    if after.state != winner.state:
        await record_stop(after, store, occasion)
    return after


async def _merge(
    loser: Person, winner: Person, store: Store, occasion: Occasion, source: str
) -> None:
    snapshot = await store.merges.move_all(winner, loser)
    gone = people.merged(loser, winner)
    gone = await store.record(loser, gone, source=source, now=occasion.now)
    await store.merges.add(snapshot, source, occasion.now)
    store.publish(
        UserMerged(
            message_id=derived_id("merged", gone.id, gone.revision),
            occurred_at=occasion.now,
            user_id=gone.id,
            into=winner.id,
        )
    )
    metrics.MERGES.labels("merged").inc()


def _where_heard(winner: Person, losers: Sequence[Person]) -> Person:
    writing = [person for person in losers if person.state not in NOT_HEARD_YET and person.address]
    if winner.state not in NOT_HEARD_YET or not writing:
        return winner
    last = max(writing, key=lambda person: person.updated_at)
    return replace(winner, channel=last.channel, address=last.address)


async def record_stop(person: Person, store: Store, occasion: Occasion) -> None:
    stop = Consent(False, occasion.policy_version, occasion.channel, occasion.id, occasion.now)
    await store.record_consent(person, stop)


async def reverse_merge(command: ReverseMerge, store: Store, occasion: Occasion) -> UserView:
    merge = await store.merges.find_last(command.user_id)
    snapshot = _reversible(merge, occasion.now)
    assert merge is not None
    winner, row = await store.lock(merge.winner), await store.lock(merge.loser)
    if winner is None or row is None or await store.merges.find_last(merge.loser) != merge:
        raise MergeMovedOn
    back = people.restored(row, snapshot.loser, winner)
    await store.merges.give_back(merge, snapshot)
    after = await store.record(row, back, source=command.source, now=occasion.now)
    if snapshot.dialogue is not None and back.state == snapshot.loser.state:
        await store.keep_dialogue(after.id, snapshot.dialogue)
    if after.state == "opted_out" != snapshot.loser.state:
        await record_stop(after, store, occasion)
    await _send_home(winner, snapshot.winner, store, occasion, command.source)
    await store.merges.record_reversal(merge.id, command.source, occasion.now)
    metrics.MERGES.labels("reversed").inc()
    return after.view


def _reversible(merge: MergeOfPeople | None, now: datetime) -> Snapshot:
    if merge is None:
        raise CommandRefused("user_not_found", "nobody with this id was merged")
    if merge.reversed_at is not None:
        raise CommandRefused("merge_reversed", "this merge was taken back already")
    if merge.snapshot is None or now >= merge.reversible_until:
        raise CommandRefused("merge_final", "this merge can no longer be taken back")
    return merge.snapshot


async def _send_home(
    winner: Person, before: Person, store: Store, occasion: Occasion, source: str
) -> None:
    """When the address went back, the winner is written to where they were before the merge."""
    names = (await store.get_circumstances(winner.id)).names
    own = {canonical_number(v) if kind in NUMBER_KINDS else v for kind, v in names}
    address = winner.address
    if address is None or (canonical_number(address) if is_number(address) else address) in own:
        return
    after = replace(winner, channel=before.channel, address=before.address)
    await store.record(winner, after, source=source, now=occasion.now)


@dataclass
class Purge:
    """Forgets those whose merge can no longer be taken back. Safe on every replica."""

    database: Database
    clock: Clock
    _last_at: datetime | None = field(default=None)

    async def run(self) -> None:
        while True:
            now = self.clock.now()
            if self._last_at is None or not timedelta() <= now - self._last_at < PURGE_EVERY:
                await self.purge()
                self._last_at = now
            await asyncio.sleep(LOOK)

    async def purge(self) -> int:
        """Returns how many were forgotten."""
        now, total = self.clock.now(), 0
        while expired := await self._expired(now):
            forgotten = sum([await self._forget(merge, now) for merge in expired])
            total += forgotten
            if not forgotten:
                break  # another replica is at it
        return total

    async def _expired(self, now: datetime) -> list[MergeOfPeople]:
        async with self.database.transaction() as transaction:
            return await Store(transaction).merges.expired(now, BATCH)

    async def _forget(self, merge: MergeOfPeople, now: datetime) -> bool:
        async with self.database.transaction() as transaction:
            store = Store(transaction)
            await store.lock(merge.winner)
            loser = await store.lock(merge.loser)
            if loser is None or await store.merges.find_last(merge.loser) != merge:
                return False
            await store.record(loser, people.deleted(loser), source="merge", now=now)
        metrics.MERGES.labels("forgotten").inc()
        return True
