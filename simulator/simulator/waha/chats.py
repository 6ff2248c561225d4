"""What WAHA's own store holds: all chats of our number, also those that no phone is in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from simulator.numbers import InvalidNumber, canonical_number
from simulator.phones import Phone, Phones
from simulator.said import ABOUT_ANOTHER
from simulator.transcript import Message
from simulator.waha.ids import Ids
from simulator.waha.messages import Told

# They have bubbles on the phone, but WAHA's history has no entry for them.
NOT_BUBBLES = ABOUT_ANOTHER | {"vote"}


class Stray(BaseModel):
    """A message of ours that nobody got: to a wrong number, or while the session was silent."""

    chat_id: str
    message: Message
    number: str | None = None
    """Who gets it when the session is restarted."""


@dataclass(frozen=True, slots=True)
class Chat:
    id: str
    name: str | None
    last: Told


class Chats:
    def __init__(self, phones: Phones, ids: Ids, changed: Callable[[str], None]) -> None:
        self._phones = phones
        self._ids = ids
        self._changed = changed
        self.strays: list[Stray] = []
        self._by_lid: dict[str, Phone] = {}

    def forget_all(self) -> None:
        self._by_lid.clear()
        self.strays.clear()

    def chat_id_of(self, phone: Phone) -> str:
        """The chat in which what this person writes arrives."""
        account = phone.waha
        if account.lid == "none":
            return f"{phone.wa_id}@c.us"
        if account.lid_number is None:
            account.lid_number = self._ids.lid_of(phone.number)
        return f"{account.lid_number}@lid"

    def phone_at(self, chat_id: str) -> Phone | None:
        """Who gets what is sent to this chat id; nobody, for a number in the wrong form."""
        user, _, server = chat_id.partition("@")
        if server == "lid":
            return self.phone_with_lid(chat_id)
        if server != "c.us" or not user.isdecimal():
            return None
        phone = self._phone_with_number(user)
        if phone is None and _is_canonical(user):
            phone = self._phones.get_or_create(user)
        return phone if phone and phone.is_registered else None

    def phone_with_lid(self, lid: str) -> Phone | None:
        found = self._by_lid.get(lid)
        if found is None or found.waha.lid_id != lid:
            self._by_lid = {p.waha.lid_id: p for p in self._phones.all() if p.waha.lid_id}
            found = self._by_lid.get(lid)
        return found

    def _phone_with_number(self, user: str) -> Phone | None:
        try:
            phone = self._phones.find(user)
        except InvalidNumber:
            return None
        return phone if phone and phone.wa_id == user else None

    def _known_phone(self, chat_id: str) -> Phone | None:
        user, _, server = chat_id.partition("@")
        return self._phone_with_number(user) if server == "c.us" else self.phone_with_lid(chat_id)

    def names_of(self, chat_id: str) -> set[str]:
        """Every chat id that WAHA knows to be the same person's."""
        phone = self._known_phone(chat_id)
        if phone and phone.waha.lid_id and phone.waha.is_number_known:
            return {chat_id, phone.waha.lid_id, f"{phone.wa_id}@c.us"}
        return {chat_id}

    def messages(self, chat_id: str) -> list[Told]:
        """Newest first."""
        names = self.names_of(chat_id)
        phone = self._known_phone(chat_id)
        phones = [phone] if phone else self._phones.all()
        found = [told for told in self._told_of(phones) if told.chat_id in names]
        return sorted(found, key=lambda told: told.message.at, reverse=True)

    def find(self, message_id: str) -> Told | None:
        found = self._phones.find_message(message_id)
        if found and found[1].channel == "waha":
            return self.told(found[0], found[1])
        stray = next((s for s in self.strays if s.message.id == message_id), None)
        return self._stray(stray) if stray else None

    def told(self, phone: Phone, message: Message) -> Told:
        quoted = self._phones.find_message(message.quote) if message.quote else None
        chat_id = message.chat_id or self.chat_id_of(phone)
        return Told(message, chat_id, phone, quoted[1] if quoted else None)

    def overview(self) -> list[Chat]:
        """Newest first, one for each person as far as WAHA can tell."""
        newest: dict[str, Told] = {}
        for told in self._newest():
            name = self._merged_name(told)
            if name not in newest or told.message.at > newest[name].message.at:
                newest[name] = told
        chats = [Chat(name, _name(told), told) for name, told in newest.items()]
        return sorted(chats, key=lambda chat: chat.last.message.at, reverse=True)

    def _merged_name(self, told: Told) -> str:
        phone = told.phone
        if phone and phone.waha.lid_id and phone.waha.is_number_known:
            return phone.waha.lid_id
        return told.chat_id

    def _newest(self) -> Iterable[Told]:
        """At least the newest message of each chat: reading them all would cost too much."""
        for phone in self._phones.all():
            for message in reversed(phone.messages):
                if message.channel == "waha" and message.type not in NOT_BUBBLES:
                    yield self.told(phone, message)
                    if phone.waha.is_number_known:
                        break
        yield from (self._stray(stray) for stray in self.strays)

    def _told_of(self, phones: list[Phone]) -> Iterable[Told]:
        for phone in phones:
            for message in phone.messages:
                if message.channel == "waha" and message.type not in NOT_BUBBLES:
                    yield self.told(phone, message)
        yield from (self._stray(stray) for stray in self.strays)

    def _stray(self, stray: Stray) -> Told:
        phone = self._phones.find(stray.number) if stray.number else None
        return Told(stray.message, stray.chat_id, phone)

    def keep_stray(self, stray: Stray) -> None:
        self.strays.append(stray)
        self._changed("waha")

    def take_held(self) -> list[tuple[Phone, Message]]:
        """The messages that waited for a silent session, which now go out."""
        held = [stray for stray in self.strays if stray.number]
        self.strays = [stray for stray in self.strays if not stray.number]
        return [(self._phones.get_or_create(str(s.number)), s.message) for s in held]


def _is_canonical(number: str) -> bool:
    try:
        return canonical_number(number) == number
    except InvalidNumber:
        return False


def _name(told: Told) -> str | None:
    return told.phone.name if told.phone else None
