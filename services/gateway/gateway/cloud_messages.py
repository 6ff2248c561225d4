"""One message of the Cloud API, turned into ours."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from common.events import InboundKind, Media, MessageReceived, Sender
from common.ids import derived_id
from common.lenient import clean, instant, original_of
from gateway.cloud_parts import Content, File, Item, Person

KNOWN_KINDS = frozenset(get_args(InboundKind))
KEPT_WHOLE = frozenset({"unknown", "unsupported", "system"})


def received(
    item: Item, sender: Sender, *, number_id: str, raw: Any, now: datetime
) -> MessageReceived:
    """`raw` is the item as it came: kept when this version does not understand it."""
    kind = _kind(item)
    return MessageReceived(
        message_id=derived_id("cloud", item.id),
        occurred_at=now,
        channel="cloud",
        number_id=number_id,
        provider_id=item.id,
        sender=_before(item, sender),
        sent_at=instant(item.timestamp, now),
        kind=kind,
        text=clean(_said(item)),
        choice_id=clean(_choice_id(item)),
        quoted_id=item.context.id if item.context else None,
        target_id=_target_id(item),
        media=_media(item),
        became=_became(item, sender),
        original=original_of(raw) if kind in KEPT_WHOLE else None,
    )


def sender_of(item: Item, people: Sequence[Person]) -> Sender:
    """The contacts of a batch are not in the order of its messages, so they are matched by id."""
    previous = item.system.previous_user_id if item.system else None
    sender = known_as(*names(item.sender, item.from_user_id or previous), people)
    return sender if sender.key or len(people) != 1 else known_as(*_names_of(people[0]), people)


def names(number: str | None, scoped_id: str | None) -> tuple[str | None, str | None]:
    """WhatsApp has put a business-scoped id where a number belongs."""
    if not number:
        return None, scoped_id
    digits = number.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        return digits, scoped_id
    return None, scoped_id or number


def known_as(wa_id: str | None, scoped_id: str | None, people: Sequence[Person]) -> Sender:
    """With the names that `people` adds to those of the message itself."""
    for person in people:
        number, other_id = _names_of(person)
        if (wa_id and number == wa_id) or (scoped_id and other_id == scoped_id):
            profile = person.profile
            return Sender(
                wa_id=wa_id or number,
                business_scoped_id=scoped_id or other_id,
                profile_name=clean(profile.name) if profile else None,
                username=clean(profile.username) if profile else None,
            )
    return Sender(wa_id=wa_id, business_scoped_id=scoped_id)


def _names_of(person: Person) -> tuple[str | None, str | None]:
    return names(person.wa_id, person.user_id)


def _kind(item: Item) -> InboundKind:
    if item.type == "interactive":
        if item.interactive is None:
            return "unknown"
        return "choice" if item.interactive.choice else "unsupported"
    if item.type == "voice":
        return "audio"
    return item.type if item.type in KNOWN_KINDS else "unknown"  # type: ignore[return-value]


def _said(item: Item) -> str | None:
    if item.type == "reaction":
        return (item.reaction.emoji if item.reaction else None) or ""
    if item.edit is not None:
        return _text(item.edit.message) if item.edit.message else None
    return _text(item)


def _text(content: Content) -> str | None:
    if content.text is not None:
        return content.text.body
    if content.button is not None:
        return content.button.text
    if (interactive := content.interactive) is not None:
        flow = interactive.nfm_reply
        return interactive.choice.title if interactive.choice else flow.body if flow else None
    if (file := content.file) is not None:
        return file.caption
    return _shown(content)


def _shown(content: Content) -> str | None:
    if content.contacts is not None:
        return ", ".join(card.name.formatted_name for card in content.contacts)
    shown = content.location or content.order
    return str(shown) if shown else None


def _choice_id(item: Item) -> str | None:
    if item.button is not None:
        return item.button.payload
    choice = item.interactive.choice if item.interactive else None
    return choice.id if choice else None


def _target_id(item: Item) -> str | None:
    if item.reaction is not None:
        return item.reaction.message_id
    changed = item.edit or item.revoke
    return changed.original_message_id if changed else None


def _media(item: Item) -> Media | None:
    file: File | None = item.file
    if file is None:
        return None
    return Media(
        id=file.id,
        url=file.url,
        mime_type=file.mime_type or "",
        sha256=file.sha256,
        filename=clean(file.filename),
        is_voice=file.voice is True or item.type == "voice",
    )


def _before(item: Item, sender: Sender) -> Sender:
    """What the sender was called before the news."""
    previous = item.system.previous_user_id if item.system else None
    return sender.model_copy(update={"business_scoped_id": previous}) if previous else sender


def _became(item: Item, sender: Sender) -> Sender | None:
    """The sender's new number or id. Where each of them stands is not documented for every kind
    of news, so whatever is new counts; a changed security code changes no name."""
    system = item.system
    if system is None or system.type == "customer_identity_changed":
        return None
    before = _before(item, sender)
    told_id = system.new_user_id or system.user_id
    wa_id, scoped_id = names(system.wa_id or system.new_wa_id, told_id)
    wa_id = wa_id if wa_id != before.wa_id else None
    scoped_id = scoped_id or sender.business_scoped_id
    if scoped_id == before.business_scoped_id:
        scoped_id = None
    changed = Sender(wa_id=wa_id, business_scoped_id=scoped_id)
    return changed if changed.key else None
