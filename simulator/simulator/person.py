"""What a person does in the chat with the Cloud API's number, and the webhooks of it."""

from simulator import inbound, samples
from simulator.clock import Clock
from simulator.delivery import Update, WebhookDelivery
from simulator.inbound import InboundMessage
from simulator.media import MediaStore
from simulator.phones import Phone, Phones
from simulator.said import ABOUT_ANOTHER, MEDIA_TYPES, NothingThere, Said, UnknownReply
from simulator.transcript import DeliveryStatus, Media, Message, Option
from simulator.webhooks import Account, problem

MESSAGE_TYPE_UNKNOWN = 131051
_CONTACT_NAME = "Bruno Lima"
_CONTACT_NUMBER = "5511912345678"

Composed = tuple[Message, InboundMessage]


class People:
    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        delivery: WebhookDelivery,
        account: Account,
        media: MediaStore,
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._delivery = delivery
        self._account = account
        self._media = media

    def say(self, phone: Phone, said: Said) -> Message:
        message, wire = self._compose(phone, said)
        if said.type not in ABOUT_ANOTHER:
            phone.last_inbound_at = message.at
        self._phones.add_message(phone, message)
        self._deliver(phone, message, wire)
        return message

    def _deliver(self, phone: Phone, message: Message, wire: InboundMessage) -> None:
        def delivered() -> None:
            self._phones.record_status(phone, message, DeliveryStatus.DELIVERED)

        value = self._account.with_message(phone, wire)
        self._delivery.enqueue(Update(value, phone.number, delivered))

    def _compose(self, phone: Phone, said: Said) -> Composed:
        message = Message(
            id=self._phones.new_message_id(phone, "user"),
            sender="user",
            type=said.type,
            text=said.text or "",
            quote=said.quote,
            at=self._clock.now(),
        )
        if said.reply is not None:
            return self._compose_reply(phone, message, said.reply)
        if said.type in ABOUT_ANOTHER:
            return self._compose_about(phone, message, said)
        if said.type in MEDIA_TYPES:
            return self._compose_media(phone, message, said)
        return self._compose_plain(phone, message, said)

    def _compose_reply(self, phone: Phone, message: Message, reply: str) -> Composed:
        asked = self._asked(phone, message.quote)
        option = find_option(asked.options, reply) if asked else None
        if asked is None or option is None:
            raise UnknownReply(reply, asked.options if asked else ())
        message.text = option.title
        message.quote = asked.id
        message.type = "button" if asked.template else "interactive"
        wire = self._wire(phone, message)
        if asked.template:
            button = inbound.Button(payload=option.id, text=option.title)
            return message, wire.model_copy(update={"button": button})
        return message, wire.model_copy(update={"interactive": _choice(asked, option)})

    def _asked(self, phone: Phone, quote: str | None) -> Message | None:
        """The quoted message: buttons far up in a chat can still be tapped. Or else the last."""
        found = self._phones.find_message(quote) if quote else None
        return found[1] if found else phone.last_with_options()

    def _compose_about(self, phone: Phone, message: Message, said: Said) -> Composed:
        target = self._target(phone, said)
        wire = self._wire(phone, message)
        message.quote = target.id
        part: dict[str, object]
        if said.type == "reaction":
            message.text = said.emoji
            reaction = inbound.Reaction(message_id=target.id, emoji=said.emoji or None)
            part = {"reaction": reaction}
        elif said.type == "edit":
            target.text, target.is_edited = message.text, True
            edited = inbound.EditedMessage(type="text", text=inbound.Text(body=message.text))
            part = {"edit": inbound.Edit(original_message_id=target.id, message=edited)}
        else:
            target.is_revoked = True
            part = {"revoke": inbound.Revoke(original_message_id=target.id)}
        return message, wire.model_copy(update=part)

    def _target(self, phone: Phone, said: Said) -> Message:
        if said.message_id:
            found = self._phones.find_message(said.message_id)
            target = found[1] if found else None
        else:
            sender = "bot" if said.type == "reaction" else "user"
            target = next(
                (
                    m
                    for m in reversed(phone.messages_of("cloud"))
                    if m.sender == sender and m.type not in ABOUT_ANOTHER and not m.is_revoked
                ),
                None,
            )
        if target is None:
            raise NothingThere(said.type)
        return target

    def _compose_media(self, phone: Phone, message: Message, said: Said) -> Composed:
        is_voice = said.type == "audio" and said.voice
        file = said.file
        if file is None:
            file = samples.sample(said.type, said.text or "")
        mime_type = said.mime_type or samples.MIME_TYPES[said.type]
        filename = said.filename or ("document.pdf" if said.type == "document" else None)
        kept = self._media.keep(file, mime_type, filename)
        message.text = said.caption or (said.text if is_voice else None) or ""
        message.media = Media(
            id=kept.id, mime_type=mime_type, filename=filename, voice=is_voice or None
        )
        wire = inbound.Media(
            id=kept.id,
            mime_type=mime_type,
            sha256=kept.sha256_base64,
            caption=said.caption if said.type in {"image", "video", "document"} else None,
            filename=filename if said.type == "document" else None,
            voice=said.voice if said.type == "audio" else None,
            animated=False if said.type == "sticker" else None,
        )
        return message, self._wire(phone, message).model_copy(update={said.type: wire})

    def _compose_plain(self, phone: Phone, message: Message, said: Said) -> Composed:
        wire = self._wire(phone, message)
        part: dict[str, object]
        match said.type:
            case "text":
                part = {"text": inbound.Text(body=message.text)}
            case "location":
                message.text = f"{said.latitude}, {said.longitude}"
                place = inbound.Location(latitude=said.latitude, longitude=said.longitude)
                part = {"location": place}
            case "contacts":
                message.text = said.text or _CONTACT_NAME
                part = {"contacts": [inbound.card(message.text, _CONTACT_NUMBER)]}
            case "order":
                part = {"order": inbound.Order(text=message.text)}
            case _:
                problems = [problem(MESSAGE_TYPE_UNKNOWN)]
                part = {"errors": problems, "unsupported": inbound.Unsupported()}
        return message, wire.model_copy(update=part)

    def _wire(self, phone: Phone, message: Message) -> InboundMessage:
        return InboundMessage(
            sender=phone.shown_wa_id,
            from_user_id=self._account.user_id_of(phone),
            id=message.id,
            timestamp=self._account.timestamp(message.at),
            type=message.type,
            context=self._context(phone, message.quote),
        )

    def _context(self, phone: Phone, quote: str | None) -> inbound.Context | None:
        if quote is None:
            return None
        found = self._phones.find_message(quote)
        is_own = found is not None and found[1].sender == "user"
        business = self._account.metadata.display_phone_number
        return inbound.Context(sender=phone.shown_wa_id if is_own else business, id=quote)


def find_option(options: tuple[Option, ...], reply: str) -> Option | None:
    """By id, or by the title in any case."""
    wanted = reply.strip().casefold()
    by_id = next((option for option in options if option.id == reply), None)
    return by_id or next((o for o in options if o.title.strip().casefold() == wanted), None)


def _choice(asked: Message, option: Option) -> inbound.Interactive:
    if asked.interactive == "list":
        row = inbound.Choice(id=option.id, title=option.title, description=option.description)
        return inbound.Interactive(type="list_reply", list_reply=row)
    reply = inbound.Choice(id=option.id, title=option.title)
    return inbound.Interactive(type="button_reply", button_reply=reply)
