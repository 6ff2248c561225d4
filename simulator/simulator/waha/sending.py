"""What becomes of a message that was accepted: a bubble and its acks, or nothing at all."""

import asyncio
from collections import Counter

from simulator.clock import Clock
from simulator.faults import Faults, Kind
from simulator.media import MediaStore
from simulator.phones import Phone, Phones
from simulator.settings import Settings
from simulator.transcript import DeliveryStatus, Media, Message, MessageError, Option
from simulator.waha import payloads
from simulator.waha.announcing import Announcer
from simulator.waha.chats import Chats, Stray
from simulator.waha.ids import Ids, bare_id, plain_chat_id
from simulator.waha.messages import Told
from simulator.waha.sessions import Session

_NEXT = {
    DeliveryStatus.SENT: DeliveryStatus.DELIVERED,
    DeliveryStatus.DELIVERED: DeliveryStatus.READ,
}
_ACKS = {DeliveryStatus.SENT: 1, DeliveryStatus.DELIVERED: 2, DeliveryStatus.READ: 3}
_NOT_DELIVERED = MessageError(code=463, title="WhatsApp did not take the message")


class WahaSending:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        phones: Phones,
        chats: Chats,
        *,
        faults: Faults,
        media: MediaStore,
        announcer: Announcer,
        ids: Ids,
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._chats = chats
        self._faults = faults
        self._media = media
        self._announcer = announcer
        self._ids = ids
        self._gap_seconds = settings.simulator_status_gap_seconds
        self.repeats: Counter[str] = Counter()
        """How often an id came again: each is a double send that WhatsApp caught."""

    def accept(self, session: Session, call: payloads.Outgoing, *, fails: bool = False) -> Told:
        chat_id = plain_chat_id(call.chatId)
        message_id = call.id or self._ids.outgoing()
        before = self._chats.find(message_id)
        if before is not None:
            self.repeats[message_id] += 1
            return before
        message = self._bubble(call, message_id, chat_id)
        phone = self._chats.phone_at(chat_id)
        if phone is None or session.is_silent:
            return self._keep(phone, message, chat_id)
        return self.show(session, phone, message, fails=fails)

    def _keep(self, phone: Phone | None, message: Message, chat_id: str) -> Told:
        number = phone.number if phone else None
        self._chats.keep_stray(Stray(chat_id=chat_id, message=message, number=number))
        return Told(message, chat_id, phone)

    def show(
        self, session: Session, phone: Phone, message: Message, *, fails: bool = False
    ) -> Told:
        self._phones.add_message(phone, message)
        told = self._chats.told(phone, message)
        self._announcer.message(session, told)
        fault = self._faults.strike("status", {Kind.FAILED_STATUS}, phone.number, "waha")
        loop = asyncio.get_running_loop()
        if fails or fault:
            loop.call_later(self._gap_seconds, self._fail, session, told)
        else:
            loop.call_later(self._gap_seconds, self._step, session, told, DeliveryStatus.SENT)
        return told

    def _step(self, session: Session, told: Told, status: DeliveryStatus) -> None:
        phone = told.phone
        if phone is None or self._phones.find_message(told.message.id) is None:
            return  # everything was forgotten meanwhile
        if status is DeliveryStatus.READ and not phone.has_receipts:
            return
        if status is DeliveryStatus.DELIVERED and phone.has_blocked:
            return
        self._phones.record_status(phone, told.message, status)
        self._announcer.ack(session, told, _ACKS[status])
        following = _NEXT.get(status)
        if following:
            loop = asyncio.get_running_loop()
            loop.call_later(self._gap_seconds, self._step, session, told, following)

    def _fail(self, session: Session, told: Told) -> None:
        if told.phone and self._phones.find_message(told.message.id):
            failed = DeliveryStatus.FAILED
            self._phones.record_status(told.phone, told.message, failed, _NOT_DELIVERED)
            self._announcer.ack(session, told, -1)

    def release_held(self, session: Session) -> None:
        for phone, message in self._chats.take_held():
            self.show(session, phone, message)

    def _bubble(self, call: payloads.Outgoing, message_id: str, chat_id: str) -> Message:
        message = Message(
            id=message_id,
            channel="waha",
            chat_id=chat_id,
            sender="bot",
            type="text",
            at=self._clock.now(),
            quote=bare_id(call.reply_to) if call.reply_to else None,
        )
        match call:
            case payloads.TextRequest():
                message.text = call.text
            case payloads.FileRequest():
                self._fill_file(message, call)
            case payloads.PollRequest():
                message.type = "poll"
                message.text = call.poll.name
                message.options = tuple(Option(id=o, title=o) for o in call.poll.options)
            case payloads.ListRequest():
                _fill_list(message, call.message)
        return message

    def _fill_file(self, message: Message, call: payloads.FileRequest) -> None:
        file = call.file
        message.type = _type_of(file.mimetype)
        message.text = call.caption
        data = file.content()
        kept = self._media.keep(data, file.mimetype, file.filename) if data else None
        message.media = Media(
            id=kept.id if kept else None,
            link=file.url,
            filename=file.filename,
            mime_type=file.mimetype,
            voice=True if message.type == "audio" else None,
        )


def _type_of(mime_type: str) -> str:
    kind = mime_type.partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"


def _fill_list(message: Message, content: payloads.ListMessage) -> None:
    rows = [(section, row) for section in content.sections for row in section.rows]
    message.options = tuple(
        Option(
            id=row.rowId,
            title=row.title,
            description=row.description,
            section=section.title or None,
        )
        for section, row in rows
    )
    numbered = [f"{number}) {row.title}" for number, (_, row) in enumerate(rows, start=1)]
    message.header = content.title
    message.footer = content.footer
    message.text = "\n".join([*filter(None, [content.description]), *numbered])
