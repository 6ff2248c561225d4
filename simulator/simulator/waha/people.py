"""What a person does in the WAHA chat, and the events that come of it."""

import re
from collections.abc import Callable
from typing import Literal

from simulator import samples
from simulator.clock import Clock
from simulator.media import MediaStore
from simulator.phones import Phone, Phones
from simulator.said import ABOUT_ANOTHER, MEDIA_TYPES, NothingThere, Said, UnknownReply
from simulator.transcript import DeliveryStatus, Media, Message, Option
from simulator.waha.announcing import Announcer
from simulator.waha.chats import NOT_BUBBLES, Chats
from simulator.waha.ids import Ids, serialized
from simulator.waha.messages import Told
from simulator.waha.sessions import Session
from simulator.waha.wire import Json, seconds

NoiseKind = Literal["echo_of_api", "echo_of_app", "group", "channel", "story"]
_MANY = {
    "group": "120363000000000001@g.us",
    "channel": "120363000000000002@newsletter",
    "story": "status@broadcast",
}
_NUMBERED = re.compile(r"^[\s*_]*(\d{1,2})[\s*_]*[).\-–️⃣]+[*_]*\s+[*_]*(.+?)[\s*_]*$", re.MULTILINE)
_WORDS = re.compile(r"\*([^*\n]{1,30})\*")


