"""Who sent a webhook: an HMAC over the bytes as received, with a secret that we share."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

CLOUD_PREFIX = "sha256="
WAHA_ALGORITHM = "sha512"


def is_from_cloud(body: bytes, header: str | None, secrets: Sequence[bytes]) -> bool:
    """True when any of our app secrets made `X-Hub-Signature-256`. A missing one is a wrong one."""
    if not header or not header.startswith(CLOUD_PREFIX):
        return False
    return _is_made_by_any(secrets, body, header[len(CLOUD_PREFIX) :], hashlib.sha256)


def is_from_waha(
    body: bytes, header: str | None, algorithm: str | None, keys: Sequence[bytes]
) -> bool:
    """True when any of our keys made `X-Webhook-Hmac`. Only the body is signed: whoever could name
    a weaker algorithm in the other header would choose it."""
    if not header or algorithm != WAHA_ALGORITHM:
        return False
    return _is_made_by_any(keys, body, header, hashlib.sha512)


def _is_made_by_any(
    secrets: Sequence[bytes], body: bytes, claimed: str, algorithm: Callable[..., Any]
) -> bool:
    found = False
    for secret in secrets:
        expected = hmac.new(secret, body, algorithm).hexdigest().encode()
        found |= hmac.compare_digest(expected, claimed.encode("ascii", "replace"))
    return found


def is_same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
