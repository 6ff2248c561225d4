"""What the person reads: evidence first, then what is missing, then one next step."""

import re
from collections.abc import Iterable, Sequence

from common.events import Language, QuestionSnapshot, RubricPoint, Value
from grader.phrases import PHRASES
from grader.rubric import Mark

GOOD_BUDGET = 330
MISSING_BUDGET = 320
SUGGESTION_BUDGET = 200
"""WhatsApp counts UTF-16 units; together with the catalogue's own words this fits one message."""

MOST_BULLETS = 3
_QUOTE_BUDGET = 80
_BULLET_BUDGET = 165
_SMALLEST_BULLET = 40
_SHORTEST_STEP, _LONGEST_STEP = 12, 600

_MARKUP = str.maketrans({"*": None, "_": None, "~": None, "`": None, '"': "'"})
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")
_NOT_ADVICE = re.compile(r"https?:|www\.|@\w|\b10\s*/\s*10\b|[{}<>]|\d{7,}", re.IGNORECASE)


class Feedback(Value):
    good: str
    missing: str
    suggestion: str


def compose(
    question: QuestionSnapshot,
    marks: Sequence[Mark],
    *,
    language: Language,
    level: int,
    next_step: str = "",
    contradictions: Sequence[str] = (),
) -> Feedback:
    borne_out = [mark for mark in marks if not _is_refuted(mark.quote, contradictions)]
    return Feedback(
        good=_good(question, borne_out, language),
        missing=_missing(question, marks, language, contradictions),
        suggestion=_suggestion(question, marks, language, level, next_step),
    )


def _good(question: QuestionSnapshot, marks: Sequence[Mark], language: Language) -> str:
    phrases = PHRASES[language]
    bullets = [_evidence(point, mark, "") for point, mark in _having(question, marks, "met")]
    bullets += [
        _evidence(point, mark, f"({phrases.partly}) ")
        for point, mark in _having(question, marks, "partly")
    ]
    return _listed(bullets, GOOD_BUDGET) or phrases.nothing_good


def _is_refuted(quote: str, contradictions: Sequence[str]) -> bool:
    """What is called false is not praised in the same message."""
    return any(quote in one or one in quote for one in contradictions if quote)


def _evidence(point: RubricPoint, mark: Mark, prefix: str) -> str:
    quote = trimmed(plain(mark.quote), _QUOTE_BUDGET)
    room = _BULLET_BUDGET - units(f'- {prefix}: "{quote}"')
    return f'- {prefix}{trimmed(_title(point), room)}: "{quote}"'


def _missing(
    question: QuestionSnapshot,
    marks: Sequence[Mark],
    language: Language,
    contradictions: Sequence[str],
) -> str:
    phrases = PHRASES[language]
    bullets = [
        f'- {phrases.contradicted}: "{trimmed(plain(quote), _QUOTE_BUDGET)}"'
        for quote in contradictions[:1]
    ]
    room = _BULLET_BUDGET - units("- ")
    for point in _to_learn(question, marks)[:MOST_BULLETS]:
        prefix = "" if point.required else f"({phrases.bonus}) "
        bullets.append(f"- {prefix}{trimmed(_title(point), room - units(prefix))}")
    return _listed(bullets[:MOST_BULLETS], MISSING_BUDGET) or phrases.nothing_missing


def _suggestion(
    question: QuestionSnapshot,
    marks: Sequence[Mark],
    language: Language,
    level: int,
    next_step: str,
) -> str:
    step = plain(next_step)
    if _SHORTEST_STEP <= len(step) <= _LONGEST_STEP and not _NOT_ADVICE.search(next_step):
        return trimmed(step, SUGGESTION_BUDGET)
    phrases = PHRASES[language]
    rung = min(max(level, 1), 3) - 1
    to_learn = _to_learn(question, marks)
    if not to_learn:
        return phrases.next_steps_when_complete[rung]
    template = phrases.next_steps[rung]
    room = SUGGESTION_BUDGET - units(template.format(point=""))
    return template.format(point=trimmed(to_learn[0].text, room))


def _to_learn(question: QuestionSnapshot, marks: Sequence[Mark]) -> list[RubricPoint]:
    """The most important first. What is half there only when nothing is missing altogether, of the
    required points and of the bonus each."""
    absent = [point for point, _ in _having(question, marks, "wrong", "missing")]
    half = [point for point, _ in _having(question, marks, "partly")]
    learn: list[RubricPoint] = []
    for required in (True, False):
        learn += [p for p in absent if p.required is required] or [
            p for p in half if p.required is required
        ]
    return learn


def _having(
    question: QuestionSnapshot, marks: Iterable[Mark], *verdicts: str
) -> list[tuple[RubricPoint, Mark]]:
    """Required points first, then by weight."""
    found = {mark.point_id: mark for mark in marks if mark.verdict in verdicts}
    pairs = [(point, found[point.id]) for point in question.points if point.id in found]
    return sorted(pairs, key=lambda pair: (not pair[0].required, -pair[0].weight))


def _title(point: RubricPoint) -> str:
    return " ".join(point.text.split()).rstrip(" .;:")


def _listed(bullets: Sequence[str], budget: int) -> str:
    lines: list[str] = []
    for bullet in bullets[:MOST_BULLETS]:
        room = budget - units("\n".join([*lines, ""]))
        if units(bullet) > room and ((lines and room < _SMALLEST_BULLET) or '"' in bullet):
            break  # a quote that lost its end would no longer be one
        lines.append(trimmed(bullet, room))
    return "\n".join(lines)


def plain(text: str) -> str:
    """On one line and without WhatsApp's markup, so that it cannot style what stands around it."""
    return " ".join(text.translate(_MARKUP).split())


def trimmed(text: str, budget: int) -> str:
    """At most `budget` UTF-16 units: whole sentences if half is left, else whole words and '…'."""
    if units(text) <= budget:
        return text
    cut = _cut(text, budget - 1)
    ends = [match.end() for match in _SENTENCE_END.finditer(cut)]
    if ends and units(cut[: ends[-1]]) * 2 >= budget:
        return cut[: ends[-1]]
    words = cut.rsplit(" ", 1)[0] if " " in cut and not text[len(cut)].isspace() else cut
    return words.rstrip(" ,;:.-(") + "…"


def _cut(text: str, budget: int) -> str:
    used = 0
    for position, character in enumerate(text):
        used += 2 if ord(character) > 0xFFFF else 1
        if used > budget:
            return text[:position]
    return text


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
