"""What a person does on the phone, and the webhooks that come of it."""

import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from simulator import webhooks
from simulator.clock import Clock
from simulator.delivery import Update, WebhookDelivery
from simulator.phones import Phone, Phones
from simulator.transcript import DeliveryStatus, Message, Option, new_message_id

SaidType = Literal["text", "image", "audio", "sticker", "location", "reaction", "unsupported"]
_MIME_TYPES = {"image": "image/jpeg", "audio": "audio/ogg; codecs=opus", "sticker": "image/webp"}
_MESSAGE_TYPE_UNKNOWN = 131051


class Said(BaseModel):
    """`{"text"}`, `{"reply"}`, or another `type` with what belongs to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: SaidType = "text"
    text: str | None = None
    reply: str | None = None
    name: str | None = None
    quote: str | None = None
    caption: str | None = None
    voice: bool = True
    emoji: str = "👍"
    message_id: str | None = None
    latitude: float = -23.5505
    longitude: float = -46.6333

    @model_validator(mode="after")
    def says_something(self) -> "Said":
        if self.type == "text" and (self.text is None) == (self.reply is None):
            raise ValueError("give either text or reply")
        return self


class UnknownReply(LookupError):
    def __init__(self, reply: str, options: tuple[Option, ...]) -> None:
        self.options = options
        super().__init__(f"no option has the id or title {reply!r}")


class NothingToReactTo(LookupError):
    def __init__(self) -> None:
        super().__init__("there is no message to react to")


class People:
    def __init__(
        self, clock: Clock, phones: Phones, delivery: WebhookDelivery, account: webhooks.Account
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._delivery = delivery
        self._account = account

    def say(self, phone: Phone, said: Said) -> Message:
        message, wire = self._compose(phone, said)
        if said.type != "reaction":
            phone.last_inbound_at = message.at
        self._phones.add_message(phone, message)

        def delivered() -> None:
            self._phones.record_status(phone, message, DeliveryStatus.DELIVERED)

        value = self._account.with_message(phone, wire)
        self._delivery.enqueue(Update(value, phone.number, delivered))
        return message

    def _compose(self, phone: Phone, said: Said) -> tuple[Message, webhooks.InboundMessage]:
        message = Message(
            id=new_message_id(phone.wa_id, "user"),
            sender="user",
            type=said.type,
            text=said.text or "",
            quote=said.quote,
            at=self._clock.now(),
        )
        if said.reply is not None:
            return self._compose_reply(phone, message, said.reply)
        if said.type == "reaction":
            return self._compose_reaction(phone, message, said)
        return self._compose_plain(phone, message, said)

    def _compose_reply(
        self, phone: Phone, message: Message, reply: str
    ) -> tuple[Message, webhooks.InboundMessage]:
        asked = self._asked(phone, message.quote)
        option = _find_option(asked.options, reply) if asked else None
        if asked is None or option is None:
            raise UnknownReply(reply, asked.options if asked else ())
        message.text = option.title
        message.quote = asked.id
        message.type = "button" if asked.template else "interactive"
        wire = self._wire(phone, message)
        if asked.template:
            button = webhooks.Button(payload=option.id, text=option.title)
            return message, wire.model_copy(update={"button": button})
        return message, wire.model_copy(update={"interactive": _choice(asked, option)})

    def _asked(self, phone: Phone, quote: str | None) -> Message | None:
        """The quoted message: buttons far up in a chat can still be tapped. Or else the last."""
        found = self._phones.find_message(quote) if quote else None
        return found[1] if found else phone.last_with_options()

    def _compose_reaction(
        self, phone: Phone, message: Message, said: Said
    ) -> tuple[Message, webhooks.InboundMessage]:
        target = said.message_id or next(
            (m.id for m in reversed(phone.messages) if m.sender == "bot"), None
        )
        if target is None:
            raise NothingToReactTo
        message.text = said.emoji
        wire = self._wire(phone, message)
        message.quote = target
        reaction = webhooks.Reaction(message_id=target, emoji=said.emoji or None)
        return message, wire.model_copy(update={"reaction": reaction})

    def _compose_plain(
        self, phone: Phone, message: Message, said: Said
    ) -> tuple[Message, webhooks.InboundMessage]:
        wire = self._wire(phone, message)
        match said.type:
            case "text":
                part: dict[str, object] = {"text": webhooks.Text(body=message.text)}
            case "location":
                place = webhooks.Location(latitude=said.latitude, longitude=said.longitude)
                message.text = f"{said.latitude}, {said.longitude}"
                part = {"location": place}
            case "unsupported":
                part = {"errors": [webhooks.problem(_MESSAGE_TYPE_UNKNOWN)]}
            case _:
                message.text = said.caption or ""
                part = {said.type: _media(said)}
        return message, wire.model_copy(update=part)

    def _wire(self, phone: Phone, message: Message) -> webhooks.InboundMessage:
        return webhooks.InboundMessage(
            sender=phone.wa_id,
            id=message.id,
            timestamp=webhooks.unix_seconds(message.at),
            type=message.type,
            context=self._context(phone, message.quote),
        )

    def _context(self, phone: Phone, quote: str | None) -> webhooks.Context | None:
        if quote is None:
            return None
        found = self._phones.find_message(quote)
        is_own = found is not None and found[1].sender == "user"
        business = self._account.metadata.display_phone_number
        return webhooks.Context(sender=phone.wa_id if is_own else business, id=quote)


def _find_option(options: tuple[Option, ...], reply: str) -> Option | None:
    wanted = reply.strip().casefold()
    by_id = next((option for option in options if option.id == reply), None)
    return by_id or next((o for o in options if o.title.strip().casefold() == wanted), None)


def _choice(asked: Message, option: Option) -> webhooks.Interactive:
    if asked.interactive == "list":
        row = webhooks.Choice(id=option.id, title=option.title, description=option.description)
        return webhooks.Interactive(type="list_reply", list_reply=row)
    reply = webhooks.Choice(id=option.id, title=option.title)
    return webhooks.Interactive(type="button_reply", button_reply=reply)


def _media(said: Said) -> webhooks.Media:
    return webhooks.Media(
        id=str(10**15 + secrets.randbelow(10**15)),
        mime_type=_MIME_TYPES[said.type],
        sha256=secrets.token_urlsafe(32),
        caption=said.caption if said.type == "image" else None,
        voice=said.voice if said.type == "audio" else None,
        animated=False if said.type == "sticker" else None,
    )
