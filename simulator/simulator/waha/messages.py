"""One bubble as WAHA tells it, and as the engine under it does."""

import mimetypes
from dataclasses import dataclass

from simulator.phones import Phone
from simulator.transcript import DeliveryStatus, Message
from simulator.waha.content import Content, caption_of, content_of, in_go
from simulator.waha.ids import engine_jid, serialized
from simulator.waha.wire import Engine, Json, ack_name, seconds

_ACKS = {
    DeliveryStatus.ACCEPTED: 0,
    DeliveryStatus.SENT: 1,
    DeliveryStatus.DELIVERED: 2,
    DeliveryStatus.READ: 3,
    DeliveryStatus.PLAYED: 4,
    DeliveryStatus.FAILED: -1,
}
# WAHA names voice notes so; Python would call them .oga or .opus, by its version.
_ENDINGS = {"audio/ogg": ".oga", "image/jpeg": ".jpeg", "image/webp": ".webp"}


@dataclass(frozen=True, slots=True)
class Me:
    """Our own number, as this device is linked to it."""

    number: str
    lid: str
    name: str

    @property
    def chat_id(self) -> str:
        return f"{self.number}@c.us"

    def info(self) -> Json:
        return {
            "id": self.chat_id,
            "pushName": self.name,
            "lid": f"{self.lid}@lid",
            "jid": engine_jid(self.chat_id, 12),
        }


@dataclass(frozen=True, slots=True)
class Told:
    """A message with everything that is needed to tell of it. `phone` is None in strange chats."""

    message: Message
    chat_id: str
    phone: Phone | None
    quoted: Message | None = None
    is_echo_of_app: bool = False
    group: str | None = None

    @property
    def from_me(self) -> bool:
        return self.message.sender == "bot"

    @property
    def id(self) -> str:
        return serialized(self._chat, self.message.id, from_me=self.from_me, participant=self._in)

    @property
    def ack(self) -> int | None:
        return _ACKS[self.message.status] if self.from_me else None

    @property
    def _chat(self) -> str:
        return self.group or self.chat_id

    @property
    def _in(self) -> str | None:
        return self.chat_id if self.group else None


def filename_of(message: Message) -> str:
    mime_type = ((message.media and message.media.mime_type) or "").partition(";")[0]
    return message.id + (_ENDINGS.get(mime_type) or mimetypes.guess_extension(mime_type) or ".bin")


def _media_type(message: Message) -> str:
    if message.media is None:
        return ""
    return "ptt" if message.media.voice else message.type


