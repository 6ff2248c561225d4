from simulator import payloads, windows
from simulator.bubbles import bubble
from simulator.clock import Clock
from simulator.cloud_errors import CloudError
from simulator.limits import PairLimit, TokenBucket
from simulator.phones import InvalidNumber, Phone, Phones
from simulator.settings import Settings
from simulator.statuses import Sent, Statuses
from simulator.templates import Hydrated, TemplateBook
from simulator.transcript import DeliveryStatus, Message

OUTSIDE_WINDOW = 131047
PAIR_LIMIT = 131056
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
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._templates = templates
        self._statuses = statuses
        self._refuses_at_once = settings.simulator_window_errors == "sync"
        self._pair_limit = PairLimit() if settings.simulator_pair_limit else None
        rate = settings.simulator_throughput_per_second
        self._throughput = TokenBucket(rate, burst=rate) if rate else None

    def recipient(self, call: payloads.OutgoingMessage) -> Phone:
        try:
            return self._phones.get_or_create(call.to)
        except InvalidNumber as error:
            raise CloudError(100, "Param to must be a valid phone number") from error

    def accept(
        self, call: payloads.OutgoingMessage, phone: Phone, failure_code: int | None = None
    ) -> Message:
        """The message as accepted; `failure_code` makes it fail later."""
        self._check_limits(phone)
        hydrated = self._hydrate(call)
        if hydrated is None and not windows.is_open(phone.last_inbound_at, self._clock.now()):
            if self._refuses_at_once:
                raise CloudError(OUTSIDE_WINDOW)
            failure_code = failure_code or OUTSIDE_WINDOW
        message = bubble(call, phone.wa_id, self._clock.now(), hydrated)
        self._phones.add_message(phone, message)
        category = hydrated.category if hydrated else None
        sent = Sent(phone, message, call.biz_opaque_callback_data, category)
        self._statuses.follow(sent, failure_code)
        return message

    def mark_read(self, mark: payloads.ReadMark) -> None:
        """A message is read together with everything the person sent before it."""
        found = self._phones.find_message(mark.message_id)
        if found is None or found[1].sender != "user":
            raise CloudError(100, "Param message_id does not name a message from a user")
        phone, last = found
        is_reached = False
        for message in reversed(phone.messages):
            is_reached = is_reached or message is last
            if not is_reached or message.sender == "bot":
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
        if isinstance(call, payloads.TemplateMessage):
            return self._templates.hydrate(call.template)
        return None
