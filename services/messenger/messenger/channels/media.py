"""What fetching a file has in common, whichever the channel, and the way through WAHA."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, Protocol
from urllib.parse import urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from common.errors import SabatinaError
from common.events import Media

BROKEN = (httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError)
DOWNLOAD_TIMEOUT = 10.0  # seconds
WAHA_FILES = "/api/files/"
WAHA_KEY = "X-Api-Key"


class MediaSource(Protocol):
    async def fetch(self, media: Media, *, limit: int) -> bytes:
        """Raises MediaRefused or MediaUnavailable."""
        ...

    async def close(self) -> None: ...


class MediaRefused(SabatinaError):
    """Trying again cannot help."""

    def __init__(self, problem: Literal["too_large", "unreadable"]) -> None:
        super().__init__(problem)
        self.problem: Literal["too_large", "unreadable"] = problem


class MediaUnavailable(SabatinaError):
    """The other side does not give it at the moment."""


class WahaDownloads:
    """WAHA keeps a file for some minutes, under an address that it may give with another host
    than the one by which we reach it. The key goes to that one only."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._client = client({WAHA_KEY: api_key}, DOWNLOAD_TIMEOUT)

    async def close(self) -> None:
        await self._client.aclose()

    async def fetch(self, media: Media, *, limit: int) -> bytes:
        data = await read_limited(self._client, self._address(media), limit)
        if data is None:
            raise MediaUnavailable("no longer there")
        check(data, media.sha256)
        return data

    def _address(self, media: Media) -> str:
        try:
            parts = urlsplit(media.url or "")
        except ValueError:
            raise MediaRefused("unreadable") from None
        start = parts.path.find(WAHA_FILES)
        if start < 0 or ".." in parts.path:
            raise MediaRefused("unreadable")
        return f"{self._url}{parts.path[start:]}" + (f"?{parts.query}" if parts.query else "")


def client(headers: Mapping[str, str], timeout: float) -> httpx.AsyncClient:
    """Follows no redirect: the headers hold a secret, and go where we have looked only."""
    return httpx.AsyncClient(
        transport=AiohttpTransport(),
        headers=dict(headers),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
    )


async def read_limited(
    opened: httpx.AsyncClient, url: str, limit: int, *, gone: frozenset[int] = frozenset()
) -> bytes | None:
    """The body, unless it is larger than `limit`; None for a status in `gone`."""
    data = bytearray()
    try:
        async with opened.stream("GET", url) as response:
            if response.status_code in gone:
                return None
            if response.status_code != httpx.codes.OK:
                raise MediaUnavailable(f"HTTP {response.status_code}")
            async for part in response.aiter_bytes():
                data += part
                if len(data) > limit:
                    raise MediaRefused("too_large")
    except (*BROKEN, httpx.InvalidURL) as error:
        raise MediaUnavailable(type(error).__name__) from None
    return bytes(data)


def check(data: bytes, expected: str | None) -> None:
    """WhatsApp gives the hash in base64 in a webhook, and in hexadecimal elsewhere."""
    if not expected:
        return
    digest = hashlib.sha256(data).digest()
    if not any(hmac.compare_digest(digest, told) for told in _readings(expected)):
        raise MediaUnavailable("other bytes than announced")


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip(".").lower(), port


def _readings(expected: str) -> list[bytes]:
    readings = []
    for decode in (bytes.fromhex, _from_base64):
        try:
            readings.append(decode(expected))
        except ValueError:
            continue
    return readings


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
