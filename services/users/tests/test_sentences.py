"""Wishes in whole sentences, with a question open; and answers that look like them."""

import pytest

from users.understanding import Heard, Intent, Meaning, Standing, understand

OPEN = Standing("active", has_open_question=True)
IDLE = Standing("active")

WISHES = [
    ("mude meu horário para 8h", Intent(Meaning.TIME, "08:00")),
    ("Muda o horário para as 19h30", Intent(Meaning.TIME, "19:30")),
    ("quero mudar o horário da pergunta para 7:15", Intent(Meaning.TIME, "07:15")),
    ("trocar horario pra 21h", Intent(Meaning.TIME, "21:00")),
    ("mudar para 8h", Intent(Meaning.TIME, "08:00")),
    ("tempo 7:30", Intent(Meaning.TIME, "07:30")),
    ("mude o horário para meio-dia", Intent(Meaning.TIME, "12:00")),
    ("change my time to 8am", Intent(Meaning.TIME, "08:00")),
    ("Please change my daily time to 8:30 pm", Intent(Meaning.TIME, "20:30")),
    ("set time to 18:00", Intent(Meaning.TIME, "18:00")),
    ("change the schedule to noon", Intent(Meaning.TIME, "12:00")),
    ("switch to 7pm", Intent(Meaning.TIME, "19:00")),
    ("cambia mi hora a las 8", Intent(Meaning.TIME, "08:00")),
    ("cambiar el horario a las 20:15", Intent(Meaning.TIME, "20:15")),
    ("quiero cambiar la hora a las 9 y media", Intent(Meaning.TIME, "09:30")),
    ("language english", Intent(Meaning.LANGUAGE, "en")),
    ("idioma español", Intent(Meaning.LANGUAGE, "es")),
    ("mudar idioma para inglês", Intent(Meaning.LANGUAGE, "en")),
    ("change my language to Portuguese", Intent(Meaning.LANGUAGE, "pt")),
    ("fala português", Intent(Meaning.LANGUAGE, "pt")),
    ("switch to spanish", Intent(Meaning.LANGUAGE, "es")),
    ("nível 2", Intent(Meaning.LEVEL, "2")),
    ("change my level to senior", Intent(Meaning.LEVEL, "3")),
    ("mudar nível para pleno", Intent(Meaning.LEVEL, "2")),
    ("nivel", Intent(Meaning.ASK_LEVEL)),
    ("Level", Intent(Meaning.ASK_LEVEL)),
]


@pytest.mark.parametrize(("text", "intent"), WISHES)
def test_a_wish_is_understood_with_and_without_an_open_question(text: str, intent: Intent) -> None:
    assert understand(Heard("text", text), OPEN) == intent
    assert understand(Heard("text", text), IDLE) == intent


@pytest.mark.parametrize(
    "text",
    [
        "time complexity is O(n log n)",
        "tempo O(1)",
        "tempo constante, 1 passo",
        "change the list to a set",
        "switch to a hash map",
        "move 2 pointers",
        "set x to 3",
        "change to O(n)",
        "mude para uma lista ligada",
        "cambia a un diccionario",
        "the time to live is 60 seconds",
        "level order traversal",
        "level 0 is the root",
        "language features such as closures",
        "habla de una pila",
        "hora de parar quando i = 8 e o vetor acaba",
        "repeat until the list is empty",
        "repetir o laço",
        "change the time complexity from n to 1 with a set of the 2 arrays",
    ],
)
def test_an_answer_that_begins_like_a_wish_is_an_answer(text: str) -> None:
    assert understand(Heard("text", text), OPEN).meaning == Meaning.REPLY


@pytest.mark.parametrize(
    "text", ["repeat", "Repetir a pergunta", "repita", "repite la pregunta", "repeat the question"]
)
def test_the_open_question_is_shown_again(text: str) -> None:
    assert understand(Heard("text", text), OPEN).meaning == Meaning.QUESTION_NOW
    assert understand(Heard("text", text), IDLE).meaning == Meaning.REPLY
