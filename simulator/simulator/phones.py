import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from simulator.transcript import DeliveryStatus, Message, MessageError

WaIdForm = Literal["canonical", "without_ninth_digit"]

# +55, a two-digit area code, then a mobile's eight digits: mobiles start with 6 to 9.
_OLD_BRAZILIAN_MOBILE = re.compile(r"55[1-9]\d[6-9]\d{7}")
_BRAZILIAN_MOBILE = re.compile(r"55[1-9]\d9[6-9]\d{7}")
# WhatsApp ends the indicator by itself.
TYPING_LASTS = timedelta(seconds=25)

_NUMBER = re.compile(r"[1-9]\d{6,14}")


class InvalidNumber(ValueError):
    def __init__(self, number: str) -> None:
        super().__init__(f"{number!r} is not a phone number with country code")


def canonical_number(written: str) -> str:
    """Digits only, and Brazilian mobiles always with the ninth digit: one person, one number."""
    digits = re.sub(r"[\s()+.-]", "", written)
    if not _NUMBER.fullmatch(digits):
        raise InvalidNumber(written)
    if _OLD_BRAZILIAN_MOBILE.fullmatch(digits):
        return digits[:4] + "9" + digits[4:]
    return digits


class Phone(BaseModel):
    number: str
    name: str
    has_receipts: bool = True
    wa_id_form: WaIdForm = "canonical"
    last_inbound_at: datetime | None = None
    typing_until: datetime | None = None
    messages: list[Message] = []

    @property
    def wa_id(self) -> str:
        if self.wa_id_form == "without_ninth_digit" and _BRAZILIAN_MOBILE.fullmatch(self.number):
            return self.number[:4] + self.number[5:]
        return self.number

    def last_with_options(self) -> Message | None:
        for message in reversed(self.messages):
            if message.options and message.status is not DeliveryStatus.FAILED:
                return message
        return None


class Phones:
    """Everybody the simulator knows, and every message by its id."""

    def __init__(self, changed: Callable[[str], None], has_receipts: bool = True) -> None:
        self._by_number: dict[str, Phone] = {}
        self._message_by_id: dict[str, tuple[Phone, Message]] = {}
        self._changed = changed
        self._has_receipts = has_receipts

    def all(self) -> list[Phone]:
        return list(self._by_number.values())

    def find(self, written: str) -> Phone | None:
        return self._by_number.get(canonical_number(written))

    def get_or_create(self, written: str) -> Phone:
        number = canonical_number(written)
        phone = self._by_number.get(number)
        if phone is None:
            name = f"Person {number[-4:]}"
            phone = Phone(number=number, name=name, has_receipts=self._has_receipts)
            self._by_number[number] = phone
            self.touch(phone)
        return phone

    def restore(self, phone: Phone) -> None:
        self._by_number[phone.number] = phone
        for message in phone.messages:
            self._message_by_id[message.id] = (phone, message)

    def forget_all(self) -> None:
        for phone in self._by_number.values():
            self.touch(phone)
        self._by_number.clear()
        self._message_by_id.clear()

    def find_message(self, message_id: str) -> tuple[Phone, Message] | None:
        return self._message_by_id.get(message_id)

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
