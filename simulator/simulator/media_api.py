"""Uploads and downloads, with the checks and the clock of WhatsApp."""

import json
from typing import NamedTuple

from simulator.cloud_errors import CloudError, MissingParameter, UnknownObject
from simulator.media import UPLOAD_LASTS, MediaStore, StoredMedia
from simulator.multipart import parse_form

DOWNLOAD_FAILED = 131052
UPLOAD_FAILED = 131053
_MEGABYTE = 1024 * 1024


class MediaKind(NamedTuple):
    limit: int
    mime_types: frozenset[str]


KINDS = (
    MediaKind(5 * _MEGABYTE, frozenset({"image/jpeg", "image/png"})),
    MediaKind(500 * 1024, frozenset({"image/webp"})),
    MediaKind(16 * _MEGABYTE, frozenset({"video/mp4", "video/3gpp"})),
    MediaKind(
        16 * _MEGABYTE,
        frozenset({"audio/aac", "audio/amr", "audio/mp4", "audio/mpeg", "audio/ogg"}),
    ),
    MediaKind(
        100 * _MEGABYTE,
        frozenset(
            {
                "application/msword",
                "application/pdf",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "text/plain",
            }
        ),
    ),
)


class MediaApi:
    def __init__(self, store: MediaStore) -> None:
        self._store = store

    def upload(self, content_type: str, body: bytes) -> bytes:
        form = parse_form(content_type, body)
        if form.get("messaging_product") is None:
            raise MissingParameter("messaging_product")
        if form.get("file") is None:
            raise MissingParameter("file")
        file = form["file"]
        named = form["type"].text if "type" in form else file.content_type or ""
        mime_type = named.split(";")[0].strip().lower()
        _check(mime_type, len(file.data))
        made = self._store.keep(file.data, mime_type, file.filename, UPLOAD_LASTS)
        return json.dumps({"id": made.id}).encode()

    def describe(self, media_id: str, base_url: str) -> bytes:
        media = self._get(media_id)
        key = self._store.new_url_key(media_id)
        answer = {
            "messaging_product": "whatsapp",
            "url": f"{base_url}/media/{media_id}/{key}",
            "mime_type": media.mime_type,
            "sha256": media.sha256,
            "file_size": str(len(media.data)),
            "id": media_id,
        }
        return json.dumps(answer).encode()

    def download(self, media_id: str, key: str) -> StoredMedia:
        """Meta answers 404 for a url that is older than five minutes."""
        found = self._store.find_by_url(media_id, key)
        if found is None:
            error = CloudError(DOWNLOAD_FAILED)
            error.http_status = 404
            raise error
        return found

    def delete(self, media_id: str) -> bytes:
        self._get(media_id)
        self._store.delete(media_id)
        return b'{"success":true}'

    def _get(self, media_id: str) -> StoredMedia:
        media = self._store.find(media_id)
        if media is None:
            raise UnknownObject(media_id, "GET")
        return media


def _check(mime_type: str, size: int) -> None:
    kind = next((kind for kind in KINDS if mime_type in kind.mime_types), None)
    if kind is None:
        raise CloudError(100, f"Param file must be a file of a supported type, not {mime_type}")
    if size == 0:
        raise CloudError(UPLOAD_FAILED, "The file is empty.")
    if size > kind.limit:
        raise CloudError(UPLOAD_FAILED, f"The file is larger than {kind.limit} bytes.")
