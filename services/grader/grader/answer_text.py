"""What is examined of what a person wrote: orders to the examiner are not part of an answer."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 4000

_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n")
_TEN = r"(?:10|ten|dez|diez|100\s?%|full|m[aá]xim(?:[ao]|um)|top)\b"
_SCORE = (
    r"(?:scores?|grades?|marks?|notas?|pontos?|puntos?|points?|calificaci[oó]n|puntuaci[oó]n)\b"
)
_EXAMINER = r"(?:grader|examiner|assistant|examinador\w*|avaliador\w*|evaluador\w*|corretor\w*)\b"
# Programs have rules too, and may well ignore them.
_WHOSE = (
    r"(?:all|any|your|these|those|previous|todas|suas|tuas|tus|sus|estas|essas|esas)(?:\ \w+){0,2}"
)
_WHICH = r"(?:above|before|given|acima|anteriores|anterior|dadas|arriba|previas|de\ antes)"
_ORDERS = re.compile(
    rf"""
    \b(?:ignor(?:e|em|ar|a|en|ing)|disregard|forget|esque[cç](?:a|am|er)|olvid(?:a|e|en|ar)
        |desconsider(?:e|em|ar)|override|bypass)\b .{{0,60}}
        \b(?:instru[ck]\w+|instruç\w+|prompts?|rubric\w*|r[uú]bric\w*|guidelines?
            |{_WHOSE}\ (?:regras|reglas|rules)|(?:regras|reglas|rules)\ {_WHICH})\b
    | \b(?:ignor\w+|disregard|forget|esque[cç]a|olvida)\b .{{0,15}}
        \b(?:everything|all|tudo|todo)\b .{{0,15}}
        \b(?:above|before|previous|acima|anterior|arriba|antes)\b
    | \b(?:give|assign|award|grant|d[eê]-me|me\ d[eêá]|dê|dame|deme|d[ée]me|ponme|p[oó]ngame
        |atribua|asigna|asigne)\b .{{0,40}} \b{_TEN} .{{0,20}} \b{_SCORE}
    | \b(?:give|award|grant)\ (?:me|this|it|us)\b .{{0,30}} \b{_TEN}
    | \b(?:me\ d[eêá]|d[eê]-me|dame|deme|d[ée]me|ponme|p[oó]ngame|quero|quiero|i\ want|i\ deserve
        |mere[cç]o|merezco)\b .{{0,30}} \b{_TEN}
    | \b(?:deserv|merec|merez)\w*\b .{{0,30}} \b{_TEN} .{{0,20}} \b{_SCORE}
    | \b(?:deserv|merec|merez)\w*\b .{{0,30}} \b{_SCORE} .{{0,20}} \b{_TEN}
    | \b{_SCORE} \s* (?:[:=]|is|as|of|must\ be|should\ be|deve\ ser|debe\ ser|[eé]|um|un)?
        \s* {_TEN}
    | \b(?:mark|set|consider|considere|considera|marque|marca)\b .{{0,30}}
        \b(?:all|every|everything|todos?|todas?|tudo|cada)\b .{{0,40}}
        \b(?:as\ met|met|as\ correct|corret[oa]s?|correct[oa]s?|atendid[oa]s?|cumplid[oa]s?)\b
    | \b(?:you\ are|act\ as|voc[eê]\ [eé]|t[uú]\ eres|eres|dear)\b .{{0,30}} \b{_EXAMINER}
    | ["']? \b(?:verdict|next_step|gradable|contradictions)\b ["']? \s* :
    | <\| | </?(?:system|assistant)\b | \[/?INST\] | ^\s*(?:system|assistant)\s*:
    """,
    re.IGNORECASE | re.VERBOSE,
)


def examined_text(text: str) -> str:
    """The part that is graded; quotes are looked for here, never in what was left out."""
    clean = unicodedata.normalize("NFC", without_nul(text))[:LONGEST]
    return "".join(s for s in _sentences(clean) if not _ORDERS.search(s)).strip()


def holds_orders(text: str) -> bool:
    """Whether something of it is left out, as meant for the examiner."""
    clean = unicodedata.normalize("NFC", without_nul(text))[:LONGEST]
    return any(_ORDERS.search(sentence) for sentence in _sentences(clean))


def without_nul(text: str) -> str:
    """PostgreSQL cannot hold a NUL in a text."""
    return text.replace("\x00", "")


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    yield text[start:]
