import asyncio
import json
from collections.abc import AsyncIterator

FLUSH_SECONDS = 0.1
HEARTBEAT_SECONDS = 15


class _Subscriber:
    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.woken = asyncio.Event()


class Live:
    """Tells open pages which topics changed; bursts are coalesced, so a load test costs little."""

    def __init__(self) -> None:
        self._subscribers: set[_Subscriber] = set()
        self._is_closed = False

    def changed(self, topic: str) -> None:
        for subscriber in self._subscribers:
            subscriber.topics.add(topic)
            subscriber.woken.set()

    def close(self) -> None:
        self._is_closed = True
        for subscriber in self._subscribers:
            subscriber.woken.set()

    async def stream(self) -> AsyncIterator[str]:
        subscriber = _Subscriber()
        self._subscribers.add(subscriber)
        try:
            yield "retry: 1000\n\n"
            while not self._is_closed:
                yield await self._next_chunk(subscriber)
        finally:
            self._subscribers.discard(subscriber)

    async def _next_chunk(self, subscriber: _Subscriber) -> str:
        try:
            await asyncio.wait_for(subscriber.woken.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return ": still here\n\n"
        if not self._is_closed:
            await asyncio.sleep(FLUSH_SECONDS)
        subscriber.woken.clear()
        topics, subscriber.topics = sorted(subscriber.topics), set()
        return f"data: {json.dumps(topics)}\n\n"
