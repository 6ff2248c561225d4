"""The parts of a Cloud API webhook, as far as we read them.

What a message cannot do without is strict; everything else is lenient, so that one odd part costs
itself only and not the message.
"""

from pydantic import Field

from common.lenient import Lenient, LenientPart


class Text(LenientPart):
    body: str = ""


class Button(LenientPart):
    payload: str | None = None
    text: str | None = None


class Choice(LenientPart):
    id: str
    title: str | None = None


class FlowReply(LenientPart):
    body: Lenient[str] = None


class Interactive(LenientPart):
    type: Lenient[str] = None
    button_reply: Lenient[Choice] = None
    list_reply: Lenient[Choice] = None
    nfm_reply: Lenient[FlowReply] = None

    @property
    def choice(self) -> Choice | None:
        return self.button_reply or self.list_reply


class File(LenientPart):
    id: Lenient[str] = None
    url: Lenient[str] = None
    mime_type: Lenient[str] = None
    sha256: Lenient[str] = None
    filename: Lenient[str] = None
    caption: Lenient[str] = None
    voice: Lenient[bool] = None


class Location(LenientPart):
    name: Lenient[str] = None
    address: Lenient[str] = None
    latitude: Lenient[str] = None
    longitude: Lenient[str] = None

    def __str__(self) -> str:
        named = [part for part in (self.name, self.address) if part]
        return ", ".join(named) or f"{self.latitude}, {self.longitude}"


class CardName(LenientPart):
    formatted_name: str


class Card(LenientPart):
    name: CardName


class Product(LenientPart):
    product_retailer_id: str
    quantity: Lenient[str] = None

    def __str__(self) -> str:
        return f"{self.quantity or 1} x {self.product_retailer_id}"


class Order(LenientPart):
    text: Lenient[str] = None
    product_items: Lenient[tuple[Product, ...]] = None

    def __str__(self) -> str:
        return self.text or ", ".join(str(product) for product in self.product_items or ())


class Reaction(LenientPart):
    message_id: str
    emoji: Lenient[str] = None
    """Empty or missing: taken back."""


class System(LenientPart):
    """News of the sender: only `user_changed_number` is documented in full."""

    type: Lenient[str] = None
    wa_id: Lenient[str] = None
    new_wa_id: Lenient[str] = None
    user_id: Lenient[str] = None
    new_user_id: Lenient[str] = None
    previous_user_id: Lenient[str] = None


class Context(LenientPart):
    id: Lenient[str] = None


class Content(LenientPart):
    """What is said: by a message, or by the new version of one that was edited."""

    text: Text | None = None
    button: Button | None = None
    interactive: Lenient[Interactive] = None
    image: Lenient[File] = None
    video: Lenient[File] = None
    audio: Lenient[File] = None
    voice: Lenient[File] = None
    document: Lenient[File] = None
    sticker: Lenient[File] = None
    location: Lenient[Location] = None
    contacts: Lenient[tuple[Card, ...]] = None
    order: Lenient[Order] = None

    @property
    def file(self) -> File | None:
        return self.image or self.audio or self.voice or self.video or self.document or self.sticker


class Edit(LenientPart):
    original_message_id: str
    message: Lenient[Content] = None


class Revoke(LenientPart):
    original_message_id: str


class Item(Content):
    """One of `messages`."""

    id: str
    timestamp: Lenient[str] = None
    type: str = "unknown"
    sender: Lenient[str] = Field(default=None, alias="from")
    """A number, and for somebody who hides it perhaps a business-scoped id."""
    from_user_id: Lenient[str] = None
    group_id: Lenient[str] = None
    context: Lenient[Context] = None
    reaction: Lenient[Reaction] = None
    edit: Lenient[Edit] = None
    revoke: Lenient[Revoke] = None
    system: Lenient[System] = None


class ErrorData(LenientPart):
    details: str


class Error(LenientPart):
    code: int
    title: Lenient[str] = None
    error_data: Lenient[ErrorData | str] = None

    @property
    def detail(self) -> str | None:
        told = self.error_data
        return (told.details if isinstance(told, ErrorData) else told) or self.title


class Status(LenientPart):
    """One of `statuses`."""

    id: str
    status: str
    timestamp: Lenient[str] = None
    biz_opaque_callback_data: Lenient[str] = None
    errors: Lenient[tuple[Error, ...]] = None


class Profile(LenientPart):
    name: Lenient[str] = None
    username: Lenient[str] = None


class Person(LenientPart):
    """One of `contacts`, which are not in the order of the messages."""

    wa_id: Lenient[str] = None
    user_id: Lenient[str] = None
    profile: Lenient[Profile] = None


class Preference(LenientPart):
    """One of `user_preferences`."""

    category: str
    value: str
    wa_id: Lenient[str] = None
    user_id: Lenient[str] = None
    timestamp: Lenient[str] = None