class Teller:
    def __init__(self, engine: Engine, me: Me, session: str, base_url: str) -> None:
        self.engine = engine
        self.me = me
        self._session = session
        self._base_url = base_url

    def message(self, told: Told, *, with_media: bool = True) -> Json:
        """A WAMessage. Without `body` where the engine does not find the text itself."""
        message, content = told.message, self._content(told)
        body: Json = {
            "id": told.id,
            "timestamp": seconds(message.at),
            "from": told.group or self._from(told),
            "fromMe": told.from_me,
            "source": "api" if told.from_me and not told.is_echo_of_app else "app",
            "to": told.chat_id if told.group else None,
            "participant": told.chat_id if told.group else None,
            "body": caption_of(message),
            "hasMedia": message.media is not None,
            "media": self._media(message) if with_media else None,
            "ack": told.ack,
            "ackName": ack_name(told.ack),
            "location": content.location,
            "vCards": [],
            "replyTo": self._reply_to(told),
            "_data": self.raw(told, content),
        }
        if content.has_no_body:
            del body["body"]
        return body

    def answer(self, told: Told) -> Json:
        """What a send answers: NOWEB hands out its own object as it is."""
        return self.raw(told) if self.engine == "NOWEB" else self.message(told)

    def ack(self, told: Told, ack: int) -> Json:
        data: Json = {"MessageIDs": [told.message.id], "Type": ack_name(ack).lower()}
        if self.engine == "NOWEB":
            data = {"key": self._key(told), "update": {"status": ack + 1}}
        return {
            "id": told.id,
            "from": told.chat_id,
            "to": None,
            "participant": None,
            "fromMe": told.from_me,
            "ack": ack,
            "ackName": ack_name(ack),
            "_data": data,
        }

    def raw(self, told: Told, content: Content | None = None) -> Json:
        content = content or self._content(told)
        return self._noweb(told, content) if self.engine == "NOWEB" else self._gows(told, content)

    def _content(self, told: Told) -> Content:
        shape = told.phone.waha.shape if told.phone and not told.from_me else "plain"
        return content_of(told.message, shape, told.quoted, self.me.chat_id, told.chat_id)

    def _media(self, message: Message) -> Json | None:
        if message.media is None:
            return None
        return {
            "url": f"{self._base_url}/api/files/{self._session}/{filename_of(message)}",
            "mimetype": message.media.mime_type or "application/octet-stream",
            "filename": message.media.filename,
            "s3": None,
            "error": None,
        }

    def _reply_to(self, told: Told) -> Json | None:
        if told.message.quote is None or told.message.type == "reaction":
            return None
        quoted = told.quoted
        is_own = quoted is not None and quoted.sender == "bot"
        return {
            "id": told.message.quote,
            "participant": self.me.chat_id if is_own else told.chat_id,
            "body": caption_of(quoted) if quoted else None,
            "hasMedia": quoted is not None and quoted.media is not None,
            "media": None,
        }

    def _noweb(self, told: Told, content: Content) -> Json:
        data: Json = {
            "key": self._key(told),
            "messageTimestamp": seconds(told.message.at),
            "pushName": self._push_name(told),
            "broadcast": False,
            "message": content.proto,
        }
        if told.from_me:
            data["status"] = _ACKS[told.message.status] + 1
        return data

    def _key(self, told: Told) -> Json:
        key: Json = {
            "remoteJid": told.group or engine_jid(told.chat_id),
            "fromMe": told.from_me,
            "id": told.message.id,
        }
        other = self._other_name(told)
        if told.group:
            key["participant"] = engine_jid(told.chat_id, self._device(told))
        elif other:
            key["remoteJidAlt"] = other
        return key

    def _gows(self, told: Told, content: Content) -> Json:
        sender = self.me.chat_id if told.from_me else told.chat_id
        device = 12 if told.from_me else self._device(told)
        info: Json = {
            "Chat": told.group or engine_jid(told.chat_id),
            "Sender": engine_jid(sender, device),
            "IsFromMe": told.from_me,
            "IsGroup": told.group is not None,
            "AddressingMode": "lid" if told.chat_id.endswith("@lid") else "pn",
            "SenderAlt": (self._other_name(told) or "") if not told.from_me else "",
            "RecipientAlt": (self._other_name(told) or "") if told.from_me else "",
            "ID": told.message.id,
            "Type": "media" if told.message.media else "text",
            "MediaType": _media_type(told.message),
            "PushName": self._push_name(told),
            "Timestamp": told.message.at.isoformat(timespec="seconds"),
        }
        return {
            "Info": info,
            "Message": in_go(content.proto),
            "IsEphemeral": content.is_ephemeral,
            "IsViewOnce": False,
            "IsEdit": False,
        }

    def _from(self, told: Told) -> str:
        """Some versions leave the device in the name of a chat."""
        device = self._device(told)
        user, server = told.chat_id.split("@", 1)
        return told.chat_id if device is None else f"{user}:{device}@{server}"

    def _push_name(self, told: Told) -> str:
        if told.from_me or told.phone is None:
            return self.me.name
        return told.phone.name

    def _device(self, told: Told) -> int | None:
        return told.phone.waha.device if told.phone and not told.from_me else None

    def _other_name(self, told: Told) -> str | None:
        """The number beside a LID, when the person's account shows it."""
        phone = told.phone
        if phone is None or phone.waha.lid != "with_number" or not told.chat_id.endswith("@lid"):
            return None
        return engine_jid(f"{phone.wa_id}@c.us")
