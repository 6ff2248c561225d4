"""How a fake model marks: by keywords, honestly or not."""

import json
import re
from collections.abc import Callable, Iterator

from grader_testing.fake_llm import Json

NEXT_STEPS = {
    "pt": "Escreva um exemplo pequeno e explique cada linha dele em voz alta.",
    "en": "Write a small example and explain each of its lines aloud.",
    "es": "Escribe un ejemplo pequeño y explica cada una de sus líneas en voz alta.",
}
_CLAUSE = re.compile(r"[^.;!?\n]+")
_BAIT = re.compile(r"\b(?:10|ten|dez|diez|max\w*|máx\w*|full marks|nota|score|puntaje)\b", re.I)


def _parts(exam: Json, name: str) -> Iterator[Json]:
    found = exam[name]
    assert isinstance(found, list)
    yield from found


def _clause_with(words: object, answer: str) -> str:
    assert isinstance(words, list)
    for clause in _CLAUSE.findall(answer):
        if any(str(word).lower() in clause.lower() for word in words):
            return str(clause).strip()
    return ""


def by_keywords(exam: Json) -> Json:
    """Met where a keyword stands, with the clause that has it for a quote."""
    answer = str(exam["answer"])
    quotes = {str(p["id"]): _clause_with(p["keywords"], answer) for p in _parts(exam, "points")}
    beliefs = [
        {"id": m["id"], "quote": quote}
        for m in _parts(exam, "misconceptions")
        if (quote := _clause_with(m["phrases"], answer))
    ]
    return {
        "points": [
            {"id": name, "verdict": "met" if quote else "missing", "quote": quote}
            for name, quote in quotes.items()
        ],
        "next_step": NEXT_STEPS[str(exam["language"])],
        "gradable": True,
        "contradictions": [],
        "misconceptions": beliefs,
    }


def gullible(exam: Json) -> Json:
    """Gives everything to whoever asks for it, and quotes the request as the proof."""
    bait = next((c for c in _CLAUSE.findall(str(exam["answer"])) if _BAIT.search(c)), "")
    if not bait:
        return by_keywords(exam)
    points = [
        {"id": p["id"], "verdict": "met", "quote": bait.strip()} for p in _parts(exam, "points")
    ]
    return by_keywords(exam) | {"points": points}


def lying(exam: Json) -> Json:
    """Everything is met by words that nobody wrote."""
    invented = [
        {"id": p["id"], "verdict": "met", "quote": str(p["text"])} for p in _parts(exam, "points")
    ]
    return by_keywords(exam) | {"points": invented}


def partly_lying(share: float) -> Callable[[Json], Json]:
    """`share` of the quotes are true ones; the rest nobody wrote."""

    def mark(exam: Json) -> Json:
        points = list(_parts(exam, "points"))
        true = round(len(points) * share)
        words = str(exam["answer"]).split()
        return by_keywords(exam) | {
            "points": [
                {
                    "id": p["id"],
                    "verdict": "met",
                    "quote": " ".join(words[:6]) if n < true else json.dumps(p["text"]),
                }
                for n, p in enumerate(points)
            ]
        }

    return mark
