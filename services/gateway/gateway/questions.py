"""The question bank: writing questions, publishing them, and how they did with people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from common.bus.publisher import Publisher
from common.clock import Clock
from common.events import (
    Command,
    CreateQuestion,
    EditQuestion,
    ExportedQuestions,
    ExportQuestions,
    GetQuestion,
    ImportQuestions,
    ListQuestions,
    MoveQuestion,
    NextStatus,
    PackFormat,
    QuestionFlag,
    QuestionPage,
    QuestionProblem,
    QuestionSaved,
    QuestionsImported,
    QuestionStatus,
    QuestionView,
    Track,
)
from common.ids import derived_id
from gateway.auth import RequireKey
from gateway.problems import WRONG_FIELDS, Responses, problem, problem_responses
from gateway.settings import Settings
from gateway.store import AuditLog

ANSWER_WITHIN = 10.0  # seconds: an import looks at every question of its tracks
ACTOR = "admin-key"
LARGEST_MESSAGE = 1_000_000  # bytes; NATS takes 1 MiB, headers included
MEDIA_TYPES: dict[PackFormat, str] = {"yaml": "application/yaml", "json": "application/json"}

NamePattern = r"^[a-z][a-z0-9-]*$"
Name = Annotated[str, Field(pattern=NamePattern, max_length=100)]
QuestionName = Annotated[
    str, Path(pattern=NamePattern, max_length=100, examples=["python-late-binding-closures"])
]
Version = Annotated[int, Path(ge=1, le=10_000, examples=[2])]

EXAMPLE_LANGUAGE: JsonDict = {
    "topic": "Stacks",
    "question": "How would you check that the brackets of an expression match?",
    "points": {
        "push": {
            "text": "An opening bracket is put on a stack.",
            "keywords": ["push", "on top", "put it on", "pushes"],
        }
    },
    "reference": "I push each opening bracket, and each closing one must fit the top.",
    "model_answer": "With a stack: for `([)]` the `)` meets `[` on top, so they do not match.",
    "misconceptions": {
        "counting": {
            "text": "Counting brackets is enough.",
            "phrases": ["just count the brackets", "counting them is enough"],
        }
    },
    "anchors": {"weak": "Loop over it.", "fair": "Push and pop.", "strong": "Push, pop, compare."},
    "hints": ["Which was opened last?", "Think of a pile of plates.", "Push and pop."],
}
EXAMPLE: JsonDict = {
    "id": "dsa-matching-brackets",
    "track": "dsa",
    "level": 1,
    "topic": "stacks",
    "concept": "matching-brackets",
    "reviewed_on": "2026-11-01",
    "minutes": 3,
    "points": [{"id": "push", "weight": 3, "required": True}],
    "misconceptions": [{"id": "counting", "cap": 4}],
    "languages": {"en": EXAMPLE_LANGUAGE},
}
IMPORT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "example": "id: dsa-...\n---\nid: ...",
            },
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}
EXPORTS: Responses = {
    200: {"content": {media: {"schema": {}} for media in MEDIA_TYPES.values()}},
}
NOT_FOUND: Responses = {
    404: problem_responses(404)[404] | {"description": "There is no such question or version."}
}
CONFLICT = problem_responses(409)
INVALID = problem_responses(422)


class QuestionFile(BaseModel):
    """A question in the shape of a question file; `content/questions/schema.json` has all of it,
    `docs/questions.md` says what is asked of it. This example is cut short."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    id: Name

    @property
    def document(self) -> dict[str, JsonValue]:
        return self.model_dump(mode="json", exclude_unset=True)


class EditedQuestion(QuestionFile):
    """All of the question, not only what changes. `version`: the one that was edited."""

    id: Name = ""


def question_routes(
    settings: Settings, publisher: Publisher, clock: Clock, audit: AuditLog
) -> APIRouter:
    router = APIRouter(
        tags=["questions"],
        dependencies=[Depends(RequireKey(settings.admin_key))],
        responses=problem_responses(401, 403, 503),
    )
    add_export(router, publisher)  # before `/{question_id}`, which would take its path
    add_reads(router, publisher)
    desk = Desk(publisher, clock, audit)
    add_writes(router, desk)
    add_moves(router, desk)
    return router


class Desk:
    """Where the bank is changed: nothing happens that the audit log does not tell."""

    def __init__(self, publisher: Publisher, clock: Clock, audit: AuditLog) -> None:
        self._publisher = publisher
        self._audit = audit
        self.clock = clock

    async def save(self, command: Command, action: str, name: str) -> Response:
        await self._record(command, f"{action}_question", name)
        saved = await self._publisher.ask(command, QuestionSaved, timeout=ANSWER_WITHIN)
        if saved.question is None:
            return _invalid(saved.problems)
        status = 201 if action in {"create", "edit"} else 200
        return Response(saved.question.model_dump_json(), status, media_type=MEDIA_TYPES["json"])

    async def take_in(self, command: ImportQuestions) -> Response:
        await self._record(command, "import_questions", str(command.message_id))
        found = await self._publisher.ask(command, QuestionsImported, timeout=ANSWER_WITHIN)
        if found.problems:
            return _invalid(found.problems)
        return Response(found.model_dump_json(), 200, media_type=MEDIA_TYPES["json"])

    async def _record(self, command: Command, action: str, name: str) -> None:
        target = derived_id("question", name)
        await self._audit.record(command.occurred_at, ACTOR, f"{action} {name}", target)


