import json
import zlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.cloud_errors import CloudError
from simulator.templates import TemplateBook, Translation


class NewButton(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: str


class NewComponent(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: str | None = None
    buttons: tuple[NewButton, ...] = ()


class NewTemplate(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: str
    category: str
    components: tuple[NewComponent, ...]

    def text_of(self, kind: str) -> str | None:
        return next((c.text for c in self.components if c.type.upper() == kind), None)

    def translation(self) -> Translation:
        buttons = tuple(button.text for c in self.components for button in c.buttons)
        return Translation(
            body=self.text_of("BODY") or "",
            header=self.text_of("HEADER"),
            footer=self.text_of("FOOTER"),
            buttons=buttons,
        )


class TemplateApi:
    """The account's message_templates edge. What is created is approved at once."""

    def __init__(self, book: TemplateBook) -> None:
        self._book = book

    def list(self, name: str | None) -> bytes:
        rows = [
            {
                "id": template_id(template.name, language),
                "name": template.name,
                "language": language,
                "status": "APPROVED",
                "category": template.category,
                "components": _components(translation),
            }
            for template in self._book.all()
            if name is None or name in template.name
            for language, translation in template.languages.items()
        ]
        return json.dumps({"data": rows, "paging": {}}).encode()

    def create(self, body: bytes) -> bytes:
        try:
            new = NewTemplate.model_validate_json(body)
        except ValidationError as error:
            raise CloudError(100, str(error.errors()[0]["msg"])) from error
        if new.text_of("BODY") is None:
            raise CloudError(100, "components: a BODY with text is required")
        self._book.approve(new.name, new.category, new.language, new.translation())
        answer = {
            "id": template_id(new.name, new.language),
            "status": "APPROVED",
            "category": new.category,
        }
        return json.dumps(answer).encode()


def template_id(name: str, language: str) -> str:
    """The same template has the same id in every run."""
    return str(10**14 + zlib.crc32(f"{name}/{language}".encode()))


def _components(translation: Translation) -> list[dict[str, object]]:
    texts = {
        "HEADER": translation.header,
        "BODY": translation.body,
        "FOOTER": translation.footer,
    }
    components: list[dict[str, object]] = [
        {"type": kind, "text": text} for kind, text in texts.items() if text
    ]
    if translation.buttons:
        buttons = [{"type": "QUICK_REPLY", "text": title} for title in translation.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    return components
