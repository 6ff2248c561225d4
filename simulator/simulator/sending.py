from simulator import payloads, windows
from simulator.bubbles import bubble
from simulator.clock import Clock
from simulator.cloud_errors import CloudError, InvalidParameter
from simulator.hydration import Hydrated
from simulator.limits import MessagingTier, PairLimit, TokenBucket
from simulator.media import MediaStore
from simulator.numbers import InvalidNumber
from simulator.phones import Phone, Phones
from simulator.settings import Settings
from simulator.standing import Standing
from simulator.statuses import Sent, Statuses
from simulator.templates import TemplateBook
from simulator.transcript import DeliveryStatus, Message

RECIPIENT_IS_SENDER = 131021
UNDELIVERABLE = 131026
OUTSIDE_WINDOW = 131047
# Meta documents no code for the messaging limit; this one stands for all limits on a number.
TIER_REACHED = 131048
STOPPED_MARKETING = 131050
PAIR_LIMIT = 131056
NEEDS_NUMBER = 131062
THROUGHPUT = 130429


class Sending:
    """Decides what becomes of a well-formed message, and lets its statuses follow."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        phones: Phones,
        templates: TemplateBook,
        statuses: Statuses,
        standing: Standing,
        media: MediaStore,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._phones = phones
        self._templates = templates
        self._statuses = statuses
        self._standing = standing
        self._media = media
        self._tier = MessagingTier()
        self._pair_limit = PairLimit() if settings.simulator_pair_limit else None
        rate = settings.simulator_throughput_per_second
        self._throughput = TokenBucket(rate, burst=rate) if rate else None

    def forget_all(self) -> None:
        self._tier.forget_all()

    def recipient(self, call: payloads.OutgoingMessage) -> Phone:
        if call.to is None:
            return self._recipient_by_user_id(call.recipient or "")
        try:
            phone = self._phones.get_or_create(call.to)
        except InvalidNumber as error:
            raise InvalidParameter("to", "must be a valid phone number") from error
        if phone.number == self._settings.simulator_business_phone:
            raise CloudError(RECIPIENT_IS_SENDER)
        return phone

    def _recipient_by_user_id(self, user_id: str) -> Phone:
        phone = self._phones.find_by_user_id(user_id)
        if phone is None:
            raise InvalidParameter("recipient", "does not name a user of this business")
        return phone

    def accept(
        self, call: payloads.OutgoingMessage, phone: Phone, failure_code: int | None = None
    ) -> Message:
        """The message as accepted; `failure_code` makes it fail later."""
        self._standing.check_sending()
        self._check_limits(phone)
        hydrated = self._hydrate(call)
        self._check_media(call)
        if failure_code is None:
            failure_code = self._failure(phone, hydrated)
        if failure_code == OUTSIDE_WINDOW and self._settings.simulator_window_errors == "sync":
            raise CloudError(OUTSIDE_WINDOW)
        message_id = self._phones.new_message_id(phone, "bot")
        message = bubble(call, message_id, self._clock.now(), hydrated)
        self._phones.add_message(phone, message)
        category = hydrated.category if hydrated else None
        sent = Sent(phone, message, call.biz_opaque_callback_data, category)
        self._statuses.follow(sent, failure_code)
        return message

    def _failure(self, phone: Phone, hydrated: Hydrated | None) -> int | None:
        """What Meta finds out only after it has accepted the message."""
        now = self._clock.now()
        is_in_window = windows.is_open(phone.last_inbound_at, now)
        if phone.has_blocked or not phone.is_registered:
            return UNDELIVERABLE
        if hydrated is None:
            return None if is_in_window else OUTSIDE_WINDOW
        if hydrated.category == "MARKETING" and not phone.wants_marketing:
            return STOPPED_MARKETING
        tier = self._standing.view.tier
        if is_in_window or tier is None or self._tier.take(phone.number, now, tier):
            return None
        return TIER_REACHED

    def mark_read(self, mark: payloads.ReadMark) -> None:
        """A message is read together with everything the person sent before it."""
        self._standing.check_sending()
        found = self._phones.find_message(mark.message_id)
        if found is None or found[1].sender != "user":
            raise InvalidParameter("message_id", "does not name a message from a user")
        phone, last = found
        messages = phone.messages_of("cloud")
        for message in reversed(messages[: messages.index(last) + 1]):
            if message.sender == "bot":
                continue
            if message.status is DeliveryStatus.READ:
                break
            self._phones.record_status(phone, message, DeliveryStatus.READ)
        if mark.typing_indicator:
            self._phones.show_typing(phone, self._clock.now())

    def _check_limits(self, phone: Phone) -> None:
        if self._throughput and not self._throughput.take():
            raise CloudError(THROUGHPUT)
        if self._pair_limit and not self._pair_limit.take(phone.number):
            raise CloudError(PAIR_LIMIT)

    def _hydrate(self, call: payloads.OutgoingMessage) -> Hydrated | None:
        if not isinstance(call, payloads.TemplateMessage):
            return None
        hydrated = self._templates.hydrate(call.template)
        if hydrated.category == "AUTHENTICATION" and call.to is None:
            raise CloudError(NEEDS_NUMBER)
        return hydrated

    def _check_media(self, call: payloads.OutgoingMessage) -> None:
        if not isinstance(call, payloads.MediaMessage):
            return
        media_id = call.media.id
        if media_id is not None and self._media.find(media_id) is None:
            raise InvalidParameter(
                f"{call.type}['id']",
                "is not a valid whatsapp business account media attachment ID",
            )
