"""One person, many names: the canonical form under which each name is unique."""

from dataclasses import dataclass
from typing import Literal

from common.events import Sender

AliasKind = Literal["phone", "wa_id", "bsuid", "lid"]
AliasGroup = Literal["number", "scoped"]

LID_SUFFIX = "@lid"


@dataclass(frozen=True, order=True)
class Alias:
    """Sorts by what is unique, so that concurrent writers lock in the same order."""

    group: AliasGroup
    canonical: str
    kind: AliasKind
    value: str


def digits_of(number: str) -> str:
    return "".join(c for c in number.split("@", maxsplit=1)[0] if c.isascii() and c.isdigit())


def canonical_number(number: str) -> str:
    """The digits under which every written form of one mobile number is the same."""
    digits = digits_of(number)
    country, rest = digits[:2], digits[2:]
    if country == "55" and len(rest) == 10 and rest[:2] >= "11" and rest[2] in "6789":
        return f"55{rest[:2]}9{rest[2:]}"
    if country == "52" and len(rest) == 11 and rest[0] == "1":
        return f"52{rest[1:]}"
    if country == "54" and len(rest) == 10 and rest[0] != "9":
        return f"549{rest}"
    return digits


def phone_alias(phone: str) -> Alias:
    return Alias("number", canonical_number(phone), "phone", digits_of(phone))


def aliases_of(sender: Sender) -> tuple[Alias, ...]:
    """Every name of the sender, the number first. Empty when there is none."""
    found = []
    if sender.wa_id and sender.wa_id.endswith(LID_SUFFIX):
        found.append(Alias("scoped", sender.wa_id, "lid", sender.wa_id))
    elif sender.wa_id and digits_of(sender.wa_id):
        digits = digits_of(sender.wa_id)
        found.append(Alias("number", canonical_number(digits), "wa_id", digits))
    if sender.business_scoped_id:
        scoped = sender.business_scoped_id
        found.append(Alias("scoped", scoped, "bsuid", scoped))
    return tuple(sorted(found))
