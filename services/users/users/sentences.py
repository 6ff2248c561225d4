"""Wishes that people write out: "change my time to 8am" is the same as "time 8am"."""

import re

from common.events import Language
from users.dialogues import LEVEL_WORDS
from users.keywords import LANGUAGE_NAMES

LONGEST = 60  # characters; a longer text is not a wish
VERB = (
    r"(?:(?:please|por favor) )?"
    r"(?:(?:(?:i )?want to|i would like to|id like to|quero|queria|quiero|quisiera) )?"
    r"(?:change|set|move|switch|mude|muda|mudar|troque|troca|trocar|altere|altera|alterar|"
    r"cambia|cambie|cambiar|pon|ponme|poner|ajusta|ajuste|ajustar)"
)
MINE = r"(?:(?:my|the|daily|o|a|meu|minha|el|la|mi) )*"
CLOCK = r"(?=.*\d)(?=.*(?:\d ?[:h.]|\d ?[ap]m|\d e meia|\d y media))"
NAMED = r"(?=.*(?:noon|midday|midnight|meio dia|meia noite|mediodia|medianoche))"
OF_QUESTION = r"(?: (?:of the|da|de la) (?:question|pergunta|pregunta))?"

TIME_WISHES = (
    re.compile(rf"(?:{VERB} )?{MINE}(?:time|schedule|horario|hora){OF_QUESTION} (?P<rest>.*\d.*)"),
    re.compile(rf"{VERB} {MINE}(?:time|schedule|horario|hora){OF_QUESTION} {NAMED}(?P<rest>.+)"),
    re.compile(rf"(?:{VERB} )?{MINE}tempo {CLOCK}(?P<rest>.+)"),
    re.compile(rf"{VERB} (?P<rest>(?:to|at|para|pra|a) {CLOCK}.+)"),
)
LANGUAGE_WISH = re.compile(
    rf"(?:(?:{VERB} )?{MINE}(?:language|idioma|lingua|lengua)(?: (?:to|para|a|em|en|in|o))*"
    rf"|{VERB} (?:to|para|a)(?: o)?|(?:speak|fale|fala|falar|habla|hable|hablar)(?: in| em| en)?)"
    r" (?P<name>\w+)"
)
LEVEL_WISH = re.compile(
    rf"(?:{VERB} )?{MINE}(?:level|nivel)(?: (?:to|para|a|o))* (?P<name>[123]|[a-z ]+)"
)

# "Stop sending me messages": a stop in so many words. With a question open it is asked back, since
# an answer may look like one.
_MESSAGES = (
    r"(?: (?:me|mais|mas|more|any|anymore|this|isso|esto|essas|estas|these|your|suas|sus|tus|the"
    r"|as|los|las))*"
)
_THINGS = (
    r"(?: (?:messages?|questions?|texts?|mensagens?|mensagem|perguntas?|mensajes?|preguntas?|nada"
    r"|anything))?"
)
STOP_WISHES = (
    re.compile(
        r"(?:please )?(?:stop|quit)(?: (?:sending|texting|messaging|writing|asking|bothering))?"
        rf"{_MESSAGES}{_THINGS}(?: to me)?(?: please)?"
    ),
    re.compile(
        r"(?:please )?(?:do not|dont|don t) (?:send|text|message|write|bother)(?: to)?"
        rf"{_MESSAGES}{_THINGS}(?: please)?(?: anymore)?"
    ),
    re.compile(
        r"(?:please )?(?:i (?:want|would like) to|id like to) (?:stop|unsubscribe|leave|quit)"
        r"(?: receiving)?" + rf"{_MESSAGES}{_THINGS}"
    ),
    re.compile(
        r"(?:por favor )?(?:pare|parem|para) de (?:me )?(?:mandar|enviar|escrever|perturbar)"
        rf"{_MESSAGES}{_THINGS}(?: por favor)?"
    ),
    re.compile(
        r"(?:por favor )?nao (?:me )?(?:mande|manda|mandem|envie|envia|enviem|escreva)"
        rf"{_MESSAGES}{_THINGS}(?: por favor)?"
    ),
    re.compile(
        r"(?:eu )?(?:nao quero (?:mais )?(?:receber|participar)"
        r"|quero (?:parar de receber|sair|me descadastrar))"
        rf"{_MESSAGES}{_THINGS}"
    ),
    re.compile(
        r"(?:por favor )?(?:deja|deje|dejen) de (?:mandarme|enviarme|escribirme|mandar|enviar)"
        rf"{_MESSAGES}{_THINGS}(?: por favor)?"
    ),
    re.compile(
        r"(?:por favor )?no me (?:mandes|mande|manden|envies|envie|envien|escribas|escriban)"
        rf"{_MESSAGES}{_THINGS}(?: por favor)?"
    ),
    re.compile(
        r"(?:quiero|quisiera) (?:darme de baja|cancelar|salir|dejar de recibir)"
        rf"{_MESSAGES}{_THINGS}|no quiero (?:recibir|participar){_MESSAGES}{_THINGS}"
    ),
)


def is_stop_wish(words: str) -> bool:
    plain = words.replace(",", "")
    return len(plain) <= LONGEST and any(wish.fullmatch(plain) for wish in STOP_WISHES)


def time_in(words: str) -> str | None:
    """The part of normalised words that should be a time; None when no time is wished for."""
    if len(words) > LONGEST:
        return None
    found = (wish.fullmatch(words) for wish in TIME_WISHES)
    return next((match["rest"] for match in found if match), None)


def language_in(words: str) -> Language | None:
    found = LANGUAGE_WISH.fullmatch(words) if len(words) <= LONGEST else None
    return LANGUAGE_NAMES.get(found["name"]) if found else None


def level_in(words: str) -> str | None:
    """1, 2 or 3."""
    found = LEVEL_WISH.fullmatch(words) if len(words) <= LONGEST else None
    if found is None:
        return None
    name = found["name"]
    return name if name in "123" else LEVEL_WORDS.get(name, "").removeprefix("level:") or None
