"""Phone numbers as people write them, and as WhatsApp has registered them."""

import re
from typing import Literal

WaIdForm = Literal["canonical", "without_ninth_digit", "with_mobile_one"]

_NUMBER = re.compile(r"[1-9]\d{6,14}")
# +55, a two-digit area code, then a mobile's eight digits: mobiles start with 6 to 9.
_OLD_BRAZILIAN_MOBILE = re.compile(r"55[1-9]\d[6-9]\d{7}")
_BRAZILIAN_MOBILE = re.compile(r"55[1-9]\d9[6-9]\d{7}")
# Until 2019 Mexico put a 1 before mobile numbers; WhatsApp kept it in accounts of that time.
_OLD_MEXICAN_MOBILE = re.compile(r"521\d{10}")
_MEXICAN = re.compile(r"52\d{10}")


class InvalidNumber(ValueError):
    def __init__(self, number: str) -> None:
        super().__init__(f"{number!r} is not a phone number with country code")


def canonical_number(written: str) -> str:
    """Digits only, in the form that is dialled today: one person, one number."""
    digits = re.sub(r"[\s()+.-]", "", written)
    if not _NUMBER.fullmatch(digits):
        raise InvalidNumber(written)
    if _OLD_BRAZILIAN_MOBILE.fullmatch(digits):
        return digits[:4] + "9" + digits[4:]
    if _OLD_MEXICAN_MOBILE.fullmatch(digits):
        return "52" + digits[3:]
    return digits


def wa_id_of(number: str, form: WaIdForm) -> str:
    if form == "without_ninth_digit" and _BRAZILIAN_MOBILE.fullmatch(number):
        return number[:4] + number[5:]
    if form == "with_mobile_one" and _MEXICAN.fullmatch(number):
        return "521" + number[2:]
    return number
