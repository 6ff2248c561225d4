"""What is a command and what is an answer."""

from pathlib import Path
from uuid import UUID

import pytest
import yaml

from common.events import InboundKind, UserState
from users.conversation import ANSWERS
from users.dialogues import STEPS
from users.keywords import (
    AMBIGUOUS_STOPS,
    HARD_STOPS,
    HELPS,
    STARTS,
    language_of_words,
    normalised,
)
from users.understanding import Heard, Intent, Meaning, Standing, intent_of_choice, understand

CATALOGUE = Path(__file__).parents[3] / "content" / "messages"
A = "0190a000-0000-7000-8000-000000000001"
OPEN = Standing("active", has_open_question=True)
IDLE = Standing("active")

WRITINGS = [
    "{0}",
    "{1}",
    "{2}",
    " {0}  ",
    "{0}.",
    "{1}!!!",
    "¡{0}!",
    "*{0}*",
    "_{2}_",
    '"{0}"',
    "“{0}”",
    "({0})",
    "{0} 🙏",
    "🛑{1}🛑",
    "{0}…",
    "\u200b{0}\ufeff",
    "{0}\n",
]

ACCENTED = [
    "Não quero mais", "NÃO QUERO MAIS!", "nao  quero   mais", "no quiero más", "No Quiero Más.",
    "opt-out", "OPT OUT", "ｓｔｏｐ", "pará", "Opt‑Out",
]  # fmt: skip

ANSWERS_EN = [
    "stop the goroutine", "stop the loop", "stop the loop when the list is empty", "please don't",
    "end of the block", "the end of the list", "it stops at the end", "cancel the task",
    "cancel the context", "quit the event loop", "remove the first element", "remove duplicates",
    "unsubscribe from the observable", "opt out of the GIL", "break", "return", "exit", "continue",
    "stop()", "end;  # closes the block", "thread.stop()", "`stop`", "stop iteration",
    "StopIteration",
    "a stop condition", "non-stop", "stopping", "stopped", "it will stop", "stop, then start again",
    "def stop; end", "do end", "begin end", "the stop word", "never stop", "full stop codon",
]  # fmt: skip
ANSWERS_PT = [
    "para isso usamos um laço", "para cada elemento", "para fazer isso", "o fim da lista",
    "cancelar a tarefa", "cancelar a task", "remover o primeiro", "parar o laço",
    "pare o servidor", "para-choque",
    "sair do loop", "sair da função", "é para iterar", "serve para ordenar", "fim do bloco",
    "no fim", "até o fim", "remover duplicados", "parar a thread",
    "não quero mais de um elemento", "me remova da lista ligada", "não sei parar o laço",
    "um gerador para economizar memória", "para, depois continua", "paramos no zero", "parado",
    "pare quando achar", "descadastrar o listener", "fim, começo e meio", "tem que parar antes",
]  # fmt: skip
ANSWERS_ES = [
    "el fin de la lista", "cancelar la tarea", "para cada elemento", "salir del bucle",
    "detener el hilo", "terminar el proceso", "no, quiero más", "baja complejidad", "alta cohesión",
    "alto acoplamiento", "dar de baja un nodo", "es el fin del bloque", "remover el primero",
    "no quiero más de un hilo", "hasta terminar", "salir de la función", "detener la iteración",
    "cancelar y reintentar", "al final", "finalmente", "se da de baja el listener", "el alto nivel",
    "memoria baja", "termina cuando está vacío", "fin de línea", "parar el bucle", "un bucle para",
    "desuscribir al observador", "no se detiene", "bajar el nivel", "salida", "alto y ancho",
]  # fmt: skip


def catalogue_options(kind: str, language: str) -> list[tuple[str, str]]:
    """The ids and titles that the catalogue shows with `kind`."""
    for path in sorted(CATALOGUE.glob("*.yaml")):
        message = yaml.safe_load(path.read_text("utf-8")).get(kind, {}).get(language, {})
        options = message.get("buttons") or [
            row for section in message.get("sections", []) for row in section["rows"]
        ]
        if options:
            return [(option["id"], option["title"]) for option in options]
    return []


def heard(text: str) -> Heard:
    return Heard("text", text)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("standing", [OPEN, IDLE, Standing("onboarding", "pick_track")])
def test_every_hard_word_stops_however_it_is_written(writing: str, standing: Standing) -> None:
    for word in HARD_STOPS:
        text = writing.format(word, word.upper(), word.title())
        assert understand(heard(text), standing).meaning == Meaning.STOP, text


@pytest.mark.parametrize("text", ACCENTED)
def test_accents_hyphens_and_wide_letters_do_not_matter(text: str) -> None:
    assert understand(heard(text), OPEN).meaning == Meaning.STOP


