from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from common.bus.consumer import Delivery
from common.clock import Clock
from common.database import Transaction
from common.events import (
    InboundUnderstood,
    NoticeReceived,
    SendMessage,
    StatusReceived,
    UserChanged,
    UserDeleted,
)
from messenger import metrics
from messenger.delivery import WORDS
from messenger.notices import Notices
from messenger.store import Entering, Person, Store, aware, inbound_at, number_of
from messenger.tracking import Tracking
from messenger.waha.session_store import SessionStore


class Handlers:
    """`wake` is called after each commit that may have made something sendable, `understood` with
    the messages of people that were understood."""

    def __init__(
        self,
        clock: Clock,
        wake: Callable[[], None],
        notices: Notices | None = None,
        understood: Callable[[Sequence[InboundUnderstood]], None] | None = None,
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._notices = notices or Notices("")
        self._understood = understood

    async def queue_messages(
        self, deliveries: Sequence[Delivery], transaction: Transaction
    ) -> None:
        now = self._clock.now()
        store = Store(transaction, now)
        entering = [
            Entering(delivery.message, delivery.traceparent)
            for delivery in deliveries
            if isinstance(delivery.message, SendMessage)
        ]
        await store.adopt(
            Person(
                one.command.user_id,
                one.command.contact,
                inbound_at(one.command, now),
                number_of(one.command.inbound),
            )
            for one in entering
        )
        await store.enqueue(entering)
        transaction.after_commit(self._wake)

    async def follow_people(self, deliveries: Sequence[Delivery], transaction: Transaction) -> None:
        """Deletions last: whatever else the batch holds of that person is then removed too."""
        now = self._clock.now()
        store = Store(transaction, now)
        news: list[Person] = []
        deleted = []
        for delivery in deliveries:
            match delivery.message:
                case UserChanged(user_id=user_id, contact=contact):
                    news.append(Person(user_id, contact))
                    if contact.state == "deleted":
                        deleted.append(user_id)
                case InboundUnderstood(user_id=user_id, inbound=inbound, opens_window=True):
                    at, number = aware(inbound.at, now), number_of(inbound)
                    news.append(Person(user_id, inbound_at=at, number_id=number))
                case UserDeleted(user_id=user_id):
                    deleted.append(user_id)
        if news and await store.adopt(news):
            transaction.after_commit(self._wake)
        if deleted:
            await store.forget(deleted)
        await SessionStore(transaction, now).note_life(_inbound_signs(deliveries))
        if self._understood is not None:
            understood = [d.message for d in deliveries if isinstance(d.message, InboundUnderstood)]
            transaction.after_commit(partial(self._understood, understood))

    async def follow_deliveries(
        self, deliveries: Sequence[Delivery], transaction: Transaction
    ) -> None:
        now = self._clock.now()
        statuses = []
        for delivery in deliveries:
            match delivery.message:
                case StatusReceived() as status:
                    metrics.STATUSES.labels(WORDS.get(status.status, "other")).inc()
                    statuses.append(status)
                case NoticeReceived() as notice:
                    await self._notices.take(notice, transaction, now)
                    transaction.after_commit(self._wake)
        if statuses:
            if await Tracking(transaction, now).merge(statuses):
                transaction.after_commit(self._wake)
            await SessionStore(transaction, now).note_life(
                (status.number_id, now) for status in statuses if status.channel == "waha"
            )


def _inbound_signs(deliveries: Sequence[Delivery]) -> Iterator[tuple[str, datetime]]:
    for delivery in deliveries:
        if isinstance(delivery.message, InboundUnderstood):
            inbound = delivery.message.inbound
            if inbound.channel == "waha":
                yield inbound.number_id, inbound.at
