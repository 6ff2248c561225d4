import asyncio
from dataclasses import dataclass

from simulator import webhooks
from simulator.clock import Clock
from simulator.delivery import Update, WebhookDelivery
from simulator.faults import Faults, Kind
from simulator.meanings import meaning_of
from simulator.phones import Phone, Phones
from simulator.quirks import Quirks
from simulator.transcript import DeliveryStatus, Message, MessageError

_NEXT = {
    DeliveryStatus.SENT: DeliveryStatus.DELIVERED,
    DeliveryStatus.DELIVERED: DeliveryStatus.READ,
    DeliveryStatus.READ: DeliveryStatus.PLAYED,
}
_SEEN = {DeliveryStatus.READ, DeliveryStatus.PLAYED}


@dataclass(frozen=True, slots=True)
class Sent:
    """An accepted message, with what its status webhooks must carry."""

    phone: Phone
    message: Message
    callback_data: str | None
    category: str | None


class Statuses:
    """After acceptance: sent, delivered, read and played, or failed, each a little later."""

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
        if status in _SEEN and not sent.phone.has_receipts:
            return
        if status is DeliveryStatus.PLAYED and sent.message.type != "audio":
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
        self._delivery.enqueue(Update(self._value(sent, status, code), sent.phone.number))

    def _value(self, sent: Sent, status: DeliveryStatus, code: int | None) -> webhooks.Value:
        account, phone = self._account, sent.phone
        has_price = code is None and account.quirks.pricing != "none"
        wire = webhooks.Status(
            id=sent.message.id,
            status=status,
            timestamp=account.timestamp(self._clock.now()),
            recipient_id=phone.shown_wa_id,
            recipient_user_id=account.user_id_of(phone),
            conversation=_conversation(sent) if account.quirks.pricing == "CBP" else None,
            pricing=_pricing(sent.category, account.quirks) if has_price else None,
            errors=[account.problem(code)] if code else None,
            biz_opaque_callback_data=sent.callback_data,
        )
        return account.with_status(phone, wire)


def _conversation(sent: Sent) -> webhooks.Conversation:
    origin = webhooks.Origin(type=(sent.category or "service").lower())
    return webhooks.Conversation(id=sent.message.id.removeprefix("wamid.")[:32], origin=origin)


def _pricing(category: str | None, quirks: Quirks) -> webhooks.Pricing:
    """Until July 2025 conversations were paid for (CBP), since then messages (PMP)."""
    kind = (category or "service").lower()
    if quirks.pricing == "CBP":
        return webhooks.Pricing(billable=True, pricing_model="CBP", category=kind)
    if category is None:
        return webhooks.Pricing(billable=False, category=kind, type="free_customer_service")
    return webhooks.Pricing(billable=True, category=kind, type="regular")
