"""Every query about people who were taken for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, select, text, update

from common.connection import Connection
from common.events import MergeView
from common.ids import UserId, new_id
from users.dialogues import Dialogue
from users.models import DialogueRow, Identity, Merge, User
from users.people import Person

REVERSIBLE_FOR = timedelta(days=30)

# What the winner was called since the merge under a name that came with it goes back as well:
# the same number in another form, for instance.
GIVE_BACK = text(
    """
    UPDATE users.identities SET user_id = :loser
    WHERE user_id = :winner AND (id = ANY(CAST(:moved AS uuid[])) OR (
        since >= :merged_at AND (kind_group, canonical) IN (
            SELECT kind_group, canonical FROM users.identities
            WHERE id = ANY(CAST(:moved AS uuid[])) AND user_id = :winner)))
    """
)


@dataclass(frozen=True)
class Snapshot:
    """All that is needed to take a merge back."""

    winner: Person
    loser: Person
    identities: tuple[UUID, ...]
    """The rows that went to the winner."""
    absorbed: tuple[UUID, ...]
    """Earlier merges into the loser, which lead to the winner now."""
    dialogue: Dialogue | None = None


@dataclass(frozen=True)
class MergeOfPeople:
    id: UUID
    loser: UserId
    winner: UserId
    merged_at: datetime
    reversible_until: datetime
    reversed_at: datetime | None
    snapshot: Snapshot | None

    @property
    def view(self) -> MergeView:
        return MergeView(
            user_id=self.loser,
            into=self.winner,
            merged_at=self.merged_at,
            reversible_until=self.reversible_until,
            reversed_at=self.reversed_at,
        )


SNAPSHOT = TypeAdapter(Snapshot)
COLUMNS = (
    *(Merge.id, Merge.loser, Merge.winner, Merge.merged_at, Merge.reversible_until),
    *(Merge.reversed_at, Merge.snapshot),
)


class MergeStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def move_all(self, winner: Person, loser: Person) -> Snapshot:
        """Everything that leads to `loser` leads to `winner` afterwards."""
        return Snapshot(
            winner,
            loser,
            await self._give_identities(loser.id, winner.id),
            await self._absorb(loser.id, winner.id),
            await self._take_dialogue(loser.id),
        )

    async def _give_identities(self, loser: UserId, winner: UserId) -> tuple[UUID, ...]:
        owned = update(Identity).where(Identity.user_id == loser).values(user_id=winner)
        rows = await self._connection.execute(owned.returning(Identity.id))
        return tuple(row.id for row in rows)

    async def _absorb(self, loser: UserId, winner: UserId) -> tuple[UUID, ...]:
        people = update(User).where(User.merged_into == loser).values(merged_into=winner)
        await self._connection.execute(people)
        merges = update(Merge).where(Merge.winner == loser, Merge.reversed_at.is_(None))
        rows = await self._connection.execute(merges.values(winner=winner).returning(Merge.id))
        return tuple(row.id for row in rows)

    async def _take_dialogue(self, loser: UserId) -> Dialogue | None:
        taken = delete(DialogueRow).where(DialogueRow.user_id == loser)
        columns = (DialogueRow.step, DialogueRow.expires_at, DialogueRow.data)
        row = (await self._connection.execute(taken.returning(*columns))).first()
        return Dialogue(row.step, row.expires_at, row.data) if row is not None else None

    async def add(self, snapshot: Snapshot, source: str, now: datetime) -> None:
        row = insert(Merge).values(
            id=new_id(),
            loser=snapshot.loser.id,
            winner=snapshot.winner.id,
            source=source,
            merged_at=now,
            reversible_until=now + REVERSIBLE_FOR,
            snapshot=SNAPSHOT.dump_python(snapshot, mode="json"),
        )
        await self._connection.execute(row)

    async def find_last(self, loser: UserId) -> MergeOfPeople | None:
        query = select(*COLUMNS).where(Merge.loser == loser)
        query = query.order_by(Merge.merged_at.desc(), Merge.id.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        return _merge(row) if row is not None else None

    async def are_kept_apart(self, ids: Sequence[UserId]) -> bool:
        """Whether a merge of any two of them was taken back: it is not made again."""
        query = select(Merge.id).where(
            Merge.reversed_at.is_not(None), Merge.loser.in_(ids), Merge.winner.in_(ids)
        )
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def give_back(self, merge: MergeOfPeople, snapshot: Snapshot) -> None:
        ends = {"loser": merge.loser, "winner": merge.winner}
        moved = {"moved": list(snapshot.identities), "merged_at": merge.merged_at}
        await self._connection.execute(GIVE_BACK, {**ends, **moved})
        earlier = update(Merge).where(
            Merge.id.in_(snapshot.absorbed),
            Merge.winner == merge.winner,
            Merge.reversed_at.is_(None),
        )
        rows = await self._connection.execute(
            earlier.values(winner=merge.loser).returning(Merge.loser)
        )
        people = update(User).where(
            User.id.in_([row.loser for row in rows]), User.merged_into == merge.winner
        )
        await self._connection.execute(people.values(merged_into=merge.loser))

    async def record_reversal(self, merge_id: UUID, source: str, now: datetime) -> None:
        change = update(Merge).where(Merge.id == merge_id)
        done = {"reversed_at": now, "reversed_by": source, "snapshot": None}
        await self._connection.execute(change.values(done))

    async def expired(self, now: datetime, limit: int) -> list[MergeOfPeople]:
        query = select(*COLUMNS).where(Merge.snapshot.is_not(None), Merge.reversible_until <= now)
        query = query.order_by(Merge.reversible_until).limit(limit)
        return [_merge(row) for row in await self._connection.execute(query)]

    async def page(self, limit: int) -> list[MergeOfPeople]:
        query = select(*COLUMNS).order_by(Merge.merged_at.desc(), Merge.id.desc()).limit(limit)
        return [_merge(row) for row in await self._connection.execute(query)]


def _merge(row: Any) -> MergeOfPeople:
    values = {**row._mapping}
    stored = values.pop("snapshot")
    return MergeOfPeople(**values, snapshot=SNAPSHOT.validate_python(stored) if stored else None)
