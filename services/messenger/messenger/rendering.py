"""A kind of message and its values become what WhatsApp shows. Nothing here can be too long."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from common.errors import SabatinaError
from common.events import Language
from messenger import lengths
from messenger.catalogue import (
    TEMPLATE_LANGUAGES,
    Catalogue,
    Entry,
    Option,
    TemplateEntry,
    Wording,
)
from messenger.templates.states import NOTHING_TOLD, TemplateStates
from messenger.wording import displayed, plain

PLACEHOLDER = re.compile(r"\{(\w+)\}")
OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class TextContent:
    body: str


@dataclass(frozen=True)
class Choice:
    id: str
    title: str
    description: str = ""


@dataclass(frozen=True)
class ButtonsContent:
    body: str
    buttons: tuple[Choice, ...]
    footer: str | None = None


@dataclass(frozen=True)
class Group:
    title: str
    rows: tuple[Choice, ...]


@dataclass(frozen=True)
class ListContent:
    body: str
    button: str
    sections: tuple[Group, ...]
    footer: str | None = None


@dataclass(frozen=True)
class TemplateContent:
    name: str
    language: str
    parameters: tuple[str, ...]
    payloads: tuple[str, ...]


Content = TextContent | ButtonsContent | ListContent | TemplateContent
Values = Mapping[str, str]


class NotRenderable(SabatinaError):
    """`reason` is for MessageFailed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Renderer:
    """`constants` are values that every message may use: the brand, whom to ask, and so on."""

    catalogue: Catalogue
    constants: Values
    template_states: Callable[[], TemplateStates] = lambda: NOTHING_TOLD

    @property
    def templates(self) -> dict[str, str]:
        """Their names, by kind."""
        entries = self.catalogue.entries.items()
        return {kind: one.template for kind, one in entries if isinstance(one, TemplateEntry)}

    def render(
        self,
        kind: str,
        language: str,
        values: Values,
        *,
        name: str | None = None,
        is_fallback_language: bool = False,
        room: int = lengths.TEXT,
    ) -> Content:
        """Raises NotRenderable: an unknown kind, or a value that the sender left out.

        `is_fallback_language`: WhatsApp has refused the template in the person's own. `room`: for
        a text; a caption has less.
        """
        spoken = language_of(language)
        entry = self.catalogue.entries.get(kind)
        if entry is None:
            raise NotRenderable("unknown_kind")
        shown = displayed({**self.constants, **values}, spoken, self.catalogue.terms, name)
        if isinstance(entry, TemplateEntry):
            approved = self._approved_language(entry.template, spoken, is_fallback_language)
            return self._template(entry, approved, shown)
        return _free_form(entry, entry.wording(spoken), shown, room)

    def _approved_language(self, template: str, spoken: Language, is_fallback: bool) -> str:
        """When nothing can be sent, WhatsApp's refusal of the person's own pauses the template."""
        own = TEMPLATE_LANGUAGES[spoken]
        states = self.template_states()
        return states.language_for(template, own, is_fallback=is_fallback) or own

    def _template(self, entry: TemplateEntry, language: str, values: Values) -> TemplateContent:
        return TemplateContent(
            name=entry.template,
            language=language,
            parameters=tuple(_parameter(value_of(values, key)) for key in entry.parameters),
            payloads=tuple(_option_id(payload, values) for payload in entry.payloads),
        )


def language_of(language: str) -> Language:
    return language if language in TEMPLATE_LANGUAGES else "en"


def _free_form(entry: Entry, wording: Wording, values: Values, room: int) -> Content:
    if entry.kind == "text":
        return TextContent(fill(wording.body, values, room))
    body = fill(wording.body, values, lengths.INTERACTIVE_BODY)
    footer = fill(wording.footer, values, lengths.FOOTER) if wording.footer else None
    if entry.kind == "buttons":
        buttons = tuple(
            Choice(_option_id(option.id, values), lengths.cut(option.title, lengths.BUTTON_TITLE))
            for option in wording.buttons[: lengths.BUTTONS]
        )
        return ButtonsContent(body, buttons, footer or None)
    sections = tuple(
        Group(
            lengths.cut(section.title, lengths.SECTION_TITLE),
            tuple(_row(option, values) for option in section.rows),
        )
        for section in wording.sections
    )
    return ListContent(
        body, lengths.cut(wording.button, lengths.BUTTON_TITLE), sections, footer or None
    )


def _row(option: Option, values: Values) -> Choice:
    return Choice(
        _option_id(option.id, values),
        lengths.cut(option.title, lengths.ROW_TITLE),
        lengths.cut(option.description, lengths.ROW_DESCRIPTION),
    )


def _option_id(pattern: str, values: Values) -> str:
    filled = PLACEHOLDER.sub(lambda match: value_of(values, match[1]), pattern)
    return lengths.cut_anywhere(filled, lengths.OPTION_ID).strip()


def _parameter(value: str) -> str:
    """WhatsApp refuses a parameter that is empty or has line breaks, tabs or wide gaps."""
    return plain(value, lengths.PARAMETER) or "-"


def fill(pattern: str, values: Values, limit: int) -> str:
    """The text with its values, shortened so that all of them fit."""
    chosen = OPTIONAL.sub(lambda match: match[1] if _has_all(match[1], values) else "", pattern)
    names = PLACEHOLDER.findall(chosen)
    fixed = lengths.units(PLACEHOLDER.sub("", chosen))
    found = {name: value_of(values, name) for name in names}
    room = limit - fixed
    if sum(lengths.units(found[name]) for name in names) <= room:
        return PLACEHOLDER.sub(lambda match: found[match[1]], chosen).strip()
    # A value that is used twice needs its room twice.
    needed = {f"{name} {number}": lengths.units(found[name]) for number, name in enumerate(names)}
    rooms = lengths.share(needed, room)
    room_of = {key.split(" ")[0]: room for key, room in rooms.items()}
    text = PLACEHOLDER.sub(lambda match: lengths.cut(found[match[1]], room_of[match[1]]), chosen)
    return lengths.cut(text.strip(), limit)


def _has_all(block: str, values: Values) -> bool:
    return all(values.get(name, "").strip() for name in PLACEHOLDER.findall(block))


def value_of(values: Values, name: str) -> str:
    if name not in values:
        raise NotRenderable(f"missing_value_{name}")
    return values[name]
