"""What a business may send to the messages endpoint, with WhatsApp's limits."""

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from simulator.cloud_errors import CloudError, MissingParameter

REFUSED = "refused_value"
MediaType = Literal["image", "video", "audio", "document", "sticker"]
MEDIA_TYPES: frozenset[str] = frozenset(get_args(MediaType))


def utf16_length(text: str) -> int:
    """WhatsApp counts as Java and JavaScript do: an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def up_to(limit: int, minimum: int = 1) -> AfterValidator:
    def check(text: str) -> str:
        if not minimum <= utf16_length(text) <= limit or (minimum and not text.strip()):
            raise refused(f"length invalid. Min length: {minimum}, Max length: {limit}")
        return text

    return AfterValidator(check)


def without_edge_spaces(text: str) -> str:
    if text != text.strip():
        raise refused("must not begin or end with a space")
    return text


def message_id(text: str) -> str:
    if not text.startswith("wamid."):
        raise refused("message_id must be the id of a message")
    return text


OptionId = AfterValidator(without_edge_spaces)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Quote(Part):
    message_id: Annotated[str, up_to(512), AfterValidator(message_id)]


class Text(Part):
    body: Annotated[str, up_to(4096)]
    preview_url: bool = False


class Media(Part):
    id: str | None = None
    link: str | None = None
    caption: Annotated[str, up_to(1024, 0)] = ""
    filename: str | None = None
    voice: bool | None = None

    @model_validator(mode="after")
    def has_a_source(self) -> "Media":
        if not (self.id or self.link):
            raise refused("either id or link is required")
        return self


class Reaction(Part):
    message_id: str
    emoji: str = ""


class Header(Part):
    type: Literal["text", "image", "video", "document"]
    text: Annotated[str, up_to(60)] | None = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None

    @model_validator(mode="after")
    def has_its_content(self) -> "Header":
        if not (self.text or self.image or self.video or self.document):
            raise refused(f"{self.type} is required")
        return self


class Body(Part):
    text: Annotated[str, up_to(1024)]


class Footer(Part):
    text: Annotated[str, up_to(60)]


class Reply(Part):
    id: Annotated[str, up_to(256), OptionId]
    title: Annotated[str, up_to(20)]


class Button(Part):
    type: Literal["reply"]
    reply: Reply


class ButtonAction(Part):
    buttons: list[Button]

    @model_validator(mode="after")
    def one_to_three_unique(self) -> "ButtonAction":
        if not 1 <= len(self.buttons) <= 3:
            raise refused("Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
        refuse_duplicates([button.reply.title for button in self.buttons], "button title")
        refuse_duplicates([button.reply.id for button in self.buttons], "button id")
        return self


class Row(Part):
    id: Annotated[str, up_to(200), OptionId]
    title: Annotated[str, up_to(24)]
    description: Annotated[str, up_to(72, 0)] | None = None


class Section(Part):
    title: Annotated[str, up_to(24, 0)] = ""
    rows: Annotated[list[Row], Field(min_length=1)]


class ListAction(Part):
    button: Annotated[str, up_to(20)]
    sections: Annotated[list[Section], Field(min_length=1)]

    @model_validator(mode="after")
    def at_most_ten_rows(self) -> "ListAction":
        rows = [row for section in self.sections for row in section.rows]
        if len(rows) > 10:
            raise refused("Total row count exceed max allowed count: 10")
        if len(self.sections) > 1 and not all(section.title for section in self.sections):
            raise refused("section title is required when there is more than one section")
        refuse_duplicates([row.id for row in rows], "row id")
        return self


class ButtonInteractive(Part):
    type: Literal["button"]
    header: Header | None = None
    body: Body
    footer: Footer | None = None
    action: ButtonAction


class LinkParameters(Part):
    display_text: Annotated[str, up_to(20)]
    url: str


class LinkAction(Part):
    name: Literal["cta_url"]
    parameters: LinkParameters


class LinkInteractive(Part):
    type: Literal["cta_url"]
    header: Header | None = None
    body: Body
    footer: Footer | None = None
    action: LinkAction


class ListInteractive(Part):
    type: Literal["list"]
    header: Header | None = None
    body: Body
    footer: Footer | None = None
    action: ListAction

    @model_validator(mode="after")
    def only_a_text_header(self) -> "ListInteractive":
        if self.header and self.header.type != "text":
            raise refused("a list takes only a text header")
        return self


Interactive = Annotated[
    ButtonInteractive | ListInteractive | LinkInteractive, Field(discriminator="type")
]


class Language(Part):
    code: str


class Parameter(Part):
    type: str
    text: str | None = None
    payload: str | None = None
    parameter_name: str | None = None


class Component(Part):
    type: str
    sub_type: str | None = None
    index: int | None = None
    parameters: list[Parameter] = []

    @property
    def kind(self) -> str:
        return self.type.lower()


class Template(Part):
    name: Annotated[str, up_to(512)]
    language: Language
    components: list[Component] = []


class Outgoing(Part):
    messaging_product: Literal["whatsapp"]
    recipient_type: Literal["individual"] = "individual"
    to: Annotated[str, up_to(20)] | None = None
    recipient: Annotated[str, up_to(140)] | None = None
    context: Quote | None = None
    biz_opaque_callback_data: Annotated[str, up_to(512, 0)] | None = None

    @property
    def addressed_to(self) -> str:
        return self.to or self.recipient or ""


class TextMessage(Outgoing):
    type: Literal["text"] = "text"
    text: Text


class InteractiveMessage(Outgoing):
    type: Literal["interactive"]
    interactive: Interactive


class TemplateMessage(Outgoing):
    type: Literal["template"]
    template: Template


class MediaMessage(Outgoing):
    """An image, video, audio, document or sticker, under the key that its type names."""

    type: MediaType
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None

    @model_validator(mode="after")
    def has_its_media(self) -> "MediaMessage":
        if getattr(self, self.type) is None:
            raise PydanticCustomError("missing", "{name}", {"name": self.type})
        return self

    @property
    def media(self) -> Media:
        media: Media = getattr(self, self.type)
        return media


class Place(Part):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str | None = None
    address: str | None = None


class LocationMessage(Outgoing):
    type: Literal["location"]
    location: Place


class CardName(Part):
    formatted_name: Annotated[str, up_to(1024)]


class Card(Part):
    name: CardName


class ContactsMessage(Outgoing):
    type: Literal["contacts"]
    contacts: Annotated[list[Card], Field(min_length=1)]


class ReactionMessage(Outgoing):
    type: Literal["reaction"]
    reaction: Reaction


class TypingIndicator(Part):
    type: Literal["text"]


class ReadMark(Part):
    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: str
    typing_indicator: TypingIndicator | None = None


OutgoingMessage = (
    TextMessage
    | InteractiveMessage
    | TemplateMessage
    | MediaMessage
    | LocationMessage
    | ContactsMessage
    | ReactionMessage
)


def _kind_of(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "text"
    kind = "status" if "status" in raw else str(raw.get("type", "text"))
    return "media" if kind in MEDIA_TYPES else kind


Call = Annotated[
    Annotated[TextMessage, Tag("text")]
    | Annotated[InteractiveMessage, Tag("interactive")]
    | Annotated[TemplateMessage, Tag("template")]
    | Annotated[MediaMessage, Tag("media")]
    | Annotated[LocationMessage, Tag("location")]
    | Annotated[ContactsMessage, Tag("contacts")]
    | Annotated[ReactionMessage, Tag("reaction")]
    | Annotated[ReadMark, Tag("status")],
    Discriminator(_kind_of),
]

_CALL: TypeAdapter[OutgoingMessage | ReadMark] = TypeAdapter(Call)


def parse_call(body: bytes) -> OutgoingMessage | ReadMark:
    try:
        call = _CALL.validate_json(body)
    except ValidationError as error:
        raise _as_cloud_error(error.errors(include_url=False)[0]) from error
    if isinstance(call, Outgoing) and not call.addressed_to:
        raise MissingParameter("to")
    return call


def refuse_duplicates(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise refused(f"Duplicate {what}")


def _as_cloud_error(problem: ErrorDetails) -> CloudError:
    where = ".".join(str(step) for step in problem["loc"][1:])
    kind = problem["type"]
    if kind == "missing":
        is_named = "name" in problem.get("ctx", {})
        return MissingParameter(str(problem["ctx"]["name"]) if is_named else where)
    if kind == REFUSED or kind == "too_short":
        return CloudError(131009, f"{where} {problem['msg']}".strip())
    return CloudError(100, f"{where} {problem['msg']}".strip())