@pytest.mark.parametrize("writing", WRITINGS)
def test_an_ambiguous_word_stops_unless_a_question_is_open(writing: str) -> None:
    for word in AMBIGUOUS_STOPS:
        text = heard(writing.format(word, word.upper(), word.title()))
        assert understand(text, IDLE).meaning == Meaning.STOP
        assert understand(text, OPEN).meaning == Meaning.STOP_OR_ANSWER
        assert understand(text, Standing("pending")).meaning == Meaning.STOP


@pytest.mark.parametrize("answers", [ANSWERS_EN, ANSWERS_PT, ANSWERS_ES])
def test_ordinary_answers_stop_nothing(answers: list[str]) -> None:
    for text in answers:
        assert understand(heard(text), OPEN).meaning == Meaning.REPLY, text
        assert understand(heard(text), IDLE).meaning == Meaning.REPLY, text


def test_the_list_of_ordinary_answers_is_long() -> None:
    assert len({*ANSWERS_EN, *ANSWERS_PT, *ANSWERS_ES}) >= 90


@pytest.mark.parametrize("state", ["opted_out", "declined"])
def test_only_start_and_help_pass_the_gate(state: UserState) -> None:
    gated = Standing(state, has_open_question=True)
    otherwise = Meaning.STILL_STOPPED if state == "opted_out" else Meaning.IGNORED
    for word in STARTS:
        assert understand(heard(word.upper()), gated).meaning == Meaning.START
    for word in HELPS:
        wanted = Meaning.HELP if state == "opted_out" else Meaning.IGNORED
        assert understand(heard(word), gated).meaning == wanted
    for text in ("oi", "menu", "python", "hint", "yes", "time 7:30", ""):
        assert understand(heard(text), gated).meaning == otherwise
    for choice in ("question:now", f"hint:{A}", "consent:yes", "lang:en", "junk"):
        assert understand(Heard("choice", "start", choice), gated).meaning == otherwise


COMMANDS = [
    ("help", Intent(Meaning.HELP)),
    ("?", Intent(Meaning.HELP)),
    ("MENU", Intent(Meaning.MENU)),
    ("English", Intent(Meaning.LANGUAGE, "en")),
    ("português", Intent(Meaning.LANGUAGE, "pt")),
    ("idioma", Intent(Meaning.ASK_LANGUAGE)),
    ("time 7:30", Intent(Meaning.TIME, "07:30")),
    ("horário 7h30", Intent(Meaning.TIME, "07:30")),
    ("hora 19h", Intent(Meaning.TIME, "19:00")),
    ("horario para 8 e meia", Intent(Meaning.TIME, "08:30")),
    ("zone Lisbon", Intent(Meaning.ZONE, "Europe/Lisbon")),
    ("fuso Lisboa", Intent(Meaning.ZONE, "Europe/Lisbon")),
    ("zona Madrid", Intent(Meaning.ZONE, "Europe/Madrid")),
    ("zone america/sao_paulo", Intent(Meaning.ZONE, "America/Sao_Paulo")),
    ("question now", Intent(Meaning.QUESTION_NOW)),
    ("dica", Intent(Meaning.HINT)),
    ("Saltar", Intent(Meaning.SKIP)),
    ("I don’t know", Intent(Meaning.DONT_KNOW)),
    ("não sei", Intent(Meaning.DONT_KNOW)),
    ("respuesta modelo", Intent(Meaning.MODEL_ANSWER)),
    ("Discordo!", Intent(Meaning.DISPUTE)),
    ("revisar nota", Intent(Meaning.DISPUTE)),
    ("I disagree.", Intent(Meaning.DISPUTE)),
    ("No estoy de acuerdo", Intent(Meaning.DISPUTE)),
    ("trilhas", Intent(Meaning.ASK_TRACK)),
]


@pytest.mark.parametrize(("text", "intent"), COMMANDS)
def test_a_command_is_one_with_and_without_an_open_question(text: str, intent: Intent) -> None:
    assert understand(heard(text), OPEN) == intent
    assert understand(heard(text), IDLE) == intent


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("7pm", Meaning.TIME),
        ("19h", Meaning.TIME),
        ("0", Meaning.MENU),
        ("oi", Meaning.MENU),
        ("next", Meaning.QUESTION_NOW),
        ("start", Meaning.MENU),
        ("info", Meaning.HELP),
        ("time 25:99", Meaning.BAD_TIME),
        ("zone of proximal development", Meaning.BAD_ZONE),
    ],
)
def test_some_words_are_commands_only_without_an_open_question(text: str, meaning: Meaning) -> None:
    assert understand(heard(text), IDLE).meaning == meaning
    assert understand(heard(text), OPEN).meaning == Meaning.REPLY


