"""One person, many names: the canonical form under which each name is unique."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from common.events import Channel, Sender

AliasKind = Literal["phone", "wa_id", "bsuid", "lid"]
AliasGroup = Literal["number", "scoped"]

NUMBER_KINDS: tuple[AliasKind, ...] = ("phone", "wa_id")
LID_SUFFIX = "@lid"


@dataclass(frozen=True, order=True)
class Alias:
    """Sorts by what is unique, so that concurrent writers lock in the same order."""

    group: AliasGroup
    canonical: str
    kind: AliasKind
    value: str


def digits_of(number: str) -> str:
    """Without what WAHA puts around a number: `5511987654321:18@c.us` has a device and a server."""
    written = number.split("@", maxsplit=1)[0].split(":", maxsplit=1)[0]
    return "".join(c for c in written if c.isascii() and c.isdigit())


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


def is_number(address: str | None) -> bool:
    """Not a business-scoped id (`BR.15`), and not a hidden id (`123@lid`)."""
    return address is not None and address.isascii() and address.isdigit()


def phone_alias(phone: str) -> Alias:
    return Alias("number", canonical_number(phone), "phone", digits_of(phone))


def aliases_of(sender: Sender) -> tuple[Alias, ...]:
    """Every name of the sender, the number first. Empty when there is none."""
    found = {_scoped("lid", lid) for lid in _lids_of(sender)}
    if not _is_lid(sender.wa_id) and (digits := digits_of(sender.wa_id or "")):
        found.add(Alias("number", canonical_number(digits), "wa_id", digits))
    if sender.business_scoped_id:
        found.add(_scoped("bsuid", sender.business_scoped_id))
    return tuple(sorted(found))


def _lids_of(sender: Sender) -> Iterable[str]:
    """WAHA's older versions give the hidden id in place of the number."""
    for name in (sender.lid, sender.wa_id if _is_lid(sender.wa_id) else None):
        if name and (digits := digits_of(name)):
            yield digits + LID_SUFFIX


def _is_lid(name: str | None) -> bool:
    return name is not None and name.endswith(LID_SUFFIX)


def _scoped(kind: AliasKind, name: str) -> Alias:
    return Alias("scoped", name, kind, name)


def address_of(
    channel: Channel, names: Sequence[tuple[AliasKind, str]], chat_id: str | None = None
) -> str | None:
    """Where a person of these names, the best first, is written to.

    On WAHA a reply belongs to the chat that the message came from: somebody who hides their
    number may not even have a chat under the number that we know.
    """
    if channel == "waha" and chat_id:
        return digits_of(chat_id) + (LID_SUFFIX if _is_lid(chat_id) else "")
    wanted: Sequence[AliasKind] = ("wa_id", "phone", "lid" if channel == "waha" else "bsuid")
    return next((value for kind in wanted for k, value in names if k == kind), None)


def better_address(
    channel: Channel, address: str | None, names: Sequence[tuple[AliasKind, str]]
) -> str | None:
    """Once more is known of somebody who has not written meanwhile: their chat stays."""
    is_chat_of_waha = channel == "waha" and _is_lid(address)
    return address if is_chat_of_waha else address_of(channel, names) or address
