"""Writing the question bank: a question goes from draft to review, is published, and is retired."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from common.clock import Clock
from common.database import Transaction
from common.errors import CommandRefused
from common.events import (
    CreateQuestion,
    EditQuestion,
    ImportQuestions,
    MoveQuestion,
    QuestionProblem,
    QuestionRef,
    QuestionSaved,
    QuestionsImported,
    QuestionStatus,
)
from common.questions import Question
from scheduler import documents
from scheduler.bank import QuestionBank
from scheduler.linting import problems_among, problems_of
from scheduler.question_store import QuestionStore, StoredQuestion
from scheduler.reading import question_view

COMES_FROM: dict[QuestionStatus, tuple[QuestionStatus, ...]] = {
    "review": ("draft",),
    "published": ("review",),
    "retired": ("draft", "review", "published"),
}
Document = dict[str, JsonValue]


@dataclass(frozen=True)
class Authoring:
    bank: QuestionBank
    clock: Clock

    async def create(self, command: CreateQuestion, tx: Transaction) -> QuestionSaved:
        store = QuestionStore(tx.connection)
        await store.lock()
        question_id = command.document.get("id")
        if isinstance(question_id, str) and await store.versions(question_id):
            return _unsaved("id", f"{question_id} exists: edit it")
        return await self._save_draft({"version": 1} | command.document, 1, tx)

    async def edit(self, command: EditQuestion, tx: Transaction) -> QuestionSaved:
        """The version in the document tells which one was edited; the draft gets the next."""
        store = QuestionStore(tx.connection)
        await store.lock()
        [newest, *_] = await _versions(store, command.question_id)
        known, following = newest.question.version, newest.question.version + 1
        if command.document.get("id", command.question_id) != command.question_id:
            return _unsaved("id", f"must stay {command.question_id}")
        if command.document.get("version", following) not in (known, following):
            return _unsaved("version", f"the newest is {known}: edit that one")
        document = command.document | {"id": command.question_id, "version": following}
        return await self._save_draft(document, following, tx)

    async def _save_draft(self, document: Document, version: int, tx: Transaction) -> QuestionSaved:
        store, now = QuestionStore(tx.connection), self.clock.now()
        question, problems = documents.read_question(document)
        if question is None:
            return QuestionSaved(problems=tuple(problems))
        if question.version != version:
            return _unsaved("version", f"must be {version}, or left out")
        problems = await _faults(question, store)
        if problems:
            return QuestionSaved(problems=tuple(problems))
        await store.insert(question, "api", now)
        return await self._saved(question.id, version, tx)

    async def move(self, command: MoveQuestion, tx: Transaction) -> QuestionSaved:
        """Raises CommandRefused when there is no such version, or it cannot go there."""
        store, now = QuestionStore(tx.connection), self.clock.now()
        await store.lock()
        versions = await _versions(store, command.question_id)
        found = next((v for v in versions if v.question.version == command.version), None)
        if found is None:
            raise CommandRefused("question_not_found", "There is no such version of this question.")
        if found.status == command.to:
            return await self._saved(command.question_id, command.version, tx)
        _require_possible(found, command.to, versions)
        if command.to == "published" and (faults := await _faults(found.question, store)):
            return QuestionSaved(problems=tuple(faults))
        await _set_status(found, command.to, store, now)
        tx.after_commit(self.bank.wake)
        return await self._saved(command.question_id, command.version, tx)

    async def _saved(self, question_id: str, version: int, tx: Transaction) -> QuestionSaved:
        view = await question_view(question_id, version, tx.connection, self.clock.now())
        return QuestionSaved(question=view)

    async def take_in(self, command: ImportQuestions, tx: Transaction) -> QuestionsImported:
        """All of them as drafts, or none."""
        store, now = QuestionStore(tx.connection), self.clock.now()
        await store.lock()
        try:
            parts = documents.split(command.text)
        except documents.NotReadable as error:
            problem = QuestionProblem(field="body", message=f"is neither YAML nor JSON: {error}")
            return QuestionsImported(problems=(problem,))
        questions, problems = _read_all(parts)
        new, unchanged, clashes = await _compare(questions, store)
        problems += clashes
        for question in new:
            problems += await _faults(question, store, beside=new)
        if problems:
            return QuestionsImported(problems=tuple(problems))
        for question in new:
            await store.insert(question, "api", now)
        return QuestionsImported(drafts=_refs(new), unchanged=_refs(unchanged))


def _unsaved(field: str, message: str) -> QuestionSaved:
    return QuestionSaved(problems=(QuestionProblem(field=field, message=message),))


async def _versions(store: QuestionStore, question_id: str) -> Sequence[StoredQuestion]:
    versions = await store.versions(question_id)
    if not versions:
        raise CommandRefused("question_not_found", "There is no question with this id.")
    return versions


def _require_possible(
    found: StoredQuestion, to: QuestionStatus, versions: Sequence[StoredQuestion]
) -> None:
    if found.status not in COMES_FROM[to]:
        allowed = " or ".join(COMES_FROM[to])
        detail = f"It is {found.status}; only {allowed} becomes {to}. Edit it for a new version."
        raise CommandRefused("question_status", detail)
    newer = [v for v in versions if v.question.version > found.question.version]
    if to == "published" and any(v.status == "published" for v in newer):
        raise CommandRefused("question_status", "A newer version of it is published.")


async def _set_status(
    found: StoredQuestion, to: QuestionStatus, store: QuestionStore, now: datetime
) -> None:
    match to:
        case "review":
            await store.set_in_review(*found.key, now)
        case "published":
            await store.set_published(*found.key, now)
        case "retired":
            await store.withdraw(*found.key, now)


async def _faults(
    question: Question, store: QuestionStore, beside: Sequence[Question] = ()
) -> list[QuestionProblem]:
    """What the packs' linter says of it, among what is published and what comes with it."""
    arriving = {other.id for other in beside}
    published = await store.published(question.track)
    others = [q for q in published if q.id != question.id and q.id not in arriving]
    others += [q for q in beside if q.id < question.id and q.track == question.track]
    faults = [*problems_of(question), *problems_among(question, others)]
    return [
        QuestionProblem(question_id=question.id, field=fault.field, message=fault.message)
        for fault in faults
    ]


