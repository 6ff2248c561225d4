"""What a question must satisfy beyond its schema, in a file or written through the API.

CI runs it: `python -m scheduler.packs`."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, get_args

from common.events import Language
from common.questions import ANCHOR_SCORES, Question, Translation
from scheduler import packs

LANGUAGES: tuple[Language, ...] = get_args(Language)

# Such a word stops the messages wherever it is the whole of what a person writes.
STOP_WORDS = frozenset(
    {
        *("stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "remove me"),
        *("stop messages", "parar", "pare", "para", "sair", "descadastrar", "parar tudo"),
        *("parar mensagens", "nao quero mais", "me remova", "me tira", "baja", "dar de baja"),
        *("darme de baja", "alto", "detener", "detener mensajes", "salir", "desuscribir"),
        "no quiero mas",
    }
)


KEYWORDS = (4, 12)
MOST_BONUS = 1 / 3
"""Of the whole weight: more, and the required points decide too little."""

NEAR_DUPLICATE = 0.6
"""Of the content words of two questions, how many they may share (Jaccard)."""

CONTENT_WORD = re.compile(r"\w{3,}")
MESSAGE_UNITS = 1024
"""WhatsApp's limit for a message with buttons, in UTF-16 units."""

FRAME_UNITS = 170
"""At most what the message `question` says around the topic and the question."""


class Fault(NamedTuple):
    field: str
    message: str


def lint(content: Path) -> list[str]:
    """One `file: problem` for each fault, in the order of the files."""
    found: list[str] = []
    owners: dict[str, Path] = {}
    earlier: list[Question] = []
    files = packs.question_files(content)
    for path in files:
        found.extend(f"{path.relative_to(content)}: {p}" for p in _problems(path, owners, earlier))
    return found if files else [f"{content / 'questions'}: holds no question files"]


def _problems(path: Path, owners: dict[str, Path], earlier: list[Question]) -> Iterator[str]:
    question, problems = packs.read(path)
    yield from problems
    if question is None:
        return
    owner = owners.setdefault(question.id, path)
    if owner != path:
        yield f"id: {question.id} is used by {owner.parent.name}/{owner.name} too"
    if question.track != path.parent.name:
        yield f"track: {question.track} is in the folder {path.parent.name}"
    if question.id != (expected := f"{path.parent.name}-{path.stem}"):
        yield f"id: {question.id} should be {expected}, after the file's path"
    others = [other for other in earlier if other.track == question.track]
    for fault in (*problems_of(question), *problems_among(question, others)):
        yield f"{fault.field}: {fault.message}"
    earlier.append(question)


def problems_of(question: Question) -> Iterator[Fault]:
    """What is wrong with it by itself."""
    if not question.id.startswith(f"{question.track}-"):
        yield Fault("id", f"must begin with {question.track}-")
    for field in ("concept", "reviewed_on"):
        if getattr(question, field) is None:
            yield Fault(field, "is missing")
    yield from _point_problems(question)
    yield from _belief_problems(question)
    for language in LANGUAGES:
        for fault in _language_problems(question.languages.of(language)):
            yield Fault(f"languages.{language}.{fault.field}", fault.message)


def problems_among(question: Question, others: Iterable[Question]) -> Iterator[Fault]:
    """What is wrong with it beside other questions of its track."""
    for other in others:
        if question.concept is not None and question.concept == other.concept:
            yield Fault("concept", f"{question.concept} is what {other.id} is about too")
        for language in LANGUAGES:
            asked, known = (q.languages.of(language).question for q in (question, other))
            if _likeness(asked, known) > NEAR_DUPLICATE:
                place = f"languages.{language}.question"
                yield Fault(place, f"asks nearly the same as {other.id}")


def _likeness(one: str, other: str) -> float:
    words, known = _content_words(one), _content_words(other)
    return len(words & known) / len(words | known) if words | known else 0.0


@lru_cache(maxsize=4096)
def _content_words(said: str) -> frozenset[str]:
    return frozenset(CONTENT_WORD.findall(_plain(said)))


def _point_problems(question: Question) -> Iterator[Fault]:
    ids = [point.id for point in question.points]
    if len(set(ids)) < len(ids):
        yield Fault("points", "an id is used twice")
    if not any(point.required for point in question.points):
        yield Fault("points", "none is required")
    bonus = sum(point.weight for point in question.points if not point.required)
    if bonus > MOST_BONUS * sum(point.weight for point in question.points):
        yield Fault("points", "those that are not required weigh more than a third")
    for language in LANGUAGES:
        said = question.languages.of(language).points
        yield from _key_problems(f"languages.{language}.points", ids, said, "points")


def _belief_problems(question: Question) -> Iterator[Fault]:
    ids = [belief.id for belief in question.misconceptions]
    if not ids:
        yield Fault("misconceptions", "there is none")
    if len(set(ids)) < len(ids):
        yield Fault("misconceptions", "an id is used twice")
    for language in LANGUAGES:
        said = question.languages.of(language).misconceptions
        yield from _key_problems(
            f"languages.{language}.misconceptions", ids, said, "misconceptions"
        )


def _key_problems(
    place: str, ids: Iterable[str], said: Iterable[str], kind: str
) -> Iterator[Fault]:
    for missing in sorted(set(ids) - set(said)):
        yield Fault(place, f"{missing} is missing")
    for unknown in sorted(set(said) - set(ids)):
        yield Fault(place, f"{unknown} is not among the {kind}")


def _language_problems(said: Translation) -> Iterator[Fault]:
    if said.model_answer is None:
        yield Fault("model_answer", "is missing")
    for missing in (name for name in ANCHOR_SCORES if name not in said.anchors):
        yield Fault(f"anchors.{missing}", "is missing")
    units = _units(said.topic) + _units(said.question) + FRAME_UNITS
    if units > MESSAGE_UNITS:
        yield Fault("question", f"makes a message of {units} units; {MESSAGE_UNITS} fit")
    reference, asked = _plain(said.reference), _plain(said.question)
    for point_id, point in said.points.items():
        for message in _keyword_problems(point.keywords, reference, asked):
            yield Fault(f"points.{point_id}", message)


def _keyword_problems(written: Sequence[str], reference: str, asked: str) -> Iterator[str]:
    fewest, most = KEYWORDS
    if not fewest <= len(written) <= most:
        yield f"has {len(written)} keywords; {fewest} to {most} are asked for"
    plain = {keyword: _plain(keyword) for keyword in written}
    if not any(_stands_in(keyword, reference) for keyword in plain.values()):
        yield "no keyword occurs in the reference"
    for original, keyword in plain.items():
        if _stands_in(keyword, asked):
            yield f"the keyword {original!r} stands in the question"
        if keyword in STOP_WORDS:
            yield f"the keyword {original!r} is a STOP word: who answers with it alone is stopped"


def _units(said: str) -> int:
    return len(said.encode("utf-16-le")) // 2


def _plain(text: str) -> str:
    """Without case, accents, or more than one space."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _stands_in(keyword: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text) is not None
