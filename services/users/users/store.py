"""Every query of the schema, and the messages that leave with the same transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, false, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql

from common.database import Transaction
from common.events import Message, UserState
from common.ids import AssignmentId, UserId, new_id
from users.dialogues import Dialogue
from users.errors import PersonKeepsVanishing
from users.identity import NUMBER_KINDS, Alias, AliasKind
from users.merge_store import MergeStore
from users.models import BlockedSignup, ConsentRow, DialogueRow, Identity, Merge, OpenQuestion, User
from users.people import Consent, Person, announcements, deleted, is_published_change

DAILY_QUESTION = "daily_question"
VANISHING_LIMIT = 5
QuestionNews = tuple[AssignmentId, UserId, datetime]
"""Written in the order of the assignments, so that two replicas never wait for each other."""

COLUMNS = tuple(getattr(User, field.name) for field in fields(Person))

SELECT_PEOPLE = f"SELECT {', '.join(field.name for field in fields(Person))} FROM users.users"  # noqa: S608
NAMED = """(kind_group, canonical) IN (
    SELECT * FROM unnest(CAST(:groups AS text[]), CAST(:canonicals AS text[])))"""
BEARERS = f"SELECT user_id FROM users.identities WHERE until IS NULL AND {NAMED}"  # noqa: S608

LOCK_BEARERS = text(f"{SELECT_PEOPLE} WHERE id IN ({BEARERS}) ORDER BY id FOR UPDATE")

LOCK_WITH_BEARERS = text(
    f"""
    {SELECT_PEOPLE} WHERE id IN (
        SELECT COALESCE(merged_into, id) FROM users.users WHERE id = :user_id
        UNION {BEARERS})
    ORDER BY id FOR UPDATE
    """  # noqa: S608
)

LOCK_CURRENT = text(
    f"""
    {SELECT_PEOPLE} WHERE id = (
        SELECT COALESCE(merged_into, id) FROM users.users WHERE id = :user_id)
    FOR UPDATE
    """  # noqa: S608
)

# A name that passed on twice belonged, at that time, to whoever lost it first after it.
FIND_FORMER = text(
    f"""
    SELECT user_id FROM users.identities WHERE until > :at AND {NAMED}
    ORDER BY until LIMIT 1
    """  # noqa: S608
)

RETIRE = text(
    f"""
    UPDATE users.identities SET until = :until
    WHERE user_id = :user_id AND until IS NULL AND {NAMED}
    """  # noqa: S608
)

# A statement of its own: joined to the one that locks, it would show what held before the wait.
CIRCUMSTANCES = text(
    """
    SELECT dialogue.step, dialogue.expires_at, dialogue.data,
        (SELECT assignment_id FROM users.open_questions
         WHERE user_id = person.id AND closed_at IS NULL
         ORDER BY assigned_at DESC LIMIT 1) AS open_question,
        ARRAY(SELECT ARRAY[kind, value] FROM users.identities
              WHERE user_id = person.id AND until IS NULL ORDER BY since DESC, id DESC) AS names
    FROM (VALUES (CAST(:user_id AS uuid))) AS person (id)
    LEFT JOIN users.dialogues AS dialogue ON dialogue.user_id = person.id
    """
)


@dataclass(frozen=True)
class Circumstances:
    """What there is about a person beside themselves. The dialogue may have expired."""

    dialogue: Dialogue | None
    open_question: AssignmentId | None
    names: tuple[tuple[AliasKind, str], ...]
    """The newest first."""

    @property
    def numbers(self) -> list[str]:
        return [value for kind, value in self.names if kind in NUMBER_KINDS]

    def dialogue_at(self, now: datetime) -> Dialogue | None:
        return self.dialogue if self.dialogue and self.dialogue.expires_at > now else None

    def unknown_of(self, aliases: Sequence[Alias]) -> list[Alias]:
        return [alias for alias in aliases if (alias.kind, alias.value) not in self.names]


class Store:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    @property
    def merges(self) -> MergeStore:
        return MergeStore(self._connection)

    def publish(self, message: Message) -> None:
        self._transaction.publish(message)

    # People

    async def get_or_create(self, aliases: Sequence[Alias], fresh: Person) -> list[Person]:
        """Everybody who bears one of `aliases`, locked, the oldest first: usually one person,
        more when two turn out to be the same. `fresh` is stored when there is nobody.

        A concurrent first message of the same person makes the insert wait, then find them.
        """
        for _ in range(VANISHING_LIMIT):
            if found := await self.find_by_alias(aliases):
                return found
            if await self._try_create(aliases, fresh):
                return [fresh]
        raise PersonKeepsVanishing

    async def find_by_alias(self, aliases: Sequence[Alias]) -> list[Person]:
        """Whoever bears one of `aliases`, locked, the oldest first."""
        return _oldest_first(await self._connection.execute(LOCK_BEARERS, _names(aliases)))

    async def find_with_bearers(self, user_id: UserId, aliases: Sequence[Alias]) -> list[Person]:
        """The person and whoever bears one of `aliases`, locked, the oldest first."""
        values = {"user_id": user_id, **_names(aliases)}
        return _oldest_first(await self._connection.execute(LOCK_WITH_BEARERS, values))

    async def find_former(self, aliases: Sequence[Alias], at: datetime) -> UserId | None:
        """Who was called so `at` that time, of those who are called so no longer."""
        values = {"at": at, **_names(aliases)}
        row = (await self._connection.execute(FIND_FORMER, values)).first()
        return row.user_id if row is not None else None

    async def bears(self, user_id: UserId, aliases: Sequence[Alias]) -> bool:
        return await self._is_there(user_id, aliases, Identity.until.is_(None))

    async def has_borne(self, user_id: UserId, aliases: Sequence[Alias]) -> bool:
        return await self._is_there(user_id, aliases, Identity.until.is_not(None))

    async def _is_there(
        self, user_id: UserId, aliases: Sequence[Alias], condition: ColumnElement[bool]
    ) -> bool:
        is_named = or_(false(), *map(_is_named, aliases))
        query = select(Identity.id).where(Identity.user_id == user_id, condition, is_named)
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def _try_create(self, aliases: Sequence[Alias], fresh: Person) -> bool:
        added = await self._connection.execute(
            postgresql.insert(User)
            .values(_values(fresh))
            .on_conflict_do_nothing(index_elements=[User.id])
            .returning(User.id)
        )
        if added.first() is None:
            return False
        if await self._add_identities(aliases, fresh.id, fresh.created_at) == len(aliases):
            return True
        await self._connection.execute(delete(User).where(User.id == fresh.id))
        return False

    async def _add_identities(
        self, aliases: Sequence[Alias], user_id: UserId, since: datetime
    ) -> int:
        rows = [
            {
                "id": new_id(),
                "user_id": user_id,
                "kind_group": alias.group,
                "kind": alias.kind,
                "value": alias.value,
                "canonical": alias.canonical,
                "since": since,
            }
            for alias in sorted(aliases)
        ]
        added = await self._connection.execute(
            postgresql.insert(Identity)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=[Identity.kind_group, Identity.canonical],
                index_where=Identity.until.is_(None),
            )
            .returning(Identity.id)
        )
        return len(added.all())

    async def learn_aliases(self, user_id: UserId, new: Sequence[Alias], now: datetime) -> None:
        """Keep what WhatsApp calls the person from now on; what it replaces becomes history."""
        await self.retire_aliases(user_id, new, now)
        await self._add_identities(new, user_id, now)

    async def retire_aliases(self, user_id: UserId, old: Sequence[Alias], until: datetime) -> None:
        values = {"user_id": user_id, "until": until, **_names(old)}
        await self._connection.execute(RETIRE, values)

    async def forget(self, user_id: UserId) -> None:
        """Everything that leads to the person; the consent ledger keeps the bare id."""
        for table in (Identity, DialogueRow, OpenQuestion):
            await self._connection.execute(delete(table).where(table.user_id == user_id))
        concerned = or_(Merge.loser == user_id, Merge.winner == user_id)
        await self._connection.execute(update(Merge).where(concerned).values(snapshot=None))

    async def is_taken(self, user_id: UserId) -> bool:
        query = select(User.id).where(User.id == user_id)
        return (await self._connection.execute(query)).first() is not None

    async def find(self, user_id: UserId) -> Person | None:
        """Locked, so that whoever else changes the same person waits. Of somebody who was merged
        it is the one they became."""
        for _ in range(VANISHING_LIMIT):
            row = (await self._connection.execute(LOCK_CURRENT, {"user_id": user_id})).first()
            if row is None or row.state == "deleted":
                return None
            if row.state != "merged":
                return _person(row)
        raise PersonKeepsVanishing

    async def lock(self, user_id: UserId) -> Person | None:
        """Whoever locks a merged person locks the one they became first."""
        query = select(*COLUMNS).where(User.id == user_id).with_for_update()
        row = (await self._connection.execute(query)).first()
        return _person(row) if row is not None else None

    async def record(self, before: Person, after: Person, *, source: str, now: datetime) -> Person:
        """Keep the person as they have become. What others may know gets the next revision."""
        if after == before and after.revision:
            return after
        if is_published_change(before, after) or not before.revision:
            after = replace(after, revision=before.revision + 1, updated_at=now)
            for announcement in announcements(before, after, source, now):
                self.publish(announcement)
        change = update(User).where(User.id == after.id).values(_values(after))
        await self._connection.execute(change)
        if after.state == "deleted":
            await self._delete_merged(after.id, source, now)
            await self.forget(after.id)
        return after

    async def _delete_merged(self, winner: UserId, source: str, now: datetime) -> None:
        query = select(*COLUMNS).where(User.merged_into == winner).order_by(User.id)
        for row in (await self._connection.execute(query.with_for_update())).all():
            await self.record(_person(row), deleted(_person(row)), source=source, now=now)

    async def record_consent(self, person: Person, consent: Consent) -> None:
        row = insert(ConsentRow).values(
            id=new_id(),
            user_id=person.id,
            purpose=DAILY_QUESTION,
            language=person.language,
            **asdict(consent),
        )
        await self._connection.execute(row)

    # Numbers whose owner said "not me"

    async def block_signup(self, number_hash: str, until: datetime) -> None:
        row = postgresql.insert(BlockedSignup).values(number_hash=number_hash, until=until)
        await self._connection.execute(
            row.on_conflict_do_update(
                index_elements=[BlockedSignup.number_hash], set_={"until": until}
            )
        )

    async def is_signup_blocked(self, number_hash: str, now: datetime) -> bool:
        await self._connection.execute(delete(BlockedSignup).where(BlockedSignup.until <= now))
        query = select(BlockedSignup.until).where(BlockedSignup.number_hash == number_hash)
        return (await self._connection.execute(query)).first() is not None

    # Conversations

    async def get_circumstances(self, user_id: UserId) -> Circumstances:
        row = (await self._connection.execute(CIRCUMSTANCES, {"user_id": user_id})).one()
        step, expires_at, data, open_question, names = row
        return Circumstances(
            Dialogue(step, expires_at, data) if step is not None else None,
            open_question,
            tuple((kind, value) for kind, value in names),
        )

    async def keep_dialogue(self, user_id: UserId, dialogue: Dialogue) -> None:
        state = {
            "step": dialogue.step,
            "expires_at": dialogue.expires_at,
            "data": dict(dialogue.data),
        }
        row = postgresql.insert(DialogueRow).values(user_id=user_id, **state)
        await self._connection.execute(
            row.on_conflict_do_update(index_elements=[DialogueRow.user_id], set_=state)
        )

    async def end_dialogue(self, user_id: UserId) -> None:
        await self._connection.execute(delete(DialogueRow).where(DialogueRow.user_id == user_id))

    async def open_questions(self, opened: Sequence[QuestionNews]) -> None:
        """One that is known to be closed stays closed."""
        rows = [
            {"assignment_id": a, "user_id": u, "assigned_at": at} for a, u, at in sorted(opened)
        ]
        if rows:
            row = postgresql.insert(OpenQuestion)
            await self._connection.execute(row.on_conflict_do_nothing(), rows)

    async def close_questions(
        self, closed: Sequence[QuestionNews], forget_before: datetime
    ) -> None:
        """Remembers the closed ones until `forget_before` has passed them."""
        if not closed:
            return
        row = postgresql.insert(OpenQuestion)
        await self._connection.execute(
            row.on_conflict_do_update(
                index_elements=[OpenQuestion.assignment_id],
                set_={"closed_at": row.excluded.closed_at},
            ),
            [{"assignment_id": a, "user_id": u, "closed_at": at} for a, u, at in sorted(closed)],
        )
        old = delete(OpenQuestion).where(OpenQuestion.closed_at < forget_before)
        await self._connection.execute(old)

    # Reads for others

    async def view(self, user_id: UserId) -> Person | None:
        query = select(*COLUMNS).where(User.id == user_id, User.state != "deleted")
        row = (await self._connection.execute(query)).first()
        return _person(row) if row is not None else None

    async def page(self, state: UserState | None, after: UserId | None, limit: int) -> list[Person]:
        query = select(*COLUMNS).order_by(User.id).limit(limit)
        query = query.where(
            User.state == state if state else User.state.not_in(["merged", "deleted"])
        )
        if after is not None:
            query = query.where(User.id > after)
        return [_person(row) for row in await self._connection.execute(query)]


def _is_named(alias: Alias) -> ColumnElement[bool]:
    return (Identity.kind_group == alias.group) & (Identity.canonical == alias.canonical)


def _names(aliases: Sequence[Alias]) -> dict[str, object]:
    return {
        "groups": [alias.group for alias in aliases],
        "canonicals": [alias.canonical for alias in aliases],
    }


def _oldest_first(rows: Iterable[Any]) -> list[Person]:
    people = [_person(row) for row in rows if row.state not in ("merged", "deleted")]
    return sorted(people, key=lambda person: person.created_at)


def _person(row: Sequence[Any]) -> Person:
    person = Person(*row)
    return replace(person, tracks=tuple(person.tracks))


def _values(person: Person) -> dict[str, object]:
    return cast("dict[str, object]", {**asdict(person), "tracks": list(person.tracks)})
