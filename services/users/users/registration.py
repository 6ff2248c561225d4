"""Commands from the web and the admin pages: register, change, unsubscribe, delete."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from common.errors import CommandRefused
from common.events import (
    ChangeUser,
    Channel,
    DeleteUser,
    Preferences,
    RegisterUser,
    SendMessage,
    UnsubscribeUser,
    UserRegistration,
    UserView,
)
from common.ids import UserId, derived_id
from users import metrics, people
from users.identity import canonical_number, phone_alias
from users.people import CONFIRMATION_EVERY, Consent, Person
from users.store import Store
from users.times import is_time
from users.zones import is_zone

E164 = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
MAY_SIGN_UP = frozenset({"unknown", "onboarding", "pending"})
"""Whoever is further than this has said so in the chat; a web form may not speak for them."""


async def register_user(
    command: RegisterUser, store: Store, now: datetime, channel: Channel = "cloud"
) -> UserRegistration:
    """Somebody new is reached on `channel` until they have written on another."""
    check_registration(command)
    alias = phone_alias(command.phone)
    fresh = replace(_person_of(command, alias.value, now), channel=channel)
    if not await store.find_by_alias([alias]) and await store.is_taken(command.user_id):
        raise CommandRefused("not_allowed", "user_id: it belongs to somebody else")
    person = (await store.get_or_create([alias], fresh))[0]
    is_new = person.id == command.user_id and not person.revision
    if person.state in MAY_SIGN_UP:
        person = await _sign_up(person, command, store, now)
    metrics.REGISTRATIONS.labels("new" if is_new else "known").inc()
    return UserRegistration(user_id=person.id, is_new=is_new, state=person.state)


def _person_of(command: RegisterUser, address: str, now: datetime) -> Person:
    return Person(
        id=command.user_id,
        state="unknown",
        language=command.language,
        created_at=now,
        updated_at=now,
        address=address,
    )


async def _sign_up(person: Person, command: RegisterUser, store: Store, now: datetime) -> Person:
    wanted = command.preferences
    is_blocked = await store.is_signup_blocked(number_hash(command.phone), now)
    is_confirmed_now = people.may_confirm(person, now) and not is_blocked
    signed_up = replace(
        people.moved(person, "pending"),
        name=people.clean_name(command.name) or person.name,
        language=command.language,
        tracks=tuple(dict.fromkeys(wanted.tracks)),
        level=wanted.level,
        timezone=wanted.timezone,
        time_of_day=wanted.time,
        consented_at=now,
        last_confirmation_at=now if is_confirmed_now else person.last_confirmation_at,
    )
    after = await store.record(person, signed_up, source=command.source, now=now)
    await store.record_consent(
        after,
        Consent(True, command.consent_version, command.source, command.message_id, now),
    )
    if person.state != "pending":
        await store.end_dialogue(after.id)
    if is_confirmed_now:
        store.publish(_confirmation(after, command, now))
    return after


def _confirmation(person: Person, command: RegisterUser, now: datetime) -> SendMessage:
    return SendMessage(
        message_id=derived_id("confirm-signup", command.message_id),
        occurred_at=now,
        user_id=person.id,
        kind="confirm_signup",
        values={"date": people.signup_date(person, now)},
        purpose="signup",
        contact=person.contact,
    )


async def change_user(command: ChangeUser, store: Store, now: datetime) -> UserView:
    check_change(command)
    person = await _get(command.user_id, store)
    is_named = command.name is not None
    changed = replace(
        person,
        name=people.clean_name(command.name) if is_named else person.name,
        language=command.language or person.language,
        tracks=tuple(dict.fromkeys(command.tracks or person.tracks)),
        level=command.level or person.level,
        timezone=command.timezone or person.timezone,
        time_of_day=command.time or person.time_of_day,
    )
    return (await store.record(person, changed, source="api", now=now)).view


async def unsubscribe_user(
    command: UnsubscribeUser, store: Store, now: datetime, policy_version: str
) -> UserView:
    """As a STOP, but nothing is said in the chat. Somebody who is out already stays as they are."""
    person = await _get(command.user_id, store)
    if person.state in ("opted_out", "declined"):
        return person.view
    after = await store.record(person, people.opted_out(person), source=command.source, now=now)
    await store.record_consent(
        after, Consent(False, policy_version, command.source, command.message_id, now)
    )
    await store.end_dialogue(after.id)
    metrics.OPT_OUTS.labels("command").inc()
    return after.view


async def delete_user(command: DeleteUser, store: Store, now: datetime) -> UserView:
    person = await _get(command.user_id, store)
    after = await store.record(person, people.deleted(person), source=command.source, now=now)
    return after.view


async def block_numbers(numbers: Iterable[str], store: Store, now: datetime) -> None:
    """After a "not me" the row that remembers the last confirmation is gone."""
    for hashed in sorted({number_hash(number) for number in numbers}):
        await store.block_signup(hashed, now + CONFIRMATION_EVERY)


def number_hash(number: str) -> str:
    return hashlib.sha256(f"signup:{canonical_number(number)}".encode()).hexdigest()


async def _get(user_id: UserId, store: Store) -> Person:
    person = await store.find(user_id)
    if person is None:
        raise CommandRefused("user_not_found", "nobody has this id")
    return person


def check_registration(command: RegisterUser) -> None:
    """Raises CommandRefused naming the field, never repeating its value."""
    _require(E164.fullmatch(command.phone) is not None, "phone: not in the form +5511987654321")
    _require(bool(command.consent_version.strip()), "consent_version: missing")
    wanted: Preferences = command.preferences
    _require(bool(wanted.tracks), "tracks: choose at least one")
    _check_preferences(wanted.level, wanted.timezone, wanted.time)


def check_change(command: ChangeUser) -> None:
    _require(command.tracks is None or bool(command.tracks), "tracks: choose at least one")
    _check_preferences(command.level, command.timezone, command.time)


def _check_preferences(level: int | None, timezone: str | None, time: str | None) -> None:
    _require(level is None or 1 <= level <= 3, "level: 1, 2 or 3")
    _require(timezone is None or is_zone(timezone), "timezone: not a name such as Europe/Lisbon")
    _require(time is None or is_time(time), "time: not in the form HH:MM")


def _require(is_met: bool, detail: str) -> None:
    if not is_met:
        raise CommandRefused("invalid", detail)
