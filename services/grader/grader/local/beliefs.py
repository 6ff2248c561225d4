"""Known misconceptions that an answer states, as far as their phrases tell."""

import re
from collections.abc import Iterator, Sequence

from common.events import Language, Misconception, QuestionSnapshot
from grader.local.text import WINDOW, Hit, Text, is_same
from grader.words import ALL_NEGATIONS, DENIALS, DISTANCE, NEGATIONS, Clause, Word, prepared

_WORDS_BETWEEN = 3  # that a statement may have more than its phrase
_CONTRAST = re.compile(
    r"\b(?:e[mn] (?:vez|lugar) de|ao contrario d\w+|a diferencia de\w*|diferente(?:mente)? d\w+"
    r"|instead of|rather than|unlike)\b"
)
_CONTRAST_WITHIN = 5  # words before a statement


def stated_beliefs(question: QuestionSnapshot, text: Text) -> list[tuple[Misconception, str]]:
    """Each with the clause that states it."""
    found = []
    for belief in question.misconceptions:
        clause = _clause_that_states(belief, text, question.language)
        if clause is not None:
            found.append((belief, text.quote(clause)))
    return found


def _clause_that_states(belief: Misconception, text: Text, language: Language) -> Clause | None:
    for phrase in belief.phrases:
        for hit in _statements(phrase, text):
            if not _is_denied(hit, phrase, text, language):
                return text.clause_of(hit[0])
    return None


def _statements(phrase: str, text: Text) -> Iterator[Hit]:
    """Where it stands word for word (`equal?` ends no sentence), or all that carries it within one
    clause and in its order: in another order the same words may say the opposite."""
    wanted = prepared(phrase)
    yield from text.word_for_word(wanted)
    carrying = [word for word in wanted if word.has_content or word.folded in ALL_NEGATIONS]
    if sum(word.has_content for word in carrying) < 2 or not all(map(text.places_of, carrying)):
        return
    reach = max(WINDOW, len(wanted) + _WORDS_BETWEEN)
    for start in text.places_of(carrying[0]):
        clause = text.clause_of(text.words[start])
        near = text.words[start : start + reach]
        hit = _in_order(carrying, [w for w in near if clause is None or w.end <= clause.end])
        if hit:
            yield hit


def _in_order(wanted: Sequence[Word], words: Sequence[Word]) -> Hit:
    """The wanted words; nothing when one of them is missing or comes before its turn."""
    left = iter(words)
    found = [next((word for word in left if is_same(word, one)), None) for one in wanted]
    return [word for word in found if word] if None not in found else []


def _is_denied(hit: Hit, phrase: str, text: Text, language: Language) -> bool:
    """Said not to be so before it in its clause or amid its words, said to be what others think
    anywhere in the clause, or set against what is so just before it. A denial that the phrase holds
    itself is none."""
    own = {word.folded for word in prepared(phrase)}
    denials = (NEGATIONS[language] | DENIALS[language]) - own
    clause = text.clause_of(hit[0]) or Clause(hit[0].start, hit[-1].end)
    said = text.words_in(clause)
    upto = [word.folded for word in said if word.end <= hit[-1].end]
    doubts = (DISTANCE[language] - own).intersection(word.folded for word in said)
    if doubts or denials.intersection(upto):
        return True
    before = [word.folded for word in said if word.end <= hit[0].start]
    near = " ".join(before[-_CONTRAST_WITHIN:] + upto[len(before) :])
    return _CONTRAST.search(near) is not None
