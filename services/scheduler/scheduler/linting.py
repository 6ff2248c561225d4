"""What a question file must satisfy beyond its schema. CI runs it: `python -m scheduler.packs`."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from common.events import Language
from scheduler import packs
from scheduler.questions import Question, Translation

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


def lint(content: Path) -> list[str]:
    """One `file: problem` for each fault, in the order of the files."""
    found: list[str] = []
    owners: dict[str, Path] = {}
    files = packs.question_files(content)
    for path in files:
        found.extend(f"{path.relative_to(content)}: {p}" for p in _problems(path, owners))
    return found if files else [f"{content / 'questions'}: holds no question files"]


def _problems(path: Path, owners: dict[str, Path]) -> Iterator[str]:
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
    yield from _point_problems(question)
    for language in LANGUAGES:
        said = question.languages.of(language)
        for problem in _language_problems(said):
            yield f"languages.{language}.{problem}"


def _point_problems(question: Question) -> Iterator[str]:
    ids = [point.id for point in question.points]
    if len(set(ids)) < len(ids):
        yield "points: an id is used twice"
    if not any(point.required for point in question.points):
        yield "points: none is required"
    for language in LANGUAGES:
        points = question.languages.of(language).points
        for missing in sorted(set(ids) - set(points)):
            yield f"languages.{language}.points: {missing} is missing"
        for unknown in sorted(set(points) - set(ids)):
            yield f"languages.{language}.points: {unknown} is not among the points"


def _language_problems(said: Translation) -> Iterator[str]:
    reference, asked = _plain(said.reference), _plain(said.question)
    for point_id, point in said.points.items():
        keywords = [_plain(keyword) for keyword in point.keywords]
        if not any(_stands_in(keyword, reference) for keyword in keywords):
            yield f"points.{point_id}: no keyword occurs in the reference"
        for keyword, written in zip(keywords, point.keywords, strict=True):
            if _stands_in(keyword, asked):
                yield f"points.{point_id}: the keyword {written!r} stands in the question"
        if STOP_WORDS.issuperset(keywords):
            yield f"points.{point_id}: its only answer is the STOP word {point.keywords[0]!r}"


def _plain(text: str) -> str:
    """Without case, accents, or more than one space."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _stands_in(keyword: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(keyword)}(?!\w)", text) is not None
