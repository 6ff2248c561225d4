import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Language
from messenger import catalogue, lengths
from messenger.catalogue import Entry, TemplateEntry, Wording
from messenger.rendering import (
    PLACEHOLDER,
    ButtonsContent,
    Content,
    ListContent,
    NotRenderable,
    Renderer,
    TemplateContent,
    TextContent,
)

from .conftest import CONSTANTS, CONTENT, QUESTION

CATALOGUE = catalogue.load(CONTENT)
RENDERER = Renderer(CATALOGUE, CONSTANTS)
LANGUAGES: tuple[Language, ...] = get_args(Language)

VALUES: dict[str, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "welcome": "",
        "consent": "",
        "consent_more": "",
        "consent_declined": "",
        "pick_track": "",
        "pick_level": "",
        "pick_time": "tz_label",
        "ask_timezone": "",
        "time_bad": "",
        "timezone_bad": "",
        "onboarding_done": "track time tz_label",
        "confirm_signup": "date",
        "daily_ready": "n track",
        "question": " ".join(QUESTION),
        "hint": "k total hint_text a",
        "feedback": "score good missing suggestion streak a provisional",
        "low_effort": "a",
        "grade_corrected": "old score good missing suggestion a",
        "grade_confirmed": "score note a",
        "grade_decided": "old score note a",
        "dispute_kept": "score good missing a",
        "dispute_received": "score a",
        "dispute_refused": "",
        "dont_know": "model",
        "skipped": "",
        "model_answer": "model",
        "answer_first": "a",
        "question_closed": "",
        "no_more_questions": "",
        "being_graded": "",
        "stopped": "",
        "still_stopped": "",
        "restarted": "track time",
        "stop_or_answer": "text a",
        "menu": "",
        "help": "",
        "pick_language": "",
        "language_set": "",
        "time_set": "time tz_label",
        "track_set": "track",
        "level_set": "level",
        "fallback": "",
        "media_unsupported": "media",
        "voice_heard": "transcript a",
        "voice_discarded": "",
        "voice_gone": "",
        "voice_not_configured": "",
        "voice_too_long": "",
        "voice_too_large": "",
        "voice_unreadable": "",
        "voice_unavailable": "",
    }.items()
}
"""What the other services promise to give for each kind."""

CHOICES = re.compile(
    r"lang:(pt|en|es)|consent:(yes|no|more)|track:(python|javascript|ruby|dsa|mixed)|level:[123]"
    r"|time:\d\d:\d\d|tz:change|question:now|menu|signup:(confirm|notme)|stop|tracks|schedule"
    r"|level|language|help|(hint|skip|dontknow|model|dispute|answer|voice:(send|discard)):\{a\}"
)
"""What the other services understand."""

PROVIDED = frozenset(CONSTANTS) | {"name", "bar"}


def free_form() -> list[tuple[str, Entry]]:
    return [(k, e) for k, e in CATALOGUE.entries.items() if isinstance(e, Entry)]


def texts_of(wording: Wording) -> list[str]:
    options = [*wording.buttons, *(row for section in wording.sections for row in section.rows)]
    titles = [section.title for section in wording.sections]
    shown = [text for option in options for text in (option.title, option.description)]
    return [wording.body, wording.footer or "", wording.button, *titles, *shown]


def ids_of(wording: Wording) -> list[str]:
    rows = [row.id for section in wording.sections for row in section.rows]
    return [*(button.id for button in wording.buttons), *rows]


def test_every_kind_is_there_and_no_other() -> None:
    assert set(CATALOGUE.entries) == set(VALUES)


@pytest.mark.parametrize(("kind", "entry"), free_form())
def test_the_languages_of_a_message_agree(kind: str, entry: Entry) -> None:
    wordings = [entry.wording(language) for language in LANGUAGES]
    placeholders = {tuple(sorted(PLACEHOLDER.findall(" ".join(texts_of(w))))) for w in wordings}
    assert len(placeholders) == 1
    assert len({tuple(ids_of(wording)) for wording in wordings}) == 1
    used = set(PLACEHOLDER.findall(" ".join([*texts_of(wordings[0]), *ids_of(wordings[0])])))
    assert used <= VALUES[kind] | PROVIDED


@pytest.mark.parametrize(("kind", "entry"), free_form())
def test_every_choice_that_is_shown_is_understood(kind: str, entry: Entry) -> None:
    ids = ids_of(entry.pt)
    assert all(CHOICES.fullmatch(choice) for choice in ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("kind", "entry"), free_form())