class WahaPeople:
    def __init__(
        self,
        clock: Clock,
        phones: Phones,
        chats: Chats,
        *,
        media: MediaStore,
        announcer: Announcer,
        ids: Ids,
        session: Callable[[], Session | None],
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._chats = chats
        self._media = media
        self._announcer = announcer
        self._ids = ids
        self._session = session
        self._unheard: list[tuple[Phone, Message]] = []

    def forget_all(self) -> None:
        self._unheard.clear()

    def say(self, phone: Phone, said: Said) -> Message:
        message = self._compose(phone, said)
        self._phones.add_message(phone, message)
        session = self._session()
        if session is None or not session.is_working:
            self._phones.record_status(phone, message, DeliveryStatus.SENT)
            self._unheard.append((phone, message))
        else:
            self._arrive(session, phone, message)
        return message

    def catch_up(self, session: Session, *, tells: bool) -> None:
        """The device is back: WhatsApp hands it what came meanwhile. Hooks seldom hear of it."""
        waiting, self._unheard = self._unheard, []
        for phone, message in waiting:
            self._phones.record_status(phone, message, DeliveryStatus.DELIVERED)
            if tells:
                self._tell(session, phone, message)

    def make_noise(self, phone: Phone, kind: NoiseKind, text: str) -> str:
        """Something that WAHA tells of besides what people write to us."""
        is_echo = kind in ("echo_of_api", "echo_of_app")
        message = Message(
            id=self._ids.outgoing() if is_echo else self._ids.incoming(),
            channel="waha",
            sender="bot" if is_echo else "user",
            type="text",
            text=text,
            at=self._clock.now(),
        )
        chat_id = self._chats.chat_id_of(phone)
        is_app = kind == "echo_of_app"
        group = _MANY.get(kind)
        told = Told(message, chat_id, phone, is_echo_of_app=is_app, group=group)
        session = self._session()
        if session and session.is_working:
            self._announcer.noise(session, told)
        return told.id

    def _arrive(self, session: Session, phone: Phone, message: Message) -> None:
        self._phones.record_status(phone, message, DeliveryStatus.DELIVERED)
        self._tell(session, phone, message)

    def _compose(self, phone: Phone, said: Said) -> Message:
        message = Message(
            id=self._ids.incoming(),
            channel="waha",
            chat_id=self._chats.chat_id_of(phone),
            sender="user",
            type=said.type,
            text=said.text or "",
            quote=said.quote,
            at=self._clock.now(),
        )
        if said.reply is not None:
            self._fill_reply(phone, message, said.reply)
        elif said.type in ABOUT_ANOTHER:
            self._fill_change(phone, message, said)
        elif said.type == "location":
            message.text = f"{said.latitude}, {said.longitude}"
        elif said.type in MEDIA_TYPES:
            self._fill_media(message, said)
        return message

    def _fill_reply(self, phone: Phone, message: Message, reply: str) -> None:
        """There is nothing to tap but polls: people type the number, or the words."""
        asked = self._asked(phone, message.quote)
        options = options_in(asked) if asked else ()
        chosen = _find(options, reply)
        if asked is None or chosen is None:
            raise UnknownReply(reply, options)
        if asked.type == "poll":
            message.type = "vote"
            message.text = chosen.title
            message.quote = asked.id
        else:
            message.text = str(options.index(chosen) + 1) if asked.options else chosen.id

    def _asked(self, phone: Phone, quote: str | None) -> Message | None:
        found = self._phones.find_message(quote) if quote else None
        if found:
            return found[1]
        bubbles = [m for m in phone.messages_of("waha") if m.sender == "bot"]
        return next((m for m in reversed(bubbles) if options_in(m)), None)

    def _fill_change(self, phone: Phone, message: Message, said: Said) -> None:
        target = self._target_of(phone, said)
        message.quote = target.id
        if said.type == "reaction":
            message.text = said.emoji
        elif said.type == "edit":
            target.text, target.is_edited = message.text, True
        else:
            target.is_revoked = True

    def _target_of(self, phone: Phone, said: Said) -> Message:
        whose = "bot" if said.type == "reaction" else "user"
        wanted = said.message_id or said.quote
        for message in reversed(phone.messages_of("waha")):
            if message.id == wanted:
                return message
            if wanted is None and message.sender == whose and message.type not in NOT_BUBBLES:
                return message
        raise NothingThere(said.type)

    def _fill_media(self, message: Message, said: Said) -> None:
        data = samples.sample(said.type, said.text or "") if said.file is None else said.file
        mime_type = said.mime_type or samples.MIME_TYPES[said.type]
        kept = self._media.keep(data, mime_type, said.filename)
        is_voice = said.type == "audio" and said.voice
        message.text = said.caption or (said.text if is_voice else None) or ""
        message.media = Media(
            id=kept.id, mime_type=mime_type, filename=said.filename, voice=is_voice or None
        )

    def _tell(self, session: Session, phone: Phone, message: Message) -> None:
        told = self._chats.told(phone, message)
        match message.type:
            case "reaction":
                self._announcer.tell(session, "message.reaction", self._reaction(told), told)
            case "edit":
                self._announcer.tell(session, "message.edited", self._edited(session, told), told)
            case "revoke":
                self._announcer.tell(session, "message.revoked", self._revoked(session, told), told)
            case "vote":
                self._announcer.tell(session, "poll.vote", self._vote(told), told)
            case _:
                self._announcer.message(session, told)

    def _reaction(self, told: Told) -> Json:
        about = self._target(told)
        return {
            "id": told.id,
            "timestamp": seconds(told.message.at),
            "from": told.chat_id,
            "fromMe": False,
            "source": "app",
            "to": None,
            "participant": None,
            "reaction": {"text": told.message.text, "messageId": about},
        }

    def _edited(self, session: Session, told: Told) -> Json:
        payload = self._announcer.teller(session).message(told) | {
            "body": told.message.text,
            "replyTo": None,
        }
        return payload | {"editedMessageId": told.message.quote}

    def _revoked(self, session: Session, told: Told) -> Json:
        after = self._announcer.teller(session).message(told) | {"replyTo": None}
        after.pop("body", None)
        return {"after": after, "before": None, "revokedMessageId": told.message.quote}

    def _vote(self, told: Told) -> Json:
        return {
            "vote": {
                "id": told.id,
                "selectedOptions": [told.message.text],
                "timestamp": seconds(told.message.at) * 1000,
                "to": self._announcer.me.chat_id,
                "from": told.chat_id,
                "fromMe": False,
                "participant": None,
            },
            "poll": {
                "id": self._target(told),
                "to": told.chat_id,
                "from": self._announcer.me.chat_id,
                "fromMe": True,
                "participant": None,
            },
        }

    def _target(self, told: Told) -> str:
        is_ours = told.quoted is None or told.quoted.sender == "bot"
        return serialized(told.chat_id, told.message.quote or "", from_me=is_ours)


def options_in(message: Message) -> tuple[Option, ...]:
    """What may be typed: a number of the options or lines, or else a bold word at the end."""
    if message.options:
        return message.options
    lines = _NUMBERED.findall(message.text)
    if not lines:
        lines = [(word, word) for word in _WORDS.findall(message.text.rpartition("\n")[2])]
    return tuple(Option(id=typed, title=title) for typed, title in lines)


def _find(options: tuple[Option, ...], reply: str) -> Option | None:
    wanted = reply.strip().casefold()
    by_id = next((option for option in options if option.id == reply), None)
    by_title = next((o for o in options if o.title.strip().casefold() == wanted), None)
    by_start = next((o for o in options if o.title.casefold().startswith(wanted)), None)
    by_number = options[int(reply) - 1 : int(reply)] if reply.isdecimal() and int(reply) else ()
    return by_id or by_title or next(iter(by_number), None) or by_start
