"""How far an examiner's praise is borne out by the answer, and what is done when it is not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from common.events import Misconception, QuestionSnapshot
from grader.examiners import Examination
from grader.rubric import Mark, combine, true_quote
from grader.words import words_of

FAR_ABOVE = 4
"""So much more than the local examiner gives, on thin evidence, is not believed."""
BELIEVED_ABOVE = 2
_SHORTEST_STATEMENT = 3  # words; less states nothing


def count_evidence(
    question: QuestionSnapshot, marks: Iterable[Mark], answer: str
) -> tuple[int, int]:
    """How many quotes were claimed for praise, and how many of them hold.

    A quote holds when it stands in the answer and has a word to do with the question: an order to
    the examiner can be quoted truly, too.
    """
    claimed = [mark.quote for mark in marks if mark.verdict in {"met", "partly"}]
    if not claimed:
        return 0, 0
    subject = _words_about(question)
    found = [true_quote(answer, quote) for quote in claimed]
    holds = [span is not None and bool(_stems(span) & subject) for span in found]
    return len(claimed), sum(holds)


def _words_about(question: QuestionSnapshot) -> frozenset[str]:
    texts = [question.text, question.reference]
    texts += [text for point in question.points for text in (point.text, *point.keywords)]
    texts += [anchor.text for anchor in question.anchors]
    texts += [belief.text for belief in question.misconceptions]
    own = frozenset[str]().union(*map(_stems, texts))
    return own.union(*(_words_about(translation) for translation in question.translations))


def _stems(text: str) -> frozenset[str]:
    return frozenset(word.stem for word in words_of(text) if word.has_content)


def true_statements(quotes: Sequence[str], answer: str) -> tuple[str, ...]:
    """Those that the answer makes, word for word, each once."""
    found = dict.fromkeys(span for quote in quotes if (span := true_quote(answer, quote)))
    return tuple(span for span in found if len(span.split()) >= _SHORTEST_STATEMENT)


def stated(
    beliefs: Sequence[Misconception], claims: Sequence[tuple[str, str]], answer: str
) -> list[tuple[Misconception, str]]:
    """Of the claims, id and quote, those that name a known misconception and are true."""
    known = {belief.id: belief for belief in beliefs}
    return [
        (known[belief_id], span)
        for belief_id, quote in claims
        if belief_id in known
        for span in true_statements([quote], answer)
    ]


def doubted(
    question: QuestionSnapshot, examination: Examination, local: Examination
) -> Examination:
    """Thin evidence for a score far above the local examiner's: less of it, and people look."""
    ours, theirs = score_of(question, local), score_of(question, examination)
    if theirs - ours <= FAR_ABOVE:
        return examination
    most = ours + BELIEVED_ABOVE
    cap = most if examination.cap is None else min(examination.cap, most)
    return replace(examination, cap=cap, needs_review=True)


def score_of(question: QuestionSnapshot, found: Examination) -> int:
    """1 for what is not gradable."""
    if not found.is_gradable:
        return 1
    if found.decided_score is not None:
        return found.decided_score
    return combine(
        question,
        found.marks,
        len(found.contradictions),
        estimate=found.estimate,
        cap=found.cap,
    )