def test_every_wording_is_within_the_limits_and_balanced(kind: str, entry: Entry) -> None:
    for wording in (entry.wording(language) for language in LANGUAGES):
        for text in texts_of(wording):
            assert text.count("*") % 2 == 0
            assert text.count("[[") == text.count("]]")
        limit = lengths.TEXT if entry.kind == "text" else lengths.INTERACTIVE_BODY * 0.7
        assert lengths.units(wording.body) <= limit
        titles = [button.title for button in wording.buttons]
        assert len(set(titles)) == len(titles) <= lengths.BUTTONS
        assert all(lengths.units(title) <= lengths.BUTTON_TITLE for title in titles)
        assert bool(titles) == (entry.kind == "buttons")
        assert bool(wording.sections and wording.button) == (entry.kind == "list")


def test_templates_agree_with_the_catalogue_in_every_language() -> None:
    for entry in CATALOGUE.entries.values():
        if not isinstance(entry, TemplateEntry):
            continue
        template = CATALOGUE.templates[entry.template]
        assert set(template.languages) == set(catalogue.TEMPLATE_LANGUAGES.values())
        for wording in template.languages.values():
            numbers = re.findall(r"\{\{(\d+)\}\}", wording.body)
            assert sorted(numbers) == [str(n + 1) for n in range(len(entry.parameters))]
            assert not wording.body.startswith("{{")
            assert not wording.body.rstrip(".").endswith("}}")
            assert len(wording.buttons) == len(entry.payloads)
            assert all(lengths.units(b) <= lengths.TEMPLATE_BUTTON for b in wording.buttons)
            room = lengths.PARAMETER * len(entry.parameters)
            assert lengths.units(wording.body) + room <= lengths.TEMPLATE_BODY + room
            assert set(entry.payloads) <= {"question:now", "stop", "signup:confirm", "signup:notme"}


def within_limits(content: Content) -> bool:
    match content:
        case TextContent(body=body):
            return 0 < lengths.units(body) <= 4096
        case ButtonsContent(body=body, buttons=buttons, footer=footer):
            return (
                0 < lengths.units(body) <= 1024
                and 0 < len(buttons) <= 3
                and all(0 < lengths.units(b.id) <= 256 and b.id == b.id.strip() for b in buttons)
                and all(0 < lengths.units(b.title) <= 20 for b in buttons)
                and len({b.id for b in buttons}) == len(buttons)
                and (footer is None or 0 < lengths.units(footer) <= 60)
            )
        case ListContent(body=body, button=button, sections=sections, footer=footer):
            rows = [row for section in sections for row in section.rows]
            return (
                0 < lengths.units(body) <= 1024
                and 0 < lengths.units(button) <= 20
                and 0 < len(rows) <= 10
                and all(lengths.units(row.id) <= 200 for row in rows)
                and all(0 < lengths.units(row.title) <= 24 for row in rows)
                and all(lengths.units(row.description) <= 72 for row in rows)
                and all(0 < lengths.units(section.title) <= 24 for section in sections)
                and (footer is None or lengths.units(footer) <= 60)
            )
        case TemplateContent(parameters=parameters, payloads=payloads):
            return all(
                p.strip() and not re.search(r"[\n\t]| {4}", p) and lengths.units(p) <= 300
                for p in parameters
            ) and all(0 < lengths.units(payload) <= 256 for payload in payloads)


long_text = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ab \n*_~`{}[]🙂é", min_size=900, max_size=6000),
    st.sampled_from(["", " ", "```py\n" + "x = 1\n" * 900 + "```", "🙂" * 3000, "👩‍💻" * 500]),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_nothing_can_be_refused_for_its_length(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(VALUES)))
    language = data.draw(st.sampled_from(LANGUAGES))
    values = {name: data.draw(long_text) for name in sorted(VALUES[kind])}
    content = RENDERER.render(kind, language, values, name=data.draw(long_text))
    assert within_limits(content)


@given(st.text(max_size=300), st.integers(min_value=0, max_value=200))
def test_a_cut_text_fits_and_is_the_beginning_of_the_whole(text: str, limit: int) -> None:
    cut = lengths.cut(text, limit)
    assert lengths.units(cut) <= limit
    if cut != text and "```" not in text:
        assert text.startswith(cut.removesuffix("…"))


