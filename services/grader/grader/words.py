"""Words of Portuguese, English and Spanish, made comparable: no case, no accents, no endings."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+")
# A full stop ends a clause only before a space: "Node.js" and "3.11" hold together.
_CLAUSE_END = re.compile(r"[.!?]+(?=\s|$)|[;\n]+")

_FUNCTION_WORDS = """
a an and are as at be been being but by can could did do does for from had has have he her his how
i if in into is it its just like may me more most much must my of on one or other our out over she
should so some such than that the their them then there these they this those to too up us very was
we were what when where which while who why will with would you your also only because about any
all both each s t re ve ll d m
o os um uma uns umas e do da dos das na nas em de para por com que se sao ou ao aos as mas seu sua
seus suas ser sido tem ter foi era isso isto esse essa este esta esses essas estes estas ele ela
eles elas pelo pela pelos pelas quando onde como qual quais quem porque pois muito mais menos entre
ate ja so tambem cada todo toda todos todas outro outra ha eu voce nos num numa lhe
el la los las unas unos y del en con es son u al su sus lo les para por pero cuando donde cual
cuales quien muy mas entre hasta ya solo tambien cada otro otra hay ha han fue yo tu nosotros esto
eso ese esa estos estas si sin pueden puede pode podem
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
# Contractions come apart at the apostrophe: "can't" is "can" and "t".
_ENGLISH_NEGATIONS = """
not never no cannot nor without t isn doesn don aren won wouldn couldn shouldn wasn weren hasn haven
hadn didn ain
"""
NEGATIONS = {
    "pt": frozenset({"nao", "nunca", "jamais", "nem"}),
    "en": frozenset(_ENGLISH_NEGATIONS.split()),
    "es": frozenset({"no", "nunca", "jamas", "ni", "tampoco"}),
}
# Words that make a statement of its opposite, besides the negations: "in nothing", "ninguém".
DENIALS = {
    "pt": frozenset({"sem", "nada", "ninguem", "nenhum", "nenhuma", "deixa", "evita", "evitar"}),
    "en": frozenset({"nothing", "nobody", "none", "neither", "stops", "avoids", "avoid"}),
    "es": frozenset({"sin", "nada", "nadie", "ningun", "ninguno", "ninguna", "evita", "evitar"}),
}
# With these in its sentence a statement is reported, not made: "a common myth is that ...".
DISTANCE = {
    "pt": frozenset({"mito", "mitos", "falso", "falsa", "errado", "errada", "engano", "equivoco"}),
    "en": frozenset({"myth", "myths", "misconception", "wrong", "mistaken", "incorrect", "untrue"}),
    "es": frozenset({"mito", "mitos", "falso", "falsa", "equivocado", "erroneo", "incorrecto"}),
}
ALL_NEGATIONS = frozenset().union(*NEGATIONS.values())

_ENDING_LIST = """
amentos imentos amento imento aciones acoes izacao izacion idades idade mente ation ations acion
acao ments ment ings ing ados adas idos idas ado ada ido ida ando endo iendo indo ies ied ed es er
ers ar ir em am an en amos emos imos s e a o as os ly y
"""
_ENDINGS = tuple(sorted(_ENDING_LIST.split(), key=len, reverse=True))
_SHORTEST_STEM = 4


class Word(NamedTuple):
    start: int
    end: int
    folded: str
    stem: str

    @property
    def has_content(self) -> bool:
        return self.folded not in FUNCTION_WORDS and self.folded not in ALL_NEGATIONS


class Clause(NamedTuple):
    start: int
    end: int


def fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def words_of(text: str) -> tuple[Word, ...]:
    return tuple(
        Word(match.start(), match.end(), *_folded_and_stem(match.group()))
        for match in _WORD.finditer(text)
    )


@lru_cache(maxsize=20_000)
def prepared(text: str) -> tuple[Word, ...]:
    """`words_of` what is looked at again and again: questions, points, keywords."""
    return words_of(text)


@lru_cache(maxsize=20_000)
def _folded_and_stem(word: str) -> tuple[str, str]:
    folded = fold(word)
    return folded, stem(folded)


def stem(folded: str) -> str:
    """Without its ending: "ordenados" and "ordenar" become the same."""
    for ending in _ENDINGS:
        if folded.endswith(ending) and len(folded) - len(ending) >= _SHORTEST_STEM:
            return folded[: -len(ending)]
    return folded


def clauses_of(text: str) -> Iterator[Clause]:
    start = 0
    for end in _CLAUSE_END.finditer(text):
        yield from _clause(text, start, end.end())
        start = end.end()
    yield from _clause(text, start, len(text))


def _clause(text: str, start: int, end: int) -> Iterator[Clause]:
    """Without the white space around it and the stop behind it; nothing when nothing is left."""
    piece = text[start:end]
    kept = piece.strip().rstrip(".!?;").rstrip()
    if kept:
        first = start + len(piece) - len(piece.lstrip())
        yield Clause(first, first + len(kept))
