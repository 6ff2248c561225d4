import base64
import hashlib
from collections import Counter
from typing import Literal

Direction = Literal["user", "bot"]

_COUNTRIES = {
    "1": "US",
    "34": "ES",
    "44": "GB",
    "49": "DE",
    "52": "MX",
    "54": "AR",
    "55": "BR",
    "91": "IN",
    "351": "PT",
}
_ELSEWHERE = "ZZ"
_DIGITS = 16


class Identifiers:
    """Ids that look as WhatsApp's do and are the same in every run with the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._run = 0
        self._counts: Counter[str] = Counter()

    def renew(self) -> None:
        """After a reset nobody may meet an id from before: the product would take it for old."""
        self._run += 1
        self._counts.clear()

    def digest(self, *parts: object) -> bytes:
        return _digest(self._seed, self._run, *parts)

    def message_id(self, wa_id: str, sender: Direction, *parts: object) -> str:
        """The number and a random part, in base64."""
        direction = b"\x12\x18\x14" if sender == "user" else b"\x11\x18\x14"
        random_part = self.digest("message", wa_id, sender, *parts).hex()[:20].upper().encode()
        number = wa_id.encode()
        raw = b"\x1c\x18" + bytes([len(number)]) + number + b"\x15\x02\x00" + direction
        return "wamid." + base64.b64encode(raw + random_part + b"\x00").decode()

    def media_id(self) -> str:
        self._counts["media"] += 1
        return _digits(self.digest("media", self._counts["media"]))

    def user_id(self, number: str, change: int) -> str:
        """The country and digits: another one after each change, but the same after a reset."""
        return f"{country_of(number)}.{_digits(_digest(self._seed, 'user', number, change))}"


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()


def _digits(digest: bytes) -> str:
    number = int.from_bytes(digest, "big") % (9 * 10 ** (_DIGITS - 1))
    return str(10 ** (_DIGITS - 1) + number)


def country_of(number: str) -> str:
    prefixes = (number[:length] for length in (3, 2, 1))
    return next((_COUNTRIES[p] for p in prefixes if p in _COUNTRIES), _ELSEWHERE)