def _read_all(parts: Sequence[object]) -> tuple[list[Question], list[QuestionProblem]]:
    questions: list[Question] = []
    problems: list[QuestionProblem] = []
    for place, part in enumerate(parts, start=1):
        question, found = documents.read_question(part)
        if question is None:
            name = found[0].question_id or f"document {place}"
            problems += [p.model_copy(update={"question_id": name}) for p in found]
        elif any(question.id == other.id for other in questions):
            twice = QuestionProblem(question_id=question.id, field="id", message="comes twice")
            problems.append(twice)
        else:
            questions.append(question)
    if not parts:
        problems.append(QuestionProblem(field="body", message="holds no questions"))
    return questions, problems


async def _compare(
    questions: Sequence[Question], store: QuestionStore
) -> tuple[list[Question], list[Question], list[QuestionProblem]]:
    """What is new, what is known with the same text, and what is known with another."""
    new: list[Question] = []
    unchanged: list[Question] = []
    clashes: list[QuestionProblem] = []
    for question in questions:
        versions = await store.versions(question.id)
        same = [v for v in versions if v.question.version == question.version]
        if same and same[0].question == question:
            unchanged.append(question)
        elif versions and question.version <= versions[0].newest_version:
            message = f"has another text already; the next is {versions[0].newest_version + 1}"
            clashes.append(
                QuestionProblem(question_id=question.id, field="version", message=message)
            )
        else:
            new.append(question)
    return new, unchanged, clashes


def _refs(questions: Sequence[Question]) -> tuple[QuestionRef, ...]:
    return tuple(QuestionRef(question_id=q.id, version=q.version) for q in questions)
