"""A template with its parameters filled in, as the person sees it."""

import re
from typing import NamedTuple

from simulator.cloud_errors import CloudError
from simulator.payloads import Component, Parameter, Template, utf16_length
from simulator.template_records import PLACEHOLDER, Translation
from simulator.transcript import Option

_FORBIDDEN_IN_PARAMETER = re.compile(r"[\n\t]| {5,}")
_MAX_BODY = 1024
_MAX_HEADER = 60


class Hydrated(NamedTuple):
    body: str
    category: str
    header: str | None = None
    footer: str | None = None
    options: tuple[Option, ...] = ()


def _parameters(template: Template, kind: str) -> list[Parameter]:
    return [p for part in template.components if part.kind == kind for p in part.parameters]


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


def shown_by_name(template: Template) -> Hydrated:
    values = [_value(parameter) for parameter in _parameters(template, "body")]
    options = tuple(Option(id=p, title=p) for p in _button_payloads(template).values())
    return Hydrated("\n".join([template.name, *values]), "UTILITY", options=options)


def hydrated(template: Template, translation: Translation, category: str) -> Hydrated:
    body = _filled(template, "body", translation.body)
    if utf16_length(body) > _MAX_BODY:
        raise CloudError(132005, f"body is longer than {_MAX_BODY}")
    header = translation.header and _filled(template, "header", translation.header)
    if utf16_length(header or "") > _MAX_HEADER:
        raise CloudError(132005, f"header is longer than {_MAX_HEADER}")
    return Hydrated(body, category, header, translation.footer, _options(template, translation))


def _filled(template: Template, kind: str, text: str) -> str:
    placeholders = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    parameters = _parameters(template, kind)
    if len(parameters) != len(placeholders):
        raise CloudError(
            132000,
            f"{kind}: number of localizable_params ({len(parameters)}) does not match the "
            f"expected number of params ({len(placeholders)})",
        )
    values = _values_by_placeholder(parameters, placeholders, kind)
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _values_by_placeholder(
    parameters: list[Parameter], placeholders: list[str], kind: str
) -> dict[str, str]:
    if all(name.isdigit() for name in placeholders):
        in_order = sorted(placeholders, key=int)
        return {name: _value(p) for name, p in zip(in_order, parameters, strict=True)}
    values = {p.parameter_name or "": _value(p) for p in parameters}
    if set(values) != set(placeholders):
        raise CloudError(132012, f"{kind}: expected parameters named {', '.join(placeholders)}")
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
