"""Choices as text: every kind, in every language, whatever the values hold."""

import re
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Language
from messenger import catalogue, lengths
from messenger.catalogue import Entry
from messenger.numbered import NUMBERED, NumberedRenderer
from messenger.rendering import PLACEHOLDER, Renderer

from .conftest import CONSTANTS, CONTENT, QUESTION

LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")
LOADED = catalogue.load(CONTENT)
PLAIN = Renderer(LOADED, CONSTANTS)
RENDERER = NumberedRenderer(PLAIN)
USED = {
    name
    for entry in LOADED.entries.values()
    for name in PLACEHOLDER.findall(entry.model_dump_json())
}
NAMES = sorted(USED | {"brand", "date", "n", "track"})
ANYTHING = st.text(alphabet=st.characters(), max_size=60)


def shown(kind: str, language: Language, **values: str) -> str:
    given = dict.fromkeys(NAMES, "x") | CONSTANTS | {"a": str(UUID(int=7))} | values
    return RENDERER.render(kind, language, given, name="Ana").body


def test_buttons_become_numbers_in_their_order() -> None:
    text = shown("consent", "pt")
    assert "1) Sim, aceito\n2) Não, obrigado\n3) Saber mais" in text
    assert text.endswith("_Versão 1_")
    assert "_Responda com o número da opção._" in text


def test_a_list_counts_through_its_sections() -> None:
    text = shown("menu", "en")
    assert "*Practice*\n1) Question now: Today's, or one more\n2) Areas" in text
    assert re.search(r"\n\d\) .*\n\*Settings\*\n\d\) ", text)
    numbers = re.findall(r"^(\d)\)", text, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt", "*dica*, *pular* ou *não sei*"),
        ("en", "*hint*, *skip* or *I don't know*"),
        ("es", "*pista*, *saltar* o *no sé*"),
    ],
)
def test_a_question_offers_words_because_a_number_may_be_the_answer(
    language: Language, words: str
) -> None:
    text = RENDERER.render("question", language, QUESTION).body
    assert words in text
    assert "1)" not in text


def test_a_template_is_shown_in_its_own_words_with_its_buttons_as_numbers() -> None:
    text = shown("confirm_signup", "es", date="21/11")
    approved = LOADED.templates["sabatina_confirm_signup"].languages["es"].body
    assert text.startswith(approved.replace("{{1}}", "Sabatina").replace("{{2}}", "21/11"))
    assert "{" not in text
    assert "1) Confirmar\n2) No fui yo" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(LOADED.entries))
def test_every_kind_is_a_text_that_whatsapp_takes(kind: str, language: Language) -> None:
    text = shown(kind, language, **dict.fromkeys(NAMES, "ção👩‍🚀\n" * 3_000))
    assert 0 < lengths.units(text) <= lengths.TEXT


@pytest.mark.parametrize("kind", sorted(NUMBERED))
def test_a_caption_keeps_its_options_whole(kind: str) -> None:
    values = dict.fromkeys(NAMES, "palavra " * 500) | {"a": str(uuid4())}
    short = RENDERER.render(kind, "pt", values, room=lengths.CAPTION).body
    full = RENDERER.render(kind, "pt", values).body
    assert lengths.units(short) <= lengths.CAPTION
    assert short.splitlines()[-1] == full.splitlines()[-1]


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(LOADED.entries)),
    language=st.sampled_from(LANGUAGES),
    values=st.fixed_dictionaries(dict.fromkeys(NAMES, ANYTHING)),
    times=st.integers(1, 200),
    name=st.none() | ANYTHING,
)
def test_no_value_makes_a_text_that_whatsapp_refuses(
    kind: str, language: Language, values: dict[str, str], times: int, name: str | None
) -> None:
    long = {key: value * times for key, value in values.items()}
    text = RENDERER.render(kind, language, long, name=name).body
    assert 0 < lengths.units(text) <= lengths.TEXT
    assert text.strip()
    text.encode()


def test_numbers_are_shown_after_kinds_that_the_catalogue_has() -> None:
    assert set(LOADED.entries) >= NUMBERED
    for kind in NUMBERED:
        entry = LOADED.entries[kind]
        assert not isinstance(entry, Entry) or entry.kind != "text", kind
