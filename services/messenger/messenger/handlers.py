from collections.abc import Callable, Sequence

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
from messenger.store import Entering, Person, Store, aware, inbound_at, number_of
from messenger.tracking import Tracking


class Handlers:
    """`wake` is called after each commit that may have made something sendable."""

    def __init__(self, clock: Clock, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._wake = wake

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
        if news:
            await store.adopt(news)
        if deleted:
            await store.forget(deleted)
        transaction.after_commit(self._wake)

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
                    await Store(transaction, now).keep_notice(notice)
        if statuses:
            await Tracking(transaction, now).merge(statuses)
        transaction.after_commit(self._wake)