def test_a_text_is_cut_at_the_end_of_a_word() -> None:
    assert lengths.cut("one two three four", 14) == "one two three…"
    assert lengths.cut("one two three four", 12) == "one two…"


def test_a_code_block_that_is_cut_is_closed() -> None:
    cut = lengths.cut("see ```" + "value = 1\n" * 50 + "```", 100)
    assert cut.count("```") == 2
    assert lengths.units(cut) <= 100


def test_long_parts_share_the_room_that_short_ones_leave() -> None:
    assert lengths.share({"a": 10, "b": 500, "c": 500}, 210) == {"a": 10, "b": 100, "c": 100}


def body_of(kind: str, values: dict[str, str], language: str = "pt", name: str = "Ana") -> str:
    content = RENDERER.render(kind, language, values, name=name)
    assert not isinstance(content, TemplateContent)
    return content.body


FEEDBACK = {
    "score": "6",
    "good": "- a",
    "missing": "- b",
    "suggestion": "c",
    "streak": "5",
    "a": "1",
    "provisional": "",
}


def test_feedback_shows_only_what_there_is() -> None:
    full = body_of("feedback", FEEDBACK)
    assert "●●●●●●○○○○" in full
    assert "5 dias" in full
    assert "provisória" not in full
    bare = body_of("feedback", FEEDBACK | {"missing": "", "streak": "0", "provisional": "yes"})
    assert "Falta" not in bare
    assert "🔥" not in bare
    assert "provisória" in bare


def test_codes_are_shown_as_words_of_the_language() -> None:
    values = {"track": "python,dsa", "time": "09:00", "tz_label": "America/Sao_Paulo"}
    assert "*Python, Algorithms*" in body_of("onboarding_done", values, "en")
    assert "(São Paulo)" in body_of("onboarding_done", values, "en")
    assert "1 día" in body_of("feedback", FEEDBACK | {"streak": "1"}, "es")
    assert "Sênior" in body_of("question", QUESTION | {"level": "3"})
    assert "imagens" in body_of("media_unsupported", {"media": "image"})
    assert "esse tipo" in body_of("media_unsupported", {"media": "poll"})


def test_what_a_person_typed_cannot_break_the_markup() -> None:
    values = {"track": "python", "time": "09:00", "tz_label": "UTC"}
    body = body_of("onboarding_done", values, name="*A_n~a*\n`{brand}`")
    assert body.startswith("Pronto, Ana {brand}! ✅")
    asked = body_of("stop_or_answer", {"text": "*stop*\nnow", "a": "1"})
    assert asked.startswith('"stop now"')


def test_a_nameless_person_is_greeted_too() -> None:
    values = {"track": "python", "time": "09:00", "tz_label": "UTC"}
    assert body_of("onboarding_done", values, name="").startswith("Pronto! ✅")


def test_a_value_is_never_read_as_a_pattern() -> None:
    assert "{brand} [[x]]" in body_of("model_answer", {"model": "{brand} [[x]]"})


def test_what_cannot_be_rendered_says_why() -> None:
    with pytest.raises(NotRenderable, match="unknown_kind"):
        RENDERER.render("nothing", "pt", {})
    with pytest.raises(NotRenderable, match="missing_value_model"):
        RENDERER.render("model_answer", "pt", {})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["consent", "consent_more"])
def test_another_who_sees_the_answers_is_named_and_nobody_when_there_is_none(
    kind: str, language: str
) -> None:
    assert "OpenAI" in body_of(kind, {}, language)
    alone = Renderer(CATALOGUE, CONSTANTS | {"ai_provider": ""}).render(kind, language, {})
    assert not isinstance(alone, TemplateContent)
    assert "()" not in alone.body
    assert not re.search(r"\b(IA|AI)\b", alone.body)


def test_a_refused_language_is_replaced_by_an_approved_one() -> None:
    content = RENDERER.render("daily_ready", "pt", QUESTION, is_fallback_language=True)
    assert isinstance(content, TemplateContent)
    assert (content.language, content.parameters[0]) == ("en", "12")


def test_a_caption_has_less_room() -> None:
    content = RENDERER.render("model_answer", "en", {"model": "word " * 900}, room=lengths.CAPTION)
    assert isinstance(content, TextContent)
    assert 900 < lengths.units(content.body) <= lengths.CAPTION
