from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from pydantic import BaseModel

from simulator.identifiers import Direction, Identifiers
from simulator.numbers import WaIdForm, canonical_number, wa_id_of
from simulator.transcript import ChannelName, DeliveryStatus, Message, MessageError
from simulator.waha.accounts import WahaAccount

# WhatsApp ends the indicator by itself.
TYPING_LASTS = timedelta(seconds=25)


class NumberTaken(ValueError):
    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is the number of another person")


class Phone(BaseModel):
    """One person with one WhatsApp account."""

    number: str
    name: str
    user_id: str = ""
    user_id_changes: int = 0
    username: str | None = None
    hides_number: bool = False
    is_registered: bool = True
    has_blocked: bool = False
    wants_marketing: bool = True
    has_receipts: bool = True
    wa_id_form: WaIdForm = "canonical"
    waha: WahaAccount = WahaAccount()
    last_inbound_at: datetime | None = None
    typing_until: datetime | None = None
    messages: list[Message] = []

    @property
    def wa_id(self) -> str:
        return wa_id_of(self.number, self.wa_id_form)

    @property
    def shown_wa_id(self) -> str | None:
        """Someone with a username may keep the number from the business."""
        return None if self.hides_number else self.wa_id

    def channel_of_next(self) -> ChannelName:
        """People answer in the chat in which the last message came."""
        return self.messages[-1].channel if self.messages else "cloud"

    def messages_of(self, channel: ChannelName | None) -> list[Message]:
        return [m for m in self.messages if channel is None or m.channel == channel]

    def last_with_options(self, channel: ChannelName = "cloud") -> Message | None:
        for message in reversed(self.messages):
            is_here = message.channel == channel and message.options
            if is_here and message.status is not DeliveryStatus.FAILED:
                return message
        return None


class Phones:
    """Everybody the simulator knows, and every message by its id."""

    def __init__(
        self,
        changed: Callable[[str], None],
        identifiers: Identifiers,
        has_receipts: bool = True,
    ) -> None:
        self._by_number: dict[str, Phone] = {}
        self._by_user_id: dict[str, Phone] = {}
        self._message_by_id: dict[str, tuple[Phone, Message]] = {}
        self._changed = changed
        self._identifiers = identifiers
        self._has_receipts = has_receipts

    def all(self) -> list[Phone]:
        return list(self._by_number.values())

    def find(self, written: str) -> Phone | None:
        return self._by_number.get(canonical_number(written))

    def find_by_user_id(self, user_id: str) -> Phone | None:
        return self._by_user_id.get(user_id)

    def get_or_create(self, written: str) -> Phone:
        number = canonical_number(written)
        phone = self._by_number.get(number)
        if phone is None:
            name = f"Person {number[-4:]}"
            phone = Phone(number=number, name=name, has_receipts=self._has_receipts)
            self._by_number[number] = phone
            self._name_for_businesses(phone)
            self.touch(phone)
        return phone

    def restore(self, phone: Phone) -> None:
        self._by_number[phone.number] = phone
        self._name_for_businesses(phone)
        for message in phone.messages:
            self._message_by_id[message.id] = (phone, message)

    def change_number(self, phone: Phone, written: str) -> None:
        """The person keeps the account and its chats; the business-scoped id is another."""
        number = canonical_number(written)
        if number in self._by_number:
            raise NumberTaken(number)
        self.touch(phone)
        del self._by_number[phone.number]
        phone.number = number
        self._by_number[number] = phone
        self.change_user_id(phone)

    def change_user_id(self, phone: Phone) -> None:
        del self._by_user_id[phone.user_id]
        phone.user_id = ""
        phone.user_id_changes += 1
        self._name_for_businesses(phone)
        self.touch(phone)

    def _name_for_businesses(self, phone: Phone) -> None:
        if not phone.user_id:
            phone.user_id = self._identifiers.user_id(phone.number, phone.user_id_changes)
        self._by_user_id[phone.user_id] = phone

    def forget_all(self) -> None:
        for phone in self._by_number.values():
            self.touch(phone)
        self._by_number.clear()
        self._by_user_id.clear()
        self._message_by_id.clear()

    def find_message(self, message_id: str) -> tuple[Phone, Message] | None:
        return self._message_by_id.get(message_id)

    def new_message_id(self, phone: Phone, sender: Direction) -> str:
        position = len(phone.messages)
        for attempt in count():
            made = self._identifiers.message_id(phone.wa_id, sender, position, attempt)
            if made not in self._message_by_id:
                break
        return made

    def add_message(self, phone: Phone, message: Message) -> None:
        phone.messages.append(message)
        self._message_by_id[message.id] = (phone, message)
        if message.sender == "bot":
            phone.typing_until = None
        self.touch(phone)

    def record_status(
        self,
        phone: Phone,
        message: Message,
        status: DeliveryStatus,
        error: MessageError | None = None,
    ) -> None:
        if message.status.may_become(status):
            message.status = status
            message.error = error
            self.touch(phone)

    def show_typing(self, phone: Phone, now: datetime) -> None:
        phone.typing_until = now + TYPING_LASTS
        self.touch(phone)

    def touch(self, phone: Phone) -> None:
        self._changed(f"phone:{phone.number}")
