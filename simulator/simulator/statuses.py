import asyncio
from dataclasses import dataclass

from simulator import webhooks
from simulator.clock import Clock
from simulator.cloud_errors import meaning_of
from simulator.delivery import Update, WebhookDelivery
from simulator.faults import Faults, Kind
from simulator.phones import Phone, Phones
from simulator.transcript import DeliveryStatus, Message, MessageError

_NEXT = {
    DeliveryStatus.SENT: DeliveryStatus.DELIVERED,
    DeliveryStatus.DELIVERED: DeliveryStatus.READ,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted message, with what its status webhooks must carry."""

    phone: Phone
    message: Message
    callback_data: str | None
    category: str | None


class Statuses:
    """After acceptance: sent, delivered and read, or failed, each a little later."""

    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        faults: Faults,
        delivery: WebhookDelivery,
        account: webhooks.Account,
        *,
        gap_seconds: float,
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._faults = faults
        self._delivery = delivery
        self._account = account
        self._gap_seconds = gap_seconds

    def follow(self, sent: Sent, failure_code: int | None = None) -> None:
        fault = self._faults.strike("status", {Kind.FAILED_STATUS}, sent.phone.number)
        if fault and failure_code is None:
            failure_code = fault.error_code
        loop = asyncio.get_running_loop()
        if failure_code is not None:
            loop.call_later(self._gap_seconds, self._fail, sent, failure_code)
        else:
            loop.call_later(self._gap_seconds, self._step, sent, DeliveryStatus.SENT)

    def _step(self, sent: Sent, status: DeliveryStatus) -> None:
        if status is DeliveryStatus.READ and not sent.phone.has_receipts:
            return
        self._tell(sent, status)
        following = _NEXT.get(status)
        if following:
            loop = asyncio.get_running_loop()
            loop.call_later(self._gap_seconds, self._step, sent, following)

    def _fail(self, sent: Sent, code: int) -> None:
        self._tell(sent, DeliveryStatus.FAILED, code)

    def _tell(self, sent: Sent, status: DeliveryStatus, code: int | None = None) -> None:
        if self._phones.find_message(sent.message.id) is None:
            return  # everything was forgotten meanwhile
        error = MessageError(code=code, title=meaning_of(code).title) if code else None
        self._phones.record_status(sent.phone, sent.message, status, error)
        value = self._account.with_status(
            webhooks.Status(
                id=sent.message.id,
                status=status,
                timestamp=webhooks.unix_seconds(self._clock.now()),
                recipient_id=sent.phone.wa_id,
                pricing=None if code else _pricing(sent.category),
                errors=[webhooks.problem(code)] if code else None,
                biz_opaque_callback_data=sent.callback_data,
            )
        )
        self._delivery.enqueue(Update(value, sent.phone.number))


def _pricing(category: str | None) -> webhooks.Pricing:
    if category is None:
        return webhooks.Pricing(billable=False, category="service", type="free_customer_service")
    return webhooks.Pricing(billable=True, category=category.lower(), type="regular")
