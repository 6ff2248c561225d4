"""A person's message, as the messages webhook carries it."""

from typing import Literal

from pydantic import Field

from simulator.cloud_errors import HELP
from simulator.wire import Wire


class Context(Wire):
    sender: str | None = Field(serialization_alias="from")
    id: str


class Text(Wire):
    body: str


class Button(Wire):
    payload: str
    text: str


class Choice(Wire):
    id: str
    title: str
    description: str | None = None


class Interactive(Wire):
    type: Literal["button_reply", "list_reply"]
    button_reply: Choice | None = None
    list_reply: Choice | None = None


class Media(Wire):
    id: str
    mime_type: str
    sha256: str
    caption: str | None = None
    filename: str | None = None
    voice: bool | None = None
    animated: bool | None = None


class Location(Wire):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class ContactName(Wire):
    formatted_name: str
    first_name: str


class ContactPhone(Wire):
    phone: str
    wa_id: str
    type: Literal["CELL"] = "CELL"


class ContactCard(Wire):
    name: ContactName
    phones: list[ContactPhone]


class OrderedItem(Wire):
    product_retailer_id: str = "simulated-item"
    quantity: int = 1
    item_price: int = 10
    currency: str = "BRL"


class Order(Wire):
    catalog_id: str = "100000000000003"
    text: str = ""
    product_items: list[OrderedItem] = [OrderedItem()]


class Reaction(Wire):
    message_id: str
    emoji: str | None = None


class EditedMessage(Wire):
    type: Literal["text"]
    text: Text


class Edit(Wire):
    original_message_id: str
    message: EditedMessage


class Revoke(Wire):
    original_message_id: str


class Unsupported(Wire):
    type: str = "poll_creation"


class System(Wire):
    type: Literal["user_changed_number", "user_changed_user_id"]
    body: str
    wa_id: str | None = None
    user_id: str | None = None
    previous_user_id: str | None = None


class ErrorData(Wire):
    details: str


class Problem(Wire):
    code: int
    title: str
    message: str
    error_data: ErrorData | str | None = None
    href: str = HELP


class InboundMessage(Wire):
    context: Context | None = None
    sender: str | None = Field(default=None, serialization_alias="from")
    from_user_id: str | None = None
    id: str
    timestamp: str
    type: str
    text: Text | None = None
    button: Button | None = None
    interactive: Interactive | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    location: Location | None = None
    contacts: list[ContactCard] | None = None
    order: Order | None = None
    reaction: Reaction | None = None
    edit: Edit | None = None
    revoke: Revoke | None = None
    system: System | None = None
    unsupported: Unsupported | None = None
    errors: list[Problem] | None = None


def card(name: str, number: str) -> ContactCard:
    first, *_ = name.split() or [name]
    return ContactCard(
        name=ContactName(formatted_name=name, first_name=first),
        phones=[ContactPhone(phone=f"+{number}", wa_id=number)],
    )
