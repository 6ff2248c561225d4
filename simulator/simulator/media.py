import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from simulator.clock import Clock
from simulator.identifiers import Identifiers

URL_LASTS = timedelta(minutes=5)
# Meta keeps uploads for 30 days, and what people sent for 7.
UPLOAD_LASTS = timedelta(days=30)
INBOUND_LASTS = timedelta(days=7)
KEPT_BYTES = 512 * 1024 * 1024


class StoredMedia(NamedTuple):
    id: str
    data: bytes
    mime_type: str
    filename: str | None
    expires_at: datetime

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """As webhooks carry it."""
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()


class MediaStore:
    """Files of both directions in memory; the oldest go first when it gets too much."""

    def __init__(self, clock: Clock, identifiers: Identifiers) -> None:
        self._clock = clock
        self._identifiers = identifiers
        self._by_id: dict[str, StoredMedia] = {}
        self._kept_bytes = 0
        self._url_ends: dict[str, datetime] = {}

    def keep(
        self,
        data: bytes,
        mime_type: str,
        filename: str | None = None,
        lasts: timedelta = INBOUND_LASTS,
    ) -> StoredMedia:
        made = StoredMedia(
            self._identifiers.media_id(), data, mime_type, filename, self._clock.now() + lasts
        )
        self._by_id[made.id] = made
        self._kept_bytes += len(data)
        while self._kept_bytes > KEPT_BYTES:
            self.delete(next(iter(self._by_id)))
        return made

    def find(self, media_id: str) -> StoredMedia | None:
        found = self._by_id.get(media_id)
        return found if found and self._clock.now() < found.expires_at else None

    def delete(self, media_id: str) -> None:
        self._kept_bytes -= len(self._by_id.pop(media_id).data)

    def forget_all(self) -> None:
        self._by_id.clear()
        self._url_ends.clear()
        self._kept_bytes = 0

    def new_url_key(self, media_id: str) -> str:
        """What a download url carries besides the id; it works for five minutes."""
        key = self._identifiers.digest("url", media_id, len(self._url_ends)).hex()[:32]
        self._url_ends[f"{media_id}/{key}"] = self._clock.now() + URL_LASTS
        return key

    def find_by_url(self, media_id: str, key: str) -> StoredMedia | None:
        ends_at = self._url_ends.get(f"{media_id}/{key}")
        if ends_at is None or self._clock.now() >= ends_at:
            return None
        return self.find(media_id)


UrlOf = Callable[[StoredMedia], str]
