"""The message catalogue and the templates, read from `content/` once, when the service starts."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.events import Language

Parsed = TypeVar("Parsed")

TEMPLATE_LANGUAGES: dict[Language, str] = {"pt": "pt_BR", "en": "en", "es": "es"}


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(Part):
    """A button, or a row of a list. `id` is what comes back when it is tapped."""

    id: str
    title: str
    description: str = ""


class Section(Part):
    title: str
    rows: tuple[Option, ...]


class Wording(Part):
    """A message in one language. `{x}` is a value; `[[...]]` is left out when a value in it is
    empty."""

    body: str
    footer: str | None = None
    buttons: tuple[Option, ...] = ()
    button: str = ""
    sections: tuple[Section, ...] = ()


class Entry(Part):
    kind: Literal["text", "buttons", "list"]
    pt: Wording
    en: Wording
    es: Wording

    def wording(self, language: Language) -> Wording:
        found: Wording = getattr(self, language)
        return found


class TemplateEntry(Part):
    """Values go to the template's `{{1}}`, `{{2}}`... in the order of `parameters`."""

    kind: Literal["template"]
    template: str
    parameters: tuple[str, ...]
    payloads: tuple[str, ...]


class TemplateWording(Part):
    body: str
    footer: str | None = None
    buttons: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    """Values that Meta's reviewer sees in place of `{{1}}`, `{{2}}`..."""


class Template(Part):
    """Sent to Meta for approval word by word; what is sent later names it only."""

    name: str
    category: Literal["UTILITY", "MARKETING"]
    languages: dict[str, TemplateWording]


class Plural(Part):
    one: str
    other: str


class Terms(Part):
    """Words for values that arrive as codes."""

    tracks: dict[Language, dict[str, str]]
    levels: dict[Language, dict[str, str]]
    days: dict[Language, Plural]
    media: dict[Language, dict[str, str]]
    provisional: dict[Language, str]
    cities: dict[str, dict[Language, str]] = {}
    """By the id of a time zone."""


class Catalogue(Part):
    entries: dict[str, Entry | TemplateEntry]
    templates: dict[str, Template]
    terms: Terms


class ContentUnreadable(Exception):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


_entries = TypeAdapter(dict[str, Annotated[Entry | TemplateEntry, Field(discriminator="kind")]])


def load(content: Path) -> Catalogue:
    """Raises ContentUnreadable, which names the file."""
    entries: dict[str, Entry | TemplateEntry] = {}
    for path in _files(content / "messages"):
        if path.name == "terms.yaml":
            continue
        found = _parse(path, _entries)
        if repeated := entries.keys() & found.keys():
            raise ContentUnreadable(path, f"{sorted(repeated)} are in another file too")
        entries |= found
    templates = [_parse(path, TypeAdapter(Template)) for path in _files(content / "templates")]
    return Catalogue(
        entries=entries,
        templates={template.name: template for template in templates},
        terms=_parse(content / "messages" / "terms.yaml", TypeAdapter(Terms)),
    )


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise ContentUnreadable(folder, "no *.yaml here; set SABATINA_CONTENT")
    return found


def _parse(path: Path, adapter: TypeAdapter[Parsed]) -> Parsed:
    try:
        return adapter.validate_python(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise ContentUnreadable(path, "cannot be read") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ContentUnreadable(path, str(error)) from error
