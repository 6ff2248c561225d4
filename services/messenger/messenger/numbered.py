"""Choices as text, for a channel without buttons: numbers, or words where a number could be the
answer to a question."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.events import Language
from messenger import lengths
from messenger.catalogue import TEMPLATE_LANGUAGES, Section, TemplateEntry, Wording
from messenger.rendering import (
    NotRenderable,
    Renderer,
    TextContent,
    Values,
    fill,
    language_of,
    value_of,
)
from messenger.wording import displayed

NUMBERED = frozenset(
    {
        *("welcome", "pick_language", "consent", "consent_more", "pick_track", "pick_level"),
        *("pick_time", "confirm_signup", "stop_or_answer", "voice_heard", "onboarding_done"),
        *("restarted", "menu"),
    }
)
"""Kinds after which the service `users` takes a number for a choice. In every other one the
options are words that it understands at any time."""

WORDS: dict[str, dict[Language, str]] = {
    "question": {"pt": "pergunta agora", "en": "question now", "es": "pregunta ahora"},
    "menu": {"pt": "menu", "en": "menu", "es": "menú"},
    "hint": {"pt": "dica", "en": "hint", "es": "pista"},
    "skip": {"pt": "pular", "en": "skip", "es": "saltar"},
    "dontknow": {"pt": "não sei", "en": "I don't know", "es": "no sé"},
    "model": {"pt": "resposta modelo", "en": "model answer", "es": "respuesta modelo"},
    "dispute": {"pt": "discordo", "en": "disagree", "es": "no estoy de acuerdo"},
    "help": {"pt": "ajuda", "en": "help", "es": "ayuda"},
    "tracks": {"pt": "áreas", "en": "tracks", "es": "áreas"},
    "schedule": {"pt": "horário", "en": "schedule", "es": "horario"},
    "language": {"pt": "idioma", "en": "language", "es": "idioma"},
}
"""What to type instead of tapping, by the name of the option: its id up to the colon."""

CHOOSE: dict[Language, str] = {
    "pt": "_Responda com o número da opção._",
    "en": "_Reply with the number of your choice._",
    "es": "_Responde con el número de la opción._",
}
SAY: dict[Language, str] = {
    "pt": "_Você também pode enviar {words}._",
    "en": "_You can also send {words}._",
    "es": "_También puedes enviar {words}._",
}
OR: dict[Language, str] = {"pt": "ou", "en": "or", "es": "o"}


@dataclass(frozen=True)
class NumberedRenderer:
    """Renders as `plain` does, into nothing but text."""

    plain: Renderer

    def render(
        self,
        kind: str,
        language: str,
        values: Values,
        *,
        name: str | None = None,
        is_fallback_language: bool = False,
        room: int = lengths.TEXT,
    ) -> TextContent:
        """Raises NotRenderable. The body is cut so that the options are whole. Nothing has to be
        approved here, so a fallback language changes nothing."""
        spoken = language_of(language)
        catalogue = self.plain.catalogue
        entry = catalogue.entries.get(kind)
        if entry is None:
            raise NotRenderable("unknown_kind")
        shown = displayed({**self.plain.constants, **values}, spoken, catalogue.terms, name)
        if isinstance(entry, TemplateEntry):
            wording = self._wording_of(entry, spoken)
            shown |= {
                f"_{number}": value_of(shown, key)
                for number, key in enumerate(entry.parameters, start=1)
            }
        else:
            wording = entry.wording(spoken)
        tail = _tail(kind, wording, spoken)
        if wording.footer:
            tail += f"\n\n_{fill(wording.footer, shown, lengths.FOOTER)}_"
        return TextContent(fill(wording.body, shown, room - lengths.units(tail)) + tail)

    def _wording_of(self, entry: TemplateEntry, language: Language) -> Wording:
        """What Meta approved, as an ordinary message: `{{1}}` is the value `_1` of it."""
        approved = self.plain.catalogue.templates[entry.template].languages[
            TEMPLATE_LANGUAGES[language]
        ]
        options = [
            {"id": payload, "title": title}
            for payload, title in zip(entry.payloads, approved.buttons, strict=True)
        ]
        body = approved.body.replace("{{", "{_").replace("}}", "}")
        return Wording.model_validate(
            {"body": body, "footer": approved.footer, "buttons": tuple(options)}
        )


def options_of(wording: Wording) -> Sequence[str]:
    """The ids, in the order in which they are shown and counted."""
    rows = (row for section in wording.sections for row in section.rows)
    return [option.id for option in (*wording.buttons, *rows)]


def word_for(option_id: str, language: Language) -> str | None:
    words = WORDS.get(option_id.partition(":")[0])
    return words[language] if words else None


def _tail(kind: str, wording: Wording, language: Language) -> str:
    options = options_of(wording)
    if not options:
        return ""
    words = [word for option in options if (word := word_for(option, language))]
    if kind not in NUMBERED and len(words) == len(options):
        said = _listed([f"*{word}*" for word in words], OR[language])
        return f"\n\n{SAY[language].format(words=said)}"
    return f"\n\n{_numbers(wording)}\n\n{CHOOSE[language]}"


def _listed(words: Sequence[str], conjunction: str) -> str:
    return f" {conjunction} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _numbers(wording: Wording) -> str:
    sections = (Section(title="", rows=wording.buttons), *wording.sections)
    lines = []
    number = 0
    for section in sections:
        if section.rows and len(wording.sections) > 1:
            lines.append(f"*{section.title}*")
        for row in section.rows:
            number += 1
            described = f": {row.description}" if row.description else ""
            lines.append(f"{number}) {row.title}{described}")
    return "\n".join(lines)
