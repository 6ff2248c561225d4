"""Who somebody is: found by any of their names, made one when two were the same, or new to us."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.events import LearnAliases, MessageReceived
from common.ids import UserId, new_id
from users import people
from users.errors import NamesJustTaken, SenderHasNoName
from users.identity import Alias, AliasKind, address_of, aliases_of, better_address
from users.keywords import language_of_words
from users.merging import unite
from users.occasion import Occasion
from users.people import Person
from users.store import Circumstances, Store
from users.zones import language_of_number

SILENT_KINDS = frozenset({"system", "edit", "revoke", "reaction"})
"""They open no window, and say nothing about where the person is to be reached."""

NAMED_STATES = frozenset({"onboarding", "pending", "active", "paused"})
Names = Sequence[tuple[AliasKind, str]]


@dataclass(frozen=True)
class Met:
    person: Person
    aliases: tuple[Alias, ...]
    """What the person is called today; nothing, when the message came under a former name."""


async def meet(message: MessageReceived, store: Store, occasion: Occasion) -> Met:
    aliases = aliases_of(message.sender)
    if not aliases:
        raise SenderHasNoName
    found = await store.find_by_alias(aliases)
    if not found and (former := await store.find_former(aliases, message.sent_at)):
        person = await store.find(former)
        if person is not None:
            return Met(person, ())
    found = found or await store.get_or_create(aliases, _stranger(message, aliases, occasion))
    if len(found) == 1:
        return Met(found[0], aliases)
    united = await unite(found, store, occasion, "message")
    return Met(united or await _bearer(found, aliases, store), aliases)


async def _bearer(found: Sequence[Person], aliases: Sequence[Alias], store: Store) -> Person:
    """Of people who are not the same: whose the first name is, a number before the others."""
    for alias in aliases:
        for person in found:
            if await store.bears(person.id, [alias]):
                return person
    return found[0]


def _stranger(message: MessageReceived, aliases: Sequence[Alias], occasion: Occasion) -> Person:
    number = next((alias.value for alias in aliases if alias.group == "number"), None)
    guessed = language_of_words(message.text or "") or language_of_number(number)
    return Person(
        id=UserId(new_id()),
        state="unknown",
        language=guessed,
        created_at=occasion.now,
        updated_at=occasion.now,
        channel=message.channel,
        address=address_of(message.channel, _names(aliases), message.chat_id),
    )


def as_met(met: Met, message: MessageReceived, known: Circumstances) -> Person:
    """WhatsApp knows better than a web form where a person is reached: where they wrote last."""
    person = met.person
    is_named = person.name is None and person.consented_at and person.state in NAMED_STATES
    name = people.clean_name(message.sender.profile_name) if is_named else person.name
    if message.kind in SILENT_KINDS:
        return replace(person, name=name)
    chat = message.chat_id if met.aliases else None
    names = [*_names(met.aliases), *known.names]
    address = address_of(message.channel, names, chat) or person.address
    return replace(person, address=address, channel=message.channel, name=name)


async def learn_aliases(command: LearnAliases, store: Store, occasion: Occasion) -> None:
    """Nothing of somebody who is not there any more."""
    aliases = aliases_of(command.sender)
    found = await store.find_with_bearers(command.user_id, aliases)
    person = await store.find(command.user_id)
    if person is None or not aliases:
        return
    if len(found) > 1 and (person := await unite(found, store, occasion, "learnt")) is None:
        return
    known = await store.get_circumstances(person.id)
    if new := known.unknown_of(aliases):
        await store.learn_aliases(person.id, new, occasion.now)
    names = [*_names(aliases), *known.names]
    address = better_address(person.channel, person.address, names)
    after = replace(person, address=address)
    await store.record(person, after, source="learnt", now=occasion.now)


@dataclass(frozen=True)
class Renaming:
    """Names that a person has given up, and those that they have in their place."""

    dropped: tuple[Alias, ...]
    gained: tuple[Alias, ...]

    @property
    def retired(self) -> list[Alias]:
        """A new number does not end a business-scoped id."""
        families = {_family(alias) for alias in self.gained}
        return [alias for alias in self.dropped if _family(alias) in families]


def renaming_of(message: MessageReceived) -> Renaming:
    old = aliases_of(message.sender)
    new = aliases_of(message.became) if message.became is not None else ()
    return Renaming(tuple(_without(old, new)), tuple(_without(new, old)))


async def rename(message: MessageReceived, store: Store, occasion: Occasion) -> Person | None:
    """The same person goes on under another name. None when it is nobody we know."""
    renaming = renaming_of(message)
    aliases = [*aliases_of(message.sender), *renaming.gained]
    found = await store.find_by_alias(aliases) if aliases else []
    if not found or not renaming.gained:
        return found[0] if found else None
    if done := await _already_renamed(found, renaming, store):
        return done
    person = found[0] if len(found) == 1 else await unite(found, store, occasion, "renamed")
    if person is None:
        return await _bearer(found, aliases, store)
    if renaming.retired:
        await store.retire_aliases(person.id, renaming.retired, message.sent_at)
    known = await store.get_circumstances(person.id)
    if new := known.unknown_of(renaming.gained):
        await store.learn_aliases(person.id, new, occasion.now)
        bearers = await store.find_by_alias(renaming.gained)
        if any(bearer.id != person.id for bearer in bearers):
            raise NamesJustTaken
    after = replace(person, address=_renamed_address(person, renaming, known))
    return await store.record(person, after, source="renamed", now=occasion.now)


async def _already_renamed(
    found: Sequence[Person], renaming: Renaming, store: Store
) -> Person | None:
    """Told a second time, perhaps when the old number is somebody else's by now."""
    for person in found:
        if (
            await store.bears(person.id, renaming.gained)
            and await store.has_borne(person.id, renaming.dropped)
            and not await store.bears(person.id, renaming.dropped)
        ):
            return person
    return None


def _renamed_address(person: Person, renaming: Renaming, known: Circumstances) -> str | None:
    if person.channel == "waha" and person.address in {alias.value for alias in renaming.dropped}:
        chat = next((alias.value for alias in renaming.gained if alias.kind == "lid"), None)
        return address_of("waha", [*_names(renaming.gained), *known.names], chat)
    names = [*_names(renaming.gained), *known.names]
    return better_address(person.channel, person.address, names)


def _names(aliases: Sequence[Alias]) -> list[tuple[AliasKind, str]]:
    return [(alias.kind, alias.value) for alias in aliases]


def _without(aliases: Sequence[Alias], others: Sequence[Alias]) -> list[Alias]:
    known = {(alias.group, alias.canonical) for alias in others}
    return [alias for alias in aliases if (alias.group, alias.canonical) not in known]


def _family(alias: Alias) -> str:
    return alias.group if alias.group == "number" else alias.kind