def _invalid(problems: tuple[QuestionProblem, ...]) -> Response:
    errors = [
        {"field": f"{p.question_id}: {p.field}" if p.question_id else p.field, "message": p.message}
        for p in problems
    ]
    return problem(422, WRONG_FIELDS, errors=errors)


def add_reads(router: APIRouter, publisher: Publisher) -> None:
    @router.get("")
    async def list_questions(
        track: Track | None = None,
        level: Annotated[int | None, Query(ge=1, le=3)] = None,
        status: QuestionStatus | None = None,
        topic: str | None = None,
        flag: QuestionFlag | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> QuestionPage:
        """One entry a question, with its statistics and flags: of the versions that fit, the
        published one, otherwise the newest. `next_after` of one page is `after` of the next."""
        query = ListQuestions(
            track=track,
            level=level,
            status=status,
            topic=topic,
            flag=flag,
            after=after,
            limit=limit,
        )
        return await publisher.query(query, QuestionPage, timeout=ANSWER_WITHIN)

    @router.get("/{question_id}", responses=NOT_FOUND)
    async def get_question(question_id: QuestionName) -> QuestionView:
        """All versions, and what the published one says; without one, the newest."""
        return await publisher.query(GetQuestion(question_id=question_id), QuestionView)

    @router.get("/{question_id}/versions/{version}", responses=NOT_FOUND)
    async def get_version(question_id: QuestionName, version: Version) -> QuestionView:
        query = GetQuestion(question_id=question_id, version=version)
        return await publisher.query(query, QuestionView)


def add_export(router: APIRouter, publisher: Publisher) -> None:
    @router.get("/export", response_class=Response, responses=EXPORTS)
    async def export_questions(
        track: Track, form: Annotated[PackFormat, Query(alias="format")] = "yaml"
    ) -> Response:
        """The published questions of a track as pack files, which `import` takes back."""
        files: list[str] = []
        after: str | None = None
        while True:
            query = ExportQuestions(track=track, format=form, after=after)
            page = await publisher.query(query, ExportedQuestions, timeout=ANSWER_WITHIN)
            files.extend(page.files)
            after = page.next_after
            if after is None:
                break
        text = "---\n".join(files) if form == "yaml" else f"[{','.join(files)}]"
        name = f'attachment; filename="{track}.{form}"'
        return Response(text, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": name})


def add_writes(router: APIRouter, desk: Desk) -> None:
    @router.post("", status_code=201, response_model=QuestionView, responses=INVALID)
    async def create_question(question: QuestionFile) -> Response:
        """A new question, as a draft. 422 names each field that the linter does not take."""
        command = CreateQuestion(occurred_at=desk.clock.now(), document=question.document)
        return await desk.save(command, "create", question.id)

    @router.put(
        "/{question_id}",
        status_code=201,
        response_model=QuestionView,
        responses=NOT_FOUND | INVALID,
    )
    async def edit_question(question_id: QuestionName, question: EditedQuestion) -> Response:
        """The next version, as a draft. What was published or answered stays as it is."""
        command = EditQuestion(
            occurred_at=desk.clock.now(), question_id=question_id, document=question.document
        )
        return await desk.save(command, "edit", question_id)

    @router.post(
        "/import",
        response_model=QuestionsImported,
        responses=INVALID | problem_responses(413),
        openapi_extra=IMPORT_BODY,
    )
    async def import_questions(request: Request) -> Response:
        """Several at once, as YAML documents or a JSON list: all become drafts, or none does.

        One whose version is known with the same text is left as it is.
        """
        try:
            text = (await request.body()).decode()
        except UnicodeDecodeError:
            return problem(422, "The body is not UTF-8.")
        command = ImportQuestions(occurred_at=desk.clock.now(), text=text)
        if len(command.model_dump_json().encode()) > LARGEST_MESSAGE:
            return problem(413, "This is too much at once: import it in parts.")
        return await desk.take_in(command)


def add_moves(router: APIRouter, desk: Desk) -> None:
    responses = NOT_FOUND | CONFLICT | INVALID

    async def move(question_id: str, version: int, to: NextStatus, action: str) -> Response:
        command = MoveQuestion(
            occurred_at=desk.clock.now(), question_id=question_id, version=version, to=to
        )
        return await desk.save(command, action, f"{question_id}/{version}")

    @router.post(
        "/{question_id}/versions/{version}/review",
        response_model=QuestionView,
        responses=responses,
    )
    async def review_question(question_id: QuestionName, version: Version) -> Response:
        """A draft is ready for somebody else to look at."""
        return await move(question_id, version, "review", "review")

    @router.post(
        "/{question_id}/versions/{version}/publish",
        response_model=QuestionView,
        responses=responses,
    )
    async def publish_question(question_id: QuestionName, version: Version) -> Response:
        """From now on people are asked this version; the one before it is retired."""
        return await move(question_id, version, "published", "publish")

    @router.post(
        "/{question_id}/versions/{version}/retire",
        response_model=QuestionView,
        responses=responses,
    )
    async def retire_question(question_id: QuestionName, version: Version) -> Response:
        """Nobody is asked it again; answers, scores and statistics stay."""
        return await move(question_id, version, "retired", "retire")
