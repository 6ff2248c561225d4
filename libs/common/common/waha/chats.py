"""How WAHA names chats, people and messages: the same one in many spellings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from common.events import Sender
from common.lenient import dig, text_at

# `true_<chat>_<ID>`, in groups `true_<chat>_<ID>_<participant>`
_FULL_ID = re.compile(r"(?:true|false)_[^_]*_(.+?)(?:_[^_]*@[^_]*)?", re.DOTALL)
_CHAT_IN_ID = re.compile(r"(?:true|false)_([^_]+@[^_]+)_.*", re.DOTALL)
# `<digits>`, then perhaps an agent and a device: `5511987654321:18@s.whatsapp.net`
_PERSON = re.compile(r"([0-9]{1,32})(?:[._:][0-9]+)*@(c\.us|s\.whatsapp\.net|lid)")
_MANY = ("@g.us", "@broadcast", "@newsletter")
_WHATSAPP_ITSELF = frozenset({"0@c.us", "0@s.whatsapp.net"})

# Where the engines put the other name of somebody who is seen by one of two.
_OTHER_NAMES = (
    ("key", "remoteJidAlt"),
    ("key", "senderPn"),
    ("key", "senderLid"),
    ("Info", "SenderAlt"),
    ("senderPn",),
    ("senderLid",),
)
_PROFILE_NAMES = (("pushName",), ("notifyName",), ("Info", "PushName"))


@dataclass(frozen=True)
class ChatId:
    """A chat with one person."""

    user: str
    is_hidden: bool

    def __str__(self) -> str:
        return f"{self.user}@{'lid' if self.is_hidden else 'c.us'}"


def bare_id(message_id: str) -> str:
    """The part of a message's id that stays the same whichever name its chat goes by."""
    found = _FULL_ID.fullmatch(message_id)
    return found[1] if found else message_id


def chat_in(message_id: str) -> str | None:
    found = _CHAT_IN_ID.fullmatch(message_id)
    return found[1] if found else None


def chat_of(name: object) -> ChatId | None:
    """A person's chat, without its device; None for everything else."""
    found = _PERSON.fullmatch(name) if isinstance(name, str) else None
    return ChatId(user=found[1], is_hidden=found[2] == "lid") if found else None


def is_nobody(name: object) -> bool:
    """Groups, broadcast lists, stories, channels, and WhatsApp's own announcements."""
    return isinstance(name, str) and (name.endswith(_MANY) or name in _WHATSAPP_ITSELF)


def sender_of(chat: ChatId, raw: object) -> Sender:
    """Every name that a message carries; `raw` is the engine's own form of it."""
    others = (chat_of(dig(raw, *path)) for path in _OTHER_NAMES)
    chats = [chat, *(other for other in others if other)]
    hidden = _first(each.user for each in chats if each.is_hidden)
    return Sender(
        wa_id=_first(each.user for each in chats if not each.is_hidden),
        lid=f"{hidden}@lid" if hidden else None,
        profile_name=_first(filter(None, (text_at(raw, *path) for path in _PROFILE_NAMES))),
    )


def _first(found: Iterable[str]) -> str | None:
    return next(iter(found), None)
