"""What happens to a person's account and to ours, and what WhatsApp says about it."""

from simulator import inbound, notices
from simulator.clock import Clock
from simulator.delivery import Update, WebhookDelivery
from simulator.phones import Phone, Phones
from simulator.standing import Standing, StandingView
from simulator.transcript import Message
from simulator.webhooks import Account
from simulator.wire import Wire

LANE = "account"


class Happenings:
    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        delivery: WebhookDelivery,
        account: Account,
        standing: Standing,
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._delivery = delivery
        self._account = account
        self._standing = standing

    def prefer(self, phone: Phone, *, wants_marketing: bool) -> None:
        """WhatsApp's own switch for marketing messages, in the chat's settings."""
        phone.wants_marketing = wants_marketing
        self._phones.touch(phone)
        now = int(self._clock.now().timestamp())
        value = notices.preference(self._account, phone, now)
        self._delivery.enqueue(Update(value, phone.number, field="user_preferences"))

    def change_number(self, phone: Phone, number: str) -> None:
        old_number, old_wa_id = phone.number, phone.shown_wa_id
        old_user_id = self._account.user_id_of(phone)
        self._phones.change_number(phone, number)
        system = inbound.System(
            type="user_changed_number",
            body=f"{phone.name} changed from {old_number} to {phone.number}",
            wa_id=phone.shown_wa_id,
            user_id=self._account.user_id_of(phone),
            previous_user_id=old_user_id,
        )
        self._tell(phone, system, old_wa_id, old_user_id)

    def change_user_id(self, phone: Phone) -> None:
        old_user_id = phone.user_id
        self._phones.change_user_id(phone)
        system = inbound.System(
            type="user_changed_user_id",
            body=f"{phone.name} changed from {old_user_id} to {phone.user_id}",
            wa_id=phone.shown_wa_id,
            user_id=phone.user_id,
            previous_user_id=old_user_id,
        )
        self._tell(phone, system, phone.shown_wa_id, old_user_id)

    def _tell(
        self,
        phone: Phone,
        system: inbound.System,
        old_wa_id: str | None,
        old_user_id: str | None,
    ) -> None:
        """The message comes from the person as the business knew them until then."""
        message = Message(
            id=self._phones.new_message_id(phone, "user"),
            sender="user",
            type="system",
            text=system.body,
            at=self._clock.now(),
        )
        self._phones.add_message(phone, message)
        wire = inbound.InboundMessage(
            sender=old_wa_id,
            from_user_id=old_user_id,
            id=message.id,
            timestamp=self._account.timestamp(message.at),
            type="system",
            system=system,
        )
        value = self._account.with_message(phone, wire)
        self._delivery.enqueue(Update(value, phone.number))

    def stand(self, view: StandingView, event: str | None) -> None:
        """Takes over how the account stands, and announces what Meta would announce."""
        before, self._standing.view = self._standing.view, view
        if view.quality != before.quality:
            worse = view.quality in {"YELLOW", "RED"}
            self.rate_number("FLAGGED" if worse else "UNFLAGGED")
        if view.tier != before.tier:
            limit = self._standing.tier_name
            value = notices.CapabilityUpdate(max_daily_conversations_per_business=limit)
            self.announce("business_capability_update", value)
        if event:
            self.announce("account_update", notices.AccountUpdate(event=event))

    def rate_number(self, event: str) -> None:
        value = notices.PhoneQualityUpdate(
            display_phone_number=self._account.metadata.display_phone_number,
            event=event,
            current_limit=self._standing.tier_name,
        )
        self.announce("phone_number_quality_update", value)

    def announce(self, field: str, value: Wire) -> None:
        self._delivery.enqueue(Update(value, LANE, field=field))
