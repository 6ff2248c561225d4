"""On WAHA a choice is typed: what the messenger shows is what `users` understands."""

from pathlib import Path
from uuid import UUID

import pytest

from common.events import Language
from messenger import catalogue
from messenger.catalogue import Entry, TemplateEntry
from messenger.numbered import NUMBERED, options_of, word_for
from users.dialogues import STEPS, choice_of_number
from users.understanding import Heard, Intent, Standing, intent_of_choice, understand

LOADED = catalogue.load(Path(__file__).parents[2] / "content")
LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")
ASSIGNMENT = UUID(int=7)
STEP_OF = {"consent_more": "consent"}
"""Kinds that are said without moving the conversation on, and where it stands then."""

OFFERING = sorted(
    kind
    for kind, entry in LOADED.entries.items()
    if isinstance(entry, TemplateEntry) or options_of(entry.pt)
)


def options(kind: str, language: Language = "pt") -> tuple[str, ...]:
    entry = LOADED.entries[kind]
    found = options_of(entry.wording(language)) if isinstance(entry, Entry) else entry.payloads
    return tuple(option.replace("{a}", str(ASSIGNMENT)) for option in found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(NUMBERED))
def test_the_number_that_is_shown_is_the_choice_that_is_understood(
    kind: str, language: Language
) -> None:
    step = STEP_OF.get(kind, kind)
    shown = [option.removesuffix(f":{ASSIGNMENT}") for option in options(kind, language)]
    assert [choice_of_number(step, str(n)) for n in range(1, len(shown) + 1)] == shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in OFFERING if kind not in NUMBERED])
def test_where_a_number_may_be_an_answer_the_options_are_words_that_are_understood(
    kind: str, language: Language
) -> None:
    if kind == "daily_ready":  # announces a question outside the window, which WAHA has not
        return
    assert kind not in STEPS
    for option in options(kind, language):
        word = word_for(option, language)
        assert word is not None, option
        tapped = intent_of_choice(option)
        assert tapped is not None, option
        for is_open in (True, False):
            standing = Standing("active", None, is_open, "waha")
            assert understand(Heard("text", word), standing) == Intent(tapped.meaning, tapped.value)


def test_every_step_with_choices_is_shown_with_numbers() -> None:
    shown_elsewhere = {kind for kind, step in STEPS.items() if not step.options}
    assert NUMBERED - set(STEP_OF) == set(STEPS) - shown_elsewhere
