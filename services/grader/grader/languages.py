"""In which language an answer is written: people answer in theirs, whatever the question's is."""

from common.events import Language, QuestionSnapshot
from grader.words import words_of

# Words that stand in nearly every sentence of one of the languages, and in few of the others.
_MARKER_WORDS: dict[Language, str] = {
    "pt": """nao uma um do da dos das em na nos nas no e ao aos pelo pela com voce isso esse essa
        quando mais tambem porque entao sao foi ser tem ou se os as o eu acho depois ja sem mas
        cada onde dentro fora muito seja pode fica vai""",
    "es": """el los las una un del en y con es lo por para pero cuando mas tambien porque entonces
        son fue ser tiene o se no creo despues ya sin cada donde dentro fuera muy sea puede queda
        va su al como hay si""",
    "en": """the a an of to is are in on and it that this with for as by be from or if when not you
        we they which can so because does do will each only what then there has have at into
        but was""",
}
_MARKERS = {language: frozenset(words.split()) for language, words in _MARKER_WORDS.items()}
_FEWEST = 3
_LEAD = 1.5
"""Portuguese and Spanish share many of their small words: the winner must be well ahead."""


def language_of(text: str) -> Language | None:
    """None when the text does not tell."""
    words = [word.folded for word in words_of(text)]
    counts = {
        language: sum(word in markers for word in words) for language, markers in _MARKERS.items()
    }
    best, second, *_ = sorted(counts, key=lambda language: counts[language], reverse=True)
    if counts[best] < _FEWEST or counts[best] < counts[second] * _LEAD:
        return None
    return best


def as_answered(question: QuestionSnapshot, answer: str) -> QuestionSnapshot:
    """The question in the language of the answer, where it has been translated to that."""
    spoken = language_of(answer)
    if spoken is None or spoken == question.language:
        return question
    return next((t for t in question.translations if t.language == spoken), question)
