"""What is asked of the model, in OpenAI's two dialects."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    model_config = ConfigDict(frozen=True)

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = ""
    schema_: dict[str, JsonValue] = Field(alias="schema")


class TextFormat(BaseModel):
    """How the Responses API asks for JSON."""

    model_config = ConfigDict(frozen=True)

    type: Literal["text", "json_object", "json_schema"] = "text"
    schema_: dict[str, JsonValue] | None = Field(None, alias="schema")


class TextOptions(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: TextFormat = Field(default_factory=lambda: TextFormat(schema=None))


class ResponseFormat(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class Completion(BaseModel):
    """The parts of a chat completion request that the simulator heeds."""

    model_config = ConfigDict(frozen=True)

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    response_format: ResponseFormat | None = None
    stream: bool | None = False

    def asked(self) -> "Asked":
        wanted = self.response_format
        schema = wanted.json_schema.schema_ if wanted and wanted.json_schema else None
        is_text = wanted is None or wanted.type == "text"
        texts = [message.text for message in self.messages]
        users = [message.text for message in self.messages if message.role == "user"]
        return Asked(users[-1] if users else "", sum(map(len, texts)), schema, is_text)


class ResponseOrder(BaseModel):
    """The parts of a request to the Responses API that the simulator heeds."""

    model_config = ConfigDict(frozen=True)

    model: str
    input: str | Annotated[list[ChatMessage], Field(min_length=1)]
    instructions: str | None = None
    text: TextOptions = TextOptions()
    stream: bool | None = False

    def asked(self) -> "Asked":
        turns = [self.input] if isinstance(self.input, str) else [m.text for m in self.input]
        length = len(self.instructions or "") + sum(map(len, turns))
        wanted = self.text.format
        return Asked(turns[-1], length, wanted.schema_, wanted.type == "text")


class Asked(NamedTuple):
    """What both APIs come to: the last words of the user, and the JSON that is wanted."""

    said: str
    length: int
    schema: dict[str, JsonValue] | None
    is_text: bool
