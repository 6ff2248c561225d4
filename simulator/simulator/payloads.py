"""What a business may send to the messages endpoint, with WhatsApp's limits."""

from typing import Annotated, Any, Literal

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


OptionId = AfterValidator(without_edge_spaces)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Quote(Part):
    message_id: str


class Text(Part):
    body: Annotated[str, up_to(4096)]
    preview_url: bool = False


class Media(Part):
    id: str | None = None
    link: str | None = None
    caption: Annotated[str, up_to(1024, 0)] = ""
    filename: str | None = None

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


Interactive = Annotated[ButtonInteractive | ListInteractive, Field(discriminator="type")]


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
    to: Annotated[str, up_to(20)]
    context: Quote | None = None
    biz_opaque_callback_data: Annotated[str, up_to(512, 0)] | None = None


class TextMessage(Outgoing):
    type: Literal["text"] = "text"
    text: Text


class InteractiveMessage(Outgoing):
    type: Literal["interactive"]
    interactive: Interactive


class TemplateMessage(Outgoing):
    type: Literal["template"]
    template: Template


class ImageMessage(Outgoing):
    type: Literal["image"]
    image: Media


class DocumentMessage(Outgoing):
    type: Literal["document"]
    document: Media


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
    | ImageMessage
    | DocumentMessage
    | ReactionMessage
)


def _kind_of(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "text"
    return "status" if "status" in raw else str(raw.get("type", "text"))


Call = Annotated[
    Annotated[TextMessage, Tag("text")]
    | Annotated[InteractiveMessage, Tag("interactive")]
    | Annotated[TemplateMessage, Tag("template")]
    | Annotated[ImageMessage, Tag("image")]
    | Annotated[DocumentMessage, Tag("document")]
    | Annotated[ReactionMessage, Tag("reaction")]
    | Annotated[ReadMark, Tag("status")],
    Discriminator(_kind_of),
]

_CALL: TypeAdapter[OutgoingMessage | ReadMark] = TypeAdapter(Call)


def parse_call(body: bytes) -> OutgoingMessage | ReadMark:
    try:
        return _CALL.validate_json(body)
    except ValidationError as error:
        raise _as_cloud_error(error.errors(include_url=False)[0]) from error


def refuse_duplicates(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise refused(f"Duplicate {what}")


def _as_cloud_error(problem: ErrorDetails) -> CloudError:
    where = ".".join(str(step) for step in problem["loc"][1:])
    kind = problem["type"]
    if kind == "missing":
        return MissingParameter(where)
    if kind == REFUSED or kind == "too_short":
        return CloudError(131009, f"{where} {problem['msg']}".strip())
    return CloudError(100, f"{where} {problem['msg']}".strip())
