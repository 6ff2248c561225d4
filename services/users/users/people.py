"""A person as this service knows them, and the only ways in which their state may change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from common.events import (
    Channel,
    Contact,
    Event,
    Language,
    Preferences,
    Track,
    UserChanged,
    UserDeleted,
    UserOptedOut,
    UserRegistered,
    UserState,
    UserView,
)
from common.ids import UserId, derived_id
from users.errors import StateMoveForbidden
from users.identity import is_number

BY_PROGRESS: tuple[UserState, ...] = (
    *("active", "paused", "opted_out", "pending", "onboarding", "declined", "unknown"),
    *("merged", "deleted"),
)

MOVES: dict[UserState, frozenset[UserState]] = {
    "unknown": frozenset({"onboarding", "pending", "opted_out", "merged", "deleted"}),
    "onboarding": frozenset({"active", "pending", "declined", "opted_out", "merged", "deleted"}),
    "pending": frozenset({"active", "opted_out", "merged", "deleted"}),
    "active": frozenset({"paused", "opted_out", "merged", "deleted"}),
    "paused": frozenset({"active", "opted_out", "merged", "deleted"}),
    "declined": frozenset({"onboarding", "merged", "deleted"}),
    "opted_out": frozenset({"active", "onboarding", "merged", "deleted"}),
    "merged": frozenset(BY_PROGRESS) - {"merged"},
    "deleted": frozenset(),
}

CONFIRMATION_EVERY = timedelta(days=30)
"""A stranger who types somebody's number into the web form can annoy them once in this time."""

STILL_STOPPED_EVERY = timedelta(hours=24)
NAME_LENGTH = 100


