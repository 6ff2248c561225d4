import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice

from pydantic import BaseModel

KEPT_CALLS = 100_000
KEPT_WEBHOOKS = 2_000


@dataclass(slots=True)
class Entry:
    """Bodies stay as bytes until somebody looks: parsing each would halve the throughput."""

    n: int
    method: str
    path: str
    body: bytes
    at: datetime
    status: int | None
    attempt: int | None = None


class EntryView(BaseModel):
    n: int
    method: str
    path: str
    body: object
    at: datetime
    status: int | None
    attempt: int | None = None


class Journal:
    """The last calls in one direction, oldest first, numbered without gaps."""

    def __init__(self, kept: int, topic: str, changed: Callable[[str], None]) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._numbers = count()
        self._topic = topic
        self._changed = changed

    def record(
        self,
        *,
        method: str,
        path: str,
        body: bytes,
        at: datetime,
        status: int | None,
        attempt: int | None = None,
    ) -> None:
        entry = Entry(next(self._numbers), method, path, body, at, status, attempt)
        self._entries.append(entry)
        self._changed(self._topic)

    def read(self, since: int = 0, limit: int | None = None) -> list[EntryView]:
        if not self._entries:
            return []
        skipped = max(0, since - self._entries[0].n)
        stop = None if limit is None else skipped + limit
        return [_view(entry) for entry in islice(self._entries, skipped, stop)]

    def find(self, n: int) -> Entry | None:
        """The entry as it was posted, unless so many came after it that it is gone."""
        if not self._entries or not self._entries[0].n <= n <= self._entries[-1].n:
            return None
        return self._entries[n - self._entries[0].n]

    def read_last(self, limit: int) -> list[EntryView]:
        return self.read(self._entries[-1].n - limit + 1) if self._entries else []

    def clear(self) -> None:
        self._entries.clear()
        self._numbers = count()
        self._changed(self._topic)


def _view(entry: Entry) -> EntryView:
    return EntryView(
        n=entry.n,
        method=entry.method,
        path=entry.path,
        body=_parsed(entry.body),
        at=entry.at,
        status=entry.status,
        attempt=entry.attempt,
    )


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode("utf-8", "replace")
