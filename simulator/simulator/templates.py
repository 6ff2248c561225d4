import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from simulator.cloud_errors import CloudError
from simulator.payloads import Component, Parameter, Template, utf16_length
from simulator.transcript import Option

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FORBIDDEN_IN_PARAMETER = re.compile(r"[\n\t]| {5,}")
_MAX_BODY = 1024


class Translation(BaseModel):
    model_config = ConfigDict(frozen=True)

    body: str
    header: str | None = None
    footer: str | None = None
    buttons: tuple[str, ...] = ()

    @field_validator("buttons", mode="before")
    @classmethod
    def titles_only(cls, buttons: Sequence[object]) -> list[object]:
        return [b["text"] if isinstance(b, dict) and "text" in b else b for b in buttons or ()]

    @property
    def placeholders(self) -> list[str]:
        return list(dict.fromkeys(_PLACEHOLDER.findall(self.body)))


class ApprovedTemplate(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    category: str = "UTILITY"
    languages: dict[str, Translation]


class InvalidTemplateFile(ValueError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class Hydrated(NamedTuple):
    """A template as the person sees it."""

    body: str
    category: str
    header: str | None = None
    footer: str | None = None
    options: tuple[Option, ...] = ()


class TemplateBook:
    """The approved templates. Without a folder, every name is taken for approved."""

    def __init__(self, folder: Path | None) -> None:
        self._accepts_any = folder is None
        self._templates = {t.name: t for t in _read_folder(folder)} if folder else {}

    def all(self) -> list[ApprovedTemplate]:
        return list(self._templates.values())

    def approve(self, name: str, category: str, language: str, translation: Translation) -> None:
        known = self._templates.get(name)
        languages = dict(known.languages) if known else {}
        languages[language] = translation
        self._templates[name] = ApprovedTemplate(name=name, category=category, languages=languages)

    def hydrate(self, template: Template) -> Hydrated:
        known = self._templates.get(template.name)
        if known is None and self._accepts_any:
            return _shown_by_name(template)
        if known is None or template.language.code not in known.languages:
            raise CloudError(
                132001,
                f"template name ({template.name}) does not exist in {template.language.code}",
            )
        return _hydrated(template, known.languages[template.language.code], known.category)


def _read_folder(folder: Path) -> list[ApprovedTemplate]:
    return [
        _read_file(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".yaml", ".yml"} and path.is_file()
    ]


def _read_file(path: Path) -> ApprovedTemplate:
    try:
        return ApprovedTemplate.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise InvalidTemplateFile(path, str(error)) from error


def _body_parameters(template: Template) -> list[Parameter]:
    return [p for part in template.components if part.kind == "body" for p in part.parameters]


def _button_payloads(template: Template) -> dict[int, str]:
    """Payloads by button; a button without one answers with its own text."""
    return {
        part.index if part.index is not None else position: parameter.payload
        for position, part in enumerate(_quick_replies(template))
        for parameter in part.parameters
        if parameter.payload is not None
    }


def _quick_replies(template: Template) -> list[Component]:
    return [
        part
        for part in template.components
        if part.kind == "button" and (part.sub_type or "").lower() == "quick_reply"
    ]


def _shown_by_name(template: Template) -> Hydrated:
    values = [_value(parameter) for parameter in _body_parameters(template)]
    options = tuple(Option(id=p, title=p) for p in _button_payloads(template).values())
    return Hydrated("\n".join([template.name, *values]), "UTILITY", options=options)


def _hydrated(template: Template, translation: Translation, category: str) -> Hydrated:
    values = _values_by_placeholder(template, translation)
    body = _PLACEHOLDER.sub(lambda match: values[match[1]], translation.body)
    if utf16_length(body) > _MAX_BODY:
        raise CloudError(132005, f"body is longer than {_MAX_BODY}")
    return Hydrated(
        body, category, translation.header, translation.footer, _options(template, translation)
    )


def _values_by_placeholder(template: Template, translation: Translation) -> dict[str, str]:
    parameters, placeholders = _body_parameters(template), translation.placeholders
    if len(parameters) != len(placeholders):
        raise CloudError(
            132000,
            f"body: number of localizable_params ({len(parameters)}) does not match the "
            f"expected number of params ({len(placeholders)})",
        )
    if all(name.isdigit() for name in placeholders):
        in_order = sorted(placeholders, key=int)
        return {name: _value(p) for name, p in zip(in_order, parameters, strict=True)}
    values = {p.parameter_name or "": _value(p) for p in parameters}
    if set(values) != set(placeholders):
        raise CloudError(132012, f"body: expected parameters named {', '.join(placeholders)}")
    return values


def _value(parameter: Parameter) -> str:
    if not parameter.text:
        raise CloudError(131008, "Parameter of type text is missing text value")
    if _FORBIDDEN_IN_PARAMETER.search(parameter.text):
        raise CloudError(
            132018,
            "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
        )
    return parameter.text


def _options(template: Template, translation: Translation) -> tuple[Option, ...]:
    payloads = _button_payloads(template)
    if any(index >= len(translation.buttons) for index in payloads):
        raise CloudError(132018, "buttons: there is no quick reply button at this index")
    return tuple(
        Option(id=payloads.get(index, title), title=title)
        for index, title in enumerate(translation.buttons)
    )
