"""Who sent a webhook: HMAC-SHA256 over the bytes as received, with our app secret."""

import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "sha256="


def is_genuine(body: bytes, header: str | None, secrets: Sequence[bytes]) -> bool:
    """True when any of `secrets` made `header`. A missing header is a wrong one."""
    if not header or not header.startswith(PREFIX):
        return False
    claimed = header[len(PREFIX) :].encode("ascii", "replace")
    found = False
    for secret in secrets:
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        found |= hmac.compare_digest(expected, claimed)
    return found


def is_same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
