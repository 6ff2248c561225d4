"""Files on the Cloud API: what we send is uploaded first, what people send is fetched in two
steps. The second step's address comes from outside and is given our token, so its host is checked.
"""

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from common.clock import Clock
from common.events import Attachment, Media
from messenger.channels import NotSent, SendRefused
from messenger.channels.connection import NEVER_CONNECTED
from messenger.channels.media import (
    BROKEN,
    DOWNLOAD_TIMEOUT,
    MediaRefused,
    MediaUnavailable,
    check,
    client,
    origin,
    read_limited,
)

KEPT = timedelta(days=29)
"""Meta keeps an upload for 30 days."""
REMEMBERED = 2_000
UPLOAD_TIMEOUT = 10.0  # seconds
META_HOSTS = ("fbcdn.net", "whatsapp.net", "facebook.com", "fbsbx.com")
EXPIRED = frozenset({401, 403, 404, 410})
"""Statuses of an address that is older than five minutes."""


class _Uploaded(BaseModel):
    id: str


class _Error(BaseModel):
    code: int
    is_transient: bool = False


class _Refusal(BaseModel):
    error: _Error


class _Address(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    url: str
    mime_type: str = ""
    sha256: str | None = None
    file_size: str = "0"


class CloudUploads:
    """The same bytes are uploaded once, while this process lives."""

    def __init__(self, api_url: str, number_id: str, token: str, clock: Clock) -> None:
        self._url = f"{api_url.rstrip('/')}/{number_id}/media"
        self._client = client({"Authorization": f"Bearer {token}"}, UPLOAD_TIMEOUT)
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[str, datetime]] = OrderedDict()

    async def close(self) -> None:
        await self._client.aclose()

    async def id_of(self, attachment: Attachment) -> str:
        """Raises NotSent or SendRefused: the message itself has not left in either case."""
        key = _key(attachment)
        known = self._known.get(key)
        if known is not None and self._clock.now() < known[1] + KEPT:
            self._known.move_to_end(key)
            return known[0]
        uploaded = await self._upload(attachment)
        self._known[key] = (uploaded, self._clock.now())
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return uploaded

    def forget(self, attachment: Attachment) -> None:
        """WhatsApp does not know it after all: uploaded again the next time."""
        self._known.pop(_key(attachment), None)

    async def _upload(self, attachment: Attachment) -> str:
        file = (attachment.filename, attachment.data, attachment.mime_type)
        form = {"messaging_product": "whatsapp", "type": attachment.mime_type}
        try:
            response = await self._client.post(self._url, data=form, files={"file": file})
        except BROKEN as error:
            if isinstance(error.__cause__ or error, NEVER_CONNECTED):
                raise NotSent from error
            raise SendRefused(None, 0, is_transient=True) from error
        return _uploaded_id(response)


class CloudDownloads:
    def __init__(self, api_url: str, number_id: str, token: str) -> None:
        self._api_url = api_url.rstrip("/")
        self._number_id = number_id
        self._client = client({"Authorization": f"Bearer {token}"}, DOWNLOAD_TIMEOUT)

    async def close(self) -> None:
        await self._client.aclose()

    async def fetch(self, media: Media, *, limit: int) -> bytes:
        """Raises MediaRefused or MediaUnavailable."""
        if not media.id or not media.id.isalnum():
            raise MediaRefused("unreadable")
        address = await self._address(media.id)
        data = await self._bytes(address, limit)
        if data is None:  # the address was too old: one fresh one
            address = await self._address(media.id)
            data = await self._bytes(address, limit)
        if data is None:
            raise MediaUnavailable("the address is refused")
        check(data, media.sha256 or address.sha256)
        return data

    async def _address(self, media_id: str) -> _Address:
        url = f"{self._api_url}/{media_id}"
        try:
            query = {"phone_number_id": self._number_id}
            response = await self._client.get(url, params=query)
        except BROKEN as error:
            raise MediaUnavailable(type(error).__name__) from None
        if response.status_code in (400, 404):
            raise MediaRefused("unreadable")  # older than seven days, or not ours
        if not response.is_success:
            raise MediaUnavailable(f"HTTP {response.status_code}")
        try:
            return _Address.model_validate_json(response.content)
        except ValidationError:
            raise MediaUnavailable("an answer that is not Meta's") from None

    async def _bytes(self, address: _Address, limit: int) -> bytes | None:
        """None: the address is no longer good."""
        if not is_trusted(address.url, self._api_url):
            raise MediaRefused("unreadable")
        if address.file_size.isdecimal() and int(address.file_size) > limit:
            raise MediaRefused("too_large")
        return await read_limited(self._client, address.url, limit, gone=EXPIRED)


def is_trusted(url: str, api_url: str) -> bool:
    """May our token go there? Meta's hosts over TLS, and wherever we send it anyway."""
    try:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            return False
        if origin(url) == origin(api_url):
            return True
        host = (parts.hostname or "").rstrip(".").lower()
        is_plain = parts.scheme == "https" and parts.port in (None, 443)
    except ValueError:
        return False
    return is_plain and any(host == name or host.endswith(f".{name}") for name in META_HOSTS)


def _key(attachment: Attachment) -> tuple[str, str]:
    return hashlib.sha256(attachment.data).hexdigest(), attachment.mime_type


def _uploaded_id(response: httpx.Response) -> str:
    try:
        if response.is_success:
            return _Uploaded.model_validate_json(response.content).id
        error = _Refusal.model_validate_json(response.content).error
    except ValidationError:
        raise SendRefused(None, response.status_code, is_transient=True) from None
    raise SendRefused(error.code, response.status_code, is_transient=error.is_transient)
