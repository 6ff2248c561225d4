"""Whether somebody tried to answer at all. What is not gradable has no score."""

import re
from collections.abc import Sequence
from typing import Literal

from common.events import QuestionSnapshot
from grader.words import Word, fold, prepared, words_of

Attempt = Literal["none", "short", "whole"]

FEWEST_CONTENT_WORDS = 3
WORDS_EXPECTED_FOR_ONE = 4
_SIGNS, _FEWEST_SIGNS = frozenset("()[]{}<>&*=+/^|"), 2
_COPY_SHARE = 0.85
_COPY_LENGTH = 0.5
_GIBBERISH_SHARE = 0.5
_LONGEST_CONSONANTS = 5
_DO_NOT_KNOW = re.compile(
    r"""\b(?:
    (?:i\ )?(?:really\ )?(?:do\ not|don\W?t|dunno|didn\W?t)\ (?:really\ )?(?:know|remember|recall)
    | i\ ?dk | no\ (?:idea|clue) | not\ sure | dunno | haven\W?t\ (?:a\ clue|studied)
    | nao\ (?:sei|lembro|me\ lembro|faco\ (?:a\ menor\ )?ideia|tenho\ (?:a\ menor\ )?ideia|conheco)
    | sei\ la | nem\ ideia | esqueci | nao\ estudei
    | no\ (?:lo\ )?(?:se|recuerdo|me\ acuerdo|conozco|tengo\ (?:ni\ )?idea|estudie) | ni\ idea
    )\b""",
    re.VERBOSE,
)
_EMPTY_TALK_WORDS = """
ok okay fine yes no sim nao si good nice thanks thank obrigado obrigada gracias hi hello oi
ola hola bom boa bien tudo dia noite tarde please sorry desculpa perdon maybe talvez quiza answer
resposta respuesta question pergunta pregunta idea ideia know sei sure certeza sorry help ajuda
sobre desse dessa really nada nothing thing algo
"""
_EMPTY_TALK = frozenset(_EMPTY_TALK_WORDS.split())


def is_attempt(question: QuestionSnapshot, answer: str) -> bool:
    """False for silence, small talk, "I don't know", the question itself, and typing at random."""
    return attempt(question, answer) == "whole"


def attempt(question: QuestionSnapshot, answer: str) -> Attempt:
    """`short`: so few words that only their likeness to what is expected can tell."""
    said = [word for word in _without_excuses(answer) if _says_something(word)]
    asked = {word.stem for word in prepared(question.text)}
    own = [word for word in said if word.stem not in asked]
    if own and _touches_rubric(question, own):
        return "whole"
    if holds_code(answer) and words_of(answer):
        return "whole" if own or not said else "short"
    if not said:
        return "none"
    if not own:
        is_copy = len(words_of(answer)) >= len(prepared(question.text)) * _COPY_LENGTH
        return "none" if is_copy else "whole" if _is_long_enough(said, question) else "short"
    if 1 - len(own) / len(said) >= _COPY_SHARE or _is_gibberish(said):
        return "none"
    return "whole" if _is_long_enough(said, question) else "short"


def holds_code(answer: str) -> bool:
    """Or a formula: its names and signs are no words, and say something all the same."""
    return sum(character in _SIGNS for character in answer) >= _FEWEST_SIGNS


def _is_long_enough(said: Sequence[Word], question: QuestionSnapshot) -> bool:
    return len(said) >= _fewest_words(question)


def _fewest_words(question: QuestionSnapshot) -> int:
    """A short question may have a short answer: "O(log n)"."""
    expected = sum(word.has_content for word in prepared(question.reference))
    return min(FEWEST_CONTENT_WORDS, max(1, expected // WORDS_EXPECTED_FOR_ONE))


def _without_excuses(answer: str) -> tuple[Word, ...]:
    return words_of(_DO_NOT_KNOW.sub(" ", fold(answer)))


def _says_something(word: Word) -> bool:
    return word.has_content and word.folded not in _EMPTY_TALK


def _touches_rubric(question: QuestionSnapshot, words: list[Word]) -> bool:
    """A word that is not in the question, and is one of those that the rubric is made of."""
    expected = {
        word.stem
        for point in question.points
        for text in (point.text, *point.keywords)
        for word in prepared(text)
        if word.has_content and word.folded not in _EMPTY_TALK
    }
    return any(word.stem in expected for word in words)


def _is_gibberish(words: list[Word]) -> bool:
    if len({word.folded for word in words}) * 3 <= len(words):
        return True  # the same word over and over
    odd = sum(_is_odd(word.folded) for word in words)
    return odd / len(words) >= _GIBBERISH_SHARE


def _is_odd(word: str) -> bool:
    if len(word) < _LONGEST_CONSONANTS or not word.isalpha():
        return False
    if re.search(r"(.)\1\1", word) or not re.search(r"[aeiouy]", word):
        return True
    return re.search(rf"[bcdfghjklmnpqrstvwxz]{{{_LONGEST_CONSONANTS},}}", word) is not None
