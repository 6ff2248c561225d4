"""Equal answers are examined once. What is remembered holds no person and no words of an answer:
quotes are places in it, and whoever has the answer can find them again."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from common.events import GradeAnswer, QuestionSnapshot, Value
from grader.answer_text import examined_text
from grader.examiners import Examination, Examiner, ExaminerName
from grader.rubric import Mark, Verdict, true_quote

KEPT = timedelta(days=90)
FLAGGED = timedelta(days=30)
"""Whoever wrote something suspicious within this time neither gets nor gives examinations."""
_REPEATED = 4  # words in a row that a next step may not share with the answer, to be remembered

FIND = text(
    """
    SELECT body FROM grader.known_examinations
    WHERE key = ANY(:keys) AND expires_at > :now
        AND NOT EXISTS (
            SELECT FROM grader.gradings JOIN grader.answers ON answers.id = answer_id
            WHERE user_id = :user_id AND is_suspicious AND created_at > :flagged_since)
    ORDER BY key LIKE 'human:%' DESC LIMIT 1
    """
)
KEEP = text(
    """
    INSERT INTO grader.known_examinations AS known (key, body, expires_at)
    SELECT :key, :body, :expires_at
    WHERE NOT EXISTS (
        SELECT FROM grader.gradings JOIN grader.answers ON answers.id = answer_id
        WHERE user_id = CAST(:user_id AS uuid) AND is_suspicious AND created_at > :flagged_since)
    ON CONFLICT (key) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at
    """
)
PRUNE = text("DELETE FROM grader.known_examinations WHERE expires_at <= :now")

Place = tuple[int, int]


class KnownMark(Value):
    point_id: str
    verdict: Verdict
    place: Place | None = None


class KnownExamination(Value):
    marks: tuple[KnownMark, ...]
    contradictions: tuple[Place, ...] = ()
    next_step: str = ""
    cap: int | None = None
    estimate: float | None = None
    decided_score: int | None = None
    examiner: ExaminerName
    model: str
    prompt_version: str


def normalised(answer: str) -> str:
    """White space and case do not matter; its length tells where something stands."""
    collapsed = " ".join(unicodedata.normalize("NFC", answer).split())
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in collapsed)


def _collapsed(answer: str) -> str:
    return " ".join(unicodedata.normalize("NFC", answer).split())


@dataclass(frozen=True)
class Keys:
    machine: str | None
    human: str

    @classmethod
    def of(cls, command: GradeAnswer, examiner: Examiner, recipe: str) -> "Keys":
        answer = examined_text(command.text)
        parts = (examiner.model, recipe, command.language, str(command.level))
        is_model = examiner.name == "openai"
        return cls(
            _digest(command.question, answer, *parts) if is_model else None,
            human_key(command.question, answer),
        )


def human_key(question: QuestionSnapshot, answer: str) -> str:
    return f"human:{_digest(question, answer)}"


def _digest(question: QuestionSnapshot, answer: str, *parts: str) -> str:
    whole = (question.question_id, str(question.version), normalised(answer), *parts)
    return sha256("\x1f".join(whole).encode()).hexdigest()


def remembered(examination: Examination, answer: str) -> KnownExamination:
    flat = _collapsed(answer)
    places = (_place(quote, flat) for quote in examination.contradictions)
    step = examination.next_step
    return KnownExamination(
        marks=tuple(
            KnownMark(point_id=m.point_id, verdict=m.verdict, place=_place(m.quote, flat))
            for m in examination.marks
        ),
        contradictions=tuple(place for place in places if place is not None),
        next_step="" if _repeats(step, answer) else step,
        cap=examination.cap,
        estimate=examination.estimate,
        decided_score=examination.decided_score,
        examiner=examination.examiner,
        model=examination.model,
        prompt_version=examination.prompt_version,
    )


def recalled(known: KnownExamination, answer: str) -> Examination:
    """The same examination, at no cost, with the quotes of this answer."""
    flat = _collapsed(answer)
    return Examination(
        marks=tuple(
            Mark(point_id=m.point_id, verdict=m.verdict, quote=_quote(m.place, flat, answer))
            for m in known.marks
        ),
        contradictions=tuple(
            quote for place in known.contradictions if (quote := _quote(place, flat, answer))
        ),
        is_gradable=True,
        next_step=known.next_step,
        cap=known.cap,
        estimate=known.estimate,
        decided_score=known.decided_score,
        examiner=known.examiner,
        model=known.model,
        prompt_version=known.prompt_version,
        is_cached=True,
        cost_usd=Decimal(0),
    )


def _place(quote: str, flat: str) -> Place | None:
    wanted = _collapsed(quote)
    start = flat.find(wanted) if wanted else -1
    return (start, start + len(wanted)) if start >= 0 else None


def _quote(place: Place | None, flat: str, answer: str) -> str:
    return (true_quote(answer, flat[slice(*place)]) or "") if place else ""


def _repeats(step: str, answer: str) -> bool:
    """Words of one person are not for another."""
    words, said = step.lower().split(), f" {normalised(answer)} "
    runs = (words[n : n + _REPEATED] for n in range(len(words) - _REPEATED + 1))
    return any(f" {' '.join(run)} " in said for run in runs)


class KnownStore:
    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    async def find(
        self, keys: Sequence[str], user_id: UUID, now: datetime
    ) -> KnownExamination | None:
        """What people approved comes before what a model said."""
        values = {
            "keys": list(keys),
            "now": now,
            "user_id": user_id,
            "flagged_since": now - FLAGGED,
        }
        body = (await self._connection.execute(FIND, values)).scalar_one_or_none()
        return KnownExamination.model_validate(body) if body is not None else None

    async def keep(
        self, key: str, known: KnownExamination, user_id: UUID | None, now: datetime
    ) -> None:
        """Without a `user_id`: whoever wrote the answer, people have read it."""
        values = {
            "key": key,
            "body": known.model_dump_json(),
            "expires_at": now + KEPT,
            "user_id": user_id,
            "flagged_since": now - FLAGGED,
        }
        await self._connection.execute(KEEP, values)

    async def prune(self, now: datetime) -> None:
        await self._connection.execute(PRUNE, {"now": now})