@dataclass(frozen=True)
class Person:
    id: UserId
    state: UserState
    language: Language
    created_at: datetime
    updated_at: datetime
    revision: int = 0
    name: str | None = None
    tracks: tuple[Track, ...] = ()
    level: int | None = None
    timezone: str | None = None
    time_of_day: str | None = None
    paused_until: datetime | None = None
    channel: Channel = "cloud"
    address: str | None = None
    consented_at: datetime | None = None
    last_confirmation_at: datetime | None = None
    last_still_stopped_at: datetime | None = None
    paused_by: Literal["whatsapp"] | None = None
    """WhatsApp's own switch, which then also ends the pause."""
    preference_at: datetime | None = None
    """When that switch was last set, or overruled by a START."""
    merged_into: UserId | None = None

    @property
    def number(self) -> str | None:
        """None of somebody whose number is hidden from us."""
        return self.address if is_number(self.address) else None

    @property
    def preferences(self) -> Preferences | None:
        """None until everything that a daily question needs is known."""
        if not (self.tracks and self.level and self.timezone and self.time_of_day):
            return None
        return Preferences(
            tracks=self.tracks,
            level=self.level,
            timezone=self.timezone,
            time=self.time_of_day,
            paused_until=self.paused_until,
        )

    @property
    def contact(self) -> Contact:
        return Contact(
            user_id=self.id,
            revision=self.revision,
            state=self.state,
            language=self.language,
            channel=self.channel,
            address=self.address,
            name=self.name,
        )

    @property
    def view(self) -> UserView:
        return UserView(
            user_id=self.id,
            name=self.name,
            phone=f"+{self.number}" if self.number else None,
            state=self.state,
            language=self.language,
            preferences=self.preferences,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    @property
    def track_value(self) -> str:
        return ",".join(self.tracks)


@dataclass(frozen=True)
class Consent:
    """One row of the ledger: what was said, to which text, where, in which message."""

    is_granted: bool
    version: str
    channel: str
    source_id: UUID
    at: datetime


def moved(person: Person, state: UserState) -> Person:
    """Raises StateMoveForbidden when the table does not know the move."""
    if state == person.state:
        return person
    if state not in MOVES[person.state]:
        raise StateMoveForbidden(person.state, state)
    return replace(person, state=state)


def rank(person: Person) -> tuple[int, datetime]:
    """Who got furthest comes first; of two who got as far, the older."""
    return BY_PROGRESS.index(person.state), person.created_at


def opted_out(person: Person) -> Person:
    return replace(
        moved(person, "opted_out"), consented_at=None, last_still_stopped_at=None, paused_by=None
    )


def restarted(person: Person, now: datetime) -> Person:
    """Their own word counts for more than an earlier use of WhatsApp's switch."""
    return replace(moved(person, "active"), paused_until=None, paused_by=None, preference_at=now)


def preferring(person: Person, at: datetime, *, is_wanted: bool) -> Person:
    """After WhatsApp's own switch was set `at` that time; news of it may come late and twice."""
    last = person.preference_at
    if last is not None and (at < last or (at == last and is_wanted)):
        return person
    told = replace(person, preference_at=at)
    if is_wanted and person.state == "paused" and person.paused_by == "whatsapp":
        return replace(moved(told, "active"), paused_by=None)
    if not is_wanted and person.state == "active":
        return replace(moved(told, "paused"), paused_by="whatsapp")
    return told


def merged(person: Person, winner: Person) -> Person:
    """The profile stays, in case that the merge is taken back."""
    return replace(moved(person, "merged"), merged_into=winner.id)


def united(winner: Person, losers: Sequence[Person]) -> Person:
    """Whatever any of them has stopped stays stopped."""
    if any(person.state == "opted_out" for person in losers) and winner.state != "opted_out":
        return opted_out(winner)
    stopped_at = [p.preference_at for p in losers if p.paused_by == "whatsapp" and p.preference_at]
    return preferring(winner, max(stopped_at), is_wanted=False) if stopped_at else winner


def restored(row: Person, before: Person, winner: Person) -> Person:
    """A merged person as they were `before`; what the person they were part of has stopped
    meanwhile is stopped for them too."""
    state = moved(row, before.state).state
    back = replace(before, state=state, revision=row.revision, updated_at=row.updated_at)
    if winner.state == "opted_out":
        return opted_out(back) if "opted_out" in MOVES[state] else back
    if winner.paused_by == "whatsapp" and winner.preference_at is not None:
        return preferring(back, winner.preference_at, is_wanted=False)
    return back


def deleted(person: Person) -> Person:
    """A tombstone: later news can tell that it is older than the deletion, nothing else stays."""
    return Person(
        id=person.id,
        state=moved(person, "deleted").state,
        language=person.language,
        created_at=person.created_at,
        updated_at=person.updated_at,
        revision=person.revision,
        channel=person.channel,
    )


def without_profile(person: Person) -> Person:
    return replace(
        person,
        name=None,
        tracks=(),
        level=None,
        timezone=None,
        time_of_day=None,
        paused_until=None,
        consented_at=None,
    )


def clean_name(name: str | None) -> str | None:
    """A name on one line; None when nothing of it is left."""
    shown = "".join(c if c.isprintable() else " " for c in name or "")
    return " ".join(shown.split())[:NAME_LENGTH] or None


def may_confirm(person: Person, now: datetime) -> bool:
    last = person.last_confirmation_at
    return last is None or now - last >= CONFIRMATION_EVERY


def may_say_still_stopped(person: Person, now: datetime) -> bool:
    last = person.last_still_stopped_at
    return last is None or now - last >= STILL_STOPPED_EVERY


def is_published_change(before: Person, after: Person) -> bool:
    return before.contact != after.contact or before.preferences != after.preferences


def signup_date(person: Person, at: datetime) -> str:
    """The local date as the person writes it; English has no one order of numbers."""
    local = at.astimezone(ZoneInfo(person.timezone or "UTC"))
    return (
        f"{local:%b} {local.day}, {local.year}" if person.language == "en" else f"{local:%d/%m/%Y}"
    )


def announcements(before: Person, after: Person, source: str, now: datetime) -> Iterator[Event]:
    """What others are told when `before` has become `after`, which holds the new revision."""
    yield UserChanged(
        message_id=derived_id("user-changed", after.id, after.revision),
        occurred_at=now,
        user_id=after.id,
        contact=after.contact,
        preferences=after.preferences,
    )
    if before.state == after.state or after.state == "merged":
        return
    if before.state == "merged" and after.state != "deleted":
        return
    name = derived_id("state", after.state, after.id, after.revision)
    if after.state == "opted_out":
        yield UserOptedOut(message_id=name, occurred_at=now, user_id=after.id, source=source)
    elif after.state == "deleted":
        yield UserDeleted(message_id=name, occurred_at=now, user_id=after.id)
    elif after.state == "pending" or (before.state, after.state) == ("onboarding", "active"):
        yield UserRegistered(message_id=name, occurred_at=now, user_id=after.id, source=source)