@pytest.mark.parametrize(
    "text",
    [
        "time complexity is O(n)",
        "O(1)",
        "2",
        "hint: use a map",
        "8",
        "hora de iterar",
        "help me",
        "",
    ],
)
def test_an_answer_that_begins_like_a_command_is_an_answer(text: str) -> None:
    assert understand(heard(text), OPEN).meaning == Meaning.REPLY


@pytest.mark.parametrize("name", ["hint", "skip", "dontknow", "model", "dispute", "answer"])
def test_the_buttons_of_a_question_carry_its_assignment(name: str) -> None:
    intent = understand(Heard("choice", "Dica", f"{name}:{A}"), OPEN)
    assert intent.assignment_id == UUID(A)
    for broken in (f"{name}:", f"{name}:1", name):
        assert understand(Heard("choice", "", broken), OPEN).meaning == Meaning.OLD_CHOICE


@pytest.mark.parametrize("choice", ["", "time:25:00", "lang:fr", "track:cobol", "level:9", "x:y"])
def test_a_choice_that_is_not_ours_is_no_answer(choice: str) -> None:
    assert understand(Heard("choice", "stop", choice), OPEN).meaning == Meaning.OLD_CHOICE


@pytest.mark.parametrize("state", ["unknown", "onboarding", "pending", "active", "paused"])
@pytest.mark.parametrize("kind", ["text", "image", "choice"])
def test_every_state_understands_everything(state: UserState, kind: InboundKind) -> None:
    for step in (None, *STEPS):
        for text in ("", "stop", "1", "9", "olá", "x" * 9_000):
            meaning = understand(Heard(kind, text), Standing(state, step)).meaning
            assert meaning in ANSWERS


@pytest.mark.parametrize("payload", ["stop", "Parar mensagens", "Stop messages", "STOP"])
def test_a_stop_button_without_an_id_of_ours_stops(payload: str) -> None:
    assert understand(Heard("button", payload, payload), OPEN).meaning == Meaning.STOP


def test_a_stop_under_a_picture_stops() -> None:
    assert understand(Heard("image", "Parar!"), OPEN).meaning == Meaning.STOP
    assert understand(Heard("image", "para isso"), OPEN) == Intent(Meaning.MEDIA, "image")


def test_start_ends_a_pause() -> None:
    paused = Standing("paused", has_open_question=True)
    assert understand(heard("voltar"), paused).meaning == Meaning.START
    assert understand(heard("lazy"), paused).meaning == Meaning.REPLY


@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_the_options_and_their_titles_are_those_of_the_catalogue(language: str) -> None:
    for kind, step in STEPS.items():
        shown = catalogue_options(kind, language)
        if kind != "confirm_signup":  # a template: its titles are approved elsewhere
            assert [choice.removesuffix(":{a}") for choice, _ in shown] == [*step.options]
        for choice, title in shown:
            wanted = understand(Heard("choice", "", choice), Standing("active", kind)).meaning
            if wanted not in (Meaning.OLD_CHOICE, Meaning.IT_IS_THE_ANSWER):
                typed = understand(heard(title), Standing("active", kind)).meaning
                assert typed == wanted, (kind, title)


def test_every_option_of_every_step_means_something() -> None:
    for step in STEPS.values():
        for choice in {*step.options, *step.words.values()} - {"stop", "answer"}:
            assert intent_of_choice(choice) is not None


def test_every_meaning_has_an_answer() -> None:
    assert set(ANSWERS) == set(Meaning)


def test_an_open_question_wins_over_a_form_that_was_left_open() -> None:
    asked = Standing("active", "pick_time", has_open_question=True)
    assert understand(heard("generators are lazy"), asked).meaning == Meaning.REPLY
    assert understand(heard("25h"), asked).meaning == Meaning.BAD_TIME
    asked = Standing("active", "ask_timezone", has_open_question=True)
    assert understand(heard("they are lazy and keep no list"), asked).meaning == Meaning.REPLY


@pytest.mark.parametrize(
    ("text", "language"),
    [("Hola, buenas", "es"), ("oi bom dia", "pt"), ("hello!", "en"), ("ruby", None), ("", None)],
)
def test_a_greeting_gives_the_language_away(text: str, language: str | None) -> None:
    assert language_of_words(text) == language


def test_what_is_normalised_stays_normalised() -> None:
    for text in (*ACCENTED, *ANSWERS_EN, *ANSWERS_PT, *ANSWERS_ES):
        assert normalised(normalised(text)) == normalised(text)
