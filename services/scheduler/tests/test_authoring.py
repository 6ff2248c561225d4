"""Questions written through the API: drafts, reviews, publications, and how they end."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import JsonValue

from common.database import Database
from common.errors import CommandRefused
from common.events import (
    CreateQuestion,
    EditQuestion,
    ExportQuestions,
    GetQuestion,
    ImportQuestions,
    ListQuestions,
    MoveQuestion,
    QuestionSaved,
    QuestionsImported,
)
from scheduler import documents
from scheduler.authoring import Authoring
from scheduler.bank import QuestionBank
from scheduler.reading import export_questions, get_question, list_questions
from scheduler.testing import World, make_pack, make_question

Document = dict[str, JsonValue]


class Editor:
    """Somebody with the admin key."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.authoring = Authoring(world.bank, world.clock)

    async def create(self, document: Document) -> QuestionSaved:
        command = CreateQuestion(occurred_at=self.world.clock.now(), document=document)
        async with self.world.database.transaction() as tx:
            return await self.authoring.create(command, tx)

    async def edit(self, question_id: str, document: Document) -> QuestionSaved:
        command = EditQuestion(
            occurred_at=self.world.clock.now(), question_id=question_id, document=document
        )
        async with self.world.database.transaction() as tx:
            return await self.authoring.edit(command, tx)

    async def move(self, question_id: str, version: int, *stations: str) -> QuestionSaved:
        for station in stations:
            command = MoveQuestion.model_validate(
                {
                    "occurred_at": self.world.clock.now(),
                    "question_id": question_id,
                    "version": version,
                    "to": station,
                }
            )
            async with self.world.database.transaction() as tx:
                saved = await self.authoring.move(command, tx)
        await self.world.bank.refresh()
        return saved

    async def take_in(self, text: str) -> QuestionsImported:
        command = ImportQuestions(occurred_at=self.world.clock.now(), text=text)
        async with self.world.database.transaction() as tx:
            return await self.authoring.take_in(command, tx)

    async def statuses(self, question_id: str) -> Mapping[int, str]:
        query = GetQuestion(question_id=question_id)
        view = await get_question(query, self.world.database, self.world.clock)
        return {version.version: version.status for version in view.versions}

    async def listed(self, **filters: Any) -> list[tuple[str, int]]:
        query = ListQuestions.model_validate(filters)
        page = await list_questions(query, self.world.database, self.world.clock)
        return [(item.question_id, item.version) for item in page.items]


@pytest.fixture
def editor(world: World) -> Editor:
    return Editor(world)


def document_of(**changes: Any) -> Document:
    return documents.as_document(make_question(**changes))


def asked_of(world: World, question_id: str) -> list[int]:
    return [c.version for c in world.bank.library.candidates if c.id == question_id]


async def test_a_question_is_drafted_reviewed_published_and_retired(
    world: World, editor: Editor
) -> None:
    saved = await editor.create(document_of(name="sets"))
    assert saved.question is not None
    assert saved.question.document == document_of(name="sets")
    assert await editor.statuses("python-sets") == {1: "draft"}
    assert asked_of(world, "python-sets") == []
    await editor.move("python-sets", 1, "review", "published")
    assert asked_of(world, "python-sets") == [1]
    await editor.move("python-sets", 1, "retired")
    assert asked_of(world, "python-sets") == []
    assert await editor.statuses("python-sets") == {1: "retired"}


async def test_an_edit_is_a_draft_until_it_replaces_the_published_version(
    world: World, editor: Editor
) -> None:
    saved = await editor.edit("python-q01", document_of(name="q01", level=3))
    assert saved.question is not None
    assert saved.question.version == 2
    assert await editor.statuses("python-q01") == {2: "draft", 1: "published"}
    assert asked_of(world, "python-q01") == [1]
    await editor.move("python-q01", 2, "review", "published")
    assert await editor.statuses("python-q01") == {2: "published", 1: "retired"}
    assert asked_of(world, "python-q01") == [2]


async def test_an_open_question_keeps_the_version_that_was_asked(
    world: World, editor: Editor
) -> None:
    person = await world.person()
    asked = await world.ask(person)
    await editor.edit(asked.question_id, document_of(name=asked.question_id.split("-")[1]))
    await editor.move(asked.question_id, 2, "review", "published")
    [grading] = await world.reply(person, "text", "An answer.")
    assert grading.model_dump()["question"]["version"] == 1


async def test_an_edit_of_what_somebody_else_has_edited_since_is_not_taken(editor: Editor) -> None:
    await editor.edit("python-q01", document_of(name="q01"))
    saved = await editor.edit("python-q01", document_of(name="q01", version=1))
    assert [(p.field, p.message) for p in saved.problems] == [
        ("version", "the newest is 2: edit that one")
    ]


async def test_an_edit_does_not_rename(editor: Editor) -> None:
    saved = await editor.edit("python-q01", document_of(name="q99"))
    assert [p.field for p in saved.problems] == ["id"]


async def test_each_problem_is_named_with_its_field_and_nothing_is_stored(editor: Editor) -> None:
    unreadable = await editor.create(document_of(name="sets") | {"level": 9, "colour": "red"})
    assert {p.field for p in unreadable.problems} == {"level", "colour"}
    faulty = await editor.create(document_of(name="sets") | {"concept": "q01"})
    assert [(p.field, p.message) for p in faulty.problems] == [
        ("concept", "q01 is what python-q01 is about too")
    ]
    taken = await editor.create(document_of(name="q01"))
    assert [p.field for p in taken.problems] == ["id"]
    late = await editor.create(document_of(name="sets", version=4))
    assert [p.field for p in late.problems] == ["version"]
    assert await editor.listed(status="draft") == []


@pytest.mark.parametrize(
    ("stations", "refused"),
    [(["published"], "question_status"), (["retired", "review"], "question_status")],
)
async def test_no_station_is_left_out(editor: Editor, stations: list[str], refused: str) -> None:
    await editor.create(document_of(name="sets"))
    with pytest.raises(CommandRefused) as caught:
        await editor.move("python-sets", 1, *stations)
    assert caught.value.code == refused


async def test_a_move_that_was_made_already_changes_nothing(editor: Editor) -> None:
    await editor.create(document_of(name="sets"))
    await editor.move("python-sets", 1, "review", "review")
    assert await editor.statuses("python-sets") == {1: "review"}


async def test_an_older_version_does_not_replace_a_newer_one(editor: Editor) -> None:
    await editor.edit("python-q01", document_of(name="q01", level=2))
    await editor.edit("python-q01", document_of(name="q01", level=3, version=2))
    await editor.move("python-q01", 2, "review")
    await editor.move("python-q01", 3, "review", "published")
    with pytest.raises(CommandRefused, match="newer"):
        await editor.move("python-q01", 2, "published")


async def test_what_clashes_with_a_question_published_meanwhile_is_not_published(
    editor: Editor,
) -> None:
    await editor.create(document_of(name="sets"))
    await editor.create(document_of(name="bags") | {"concept": "sets"})
    await editor.move("python-sets", 1, "review", "published")
    saved = await editor.move("python-bags", 1, "review", "published")
    assert [p.field for p in saved.problems] == ["concept"]
    assert await editor.statuses("python-bags") == {1: "review"}


async def test_a_question_or_version_that_is_not_there_is_refused(
    world: World, editor: Editor
) -> None:
    for version, name in ((1, "python-none"), (7, "python-q01")):
        with pytest.raises(CommandRefused) as caught:
            await editor.move(name, version, "review")
        assert caught.value.code == "question_not_found"
        query = GetQuestion(question_id=name, version=version)
        with pytest.raises(CommandRefused):
            await get_question(query, world.database, world.clock)


async def test_the_list_has_an_entry_a_question_with_filters_and_pages(editor: Editor) -> None:
    await editor.edit("python-q01", document_of(name="q01", level=2))
    await editor.create(document_of(name="sets", level=2) | {"topic": "Collections"})
    assert ("python-q01", 1) in await editor.listed(track="python", level=2)
    assert await editor.listed(status="draft") == [("python-q01", 2), ("python-sets", 1)]
    assert await editor.listed(topic="Collections") == [("python-sets", 1)]
    assert await editor.listed(track="ruby", limit=2) == [("ruby-q00", 1), ("ruby-q01", 1)]
    assert await editor.listed(track="ruby", after="ruby-q07") == [("ruby-q08", 1), ("ruby-q09", 1)]


async def exported(world: World, form: str) -> list[str]:
    files: list[str] = []
    after: str | None = None
    while True:
        query = ExportQuestions.model_validate({"track": "python", "format": form, "after": after})
        page = await export_questions(query, world.database)
        files += page.files
        if (after := page.next_after) is None:
            return files


@pytest.mark.parametrize(("form", "join"), [("yaml", "---\n".join), ("json", ",".join)])
async def test_what_is_exported_is_imported_as_it_was(
    world: World, editor: Editor, form: str, join: Any
) -> None:
    pack = make_pack(("python",), 45)
    await world.bank.publish(pack)
    files = await exported(world, form)
    assert [documents.read_question(documents.split(file)[0])[0] for file in files] == pack
    text = join(files) if form == "yaml" else f"[{join(files)}]"
    again = await editor.take_in(text)
    assert (len(again.unchanged), again.drafts, again.problems) == (45, (), ())


async def test_an_import_takes_all_or_none(editor: Editor) -> None:
    good = documents.written(make_question(name="sets"), "yaml")
    bad = documents.written(make_question(name="bags"), "yaml").replace("level: 1", "level: 8")
    other = documents.written(make_question(name="q01", level=3), "yaml")
    refused = await editor.take_in("---\n".join([good, bad, other, good]))
    assert [(p.question_id, p.field) for p in refused.problems] == [
        ("python-bags", "level"),
        ("python-sets", "id"),
        ("python-q01", "version"),
    ]
    assert await editor.listed(status="draft") == []
    taken = await editor.take_in(good)
    assert [(ref.question_id, ref.version) for ref in taken.drafts] == [("python-sets", 1)]


@pytest.mark.parametrize("text", ["", "a: [", "[]", "- 7", "\x00", "null"])
async def test_garbage_is_not_imported(editor: Editor, text: str) -> None:
    assert (await editor.take_in(text)).problems


async def test_two_that_come_together_may_not_be_about_one_concept(editor: Editor) -> None:
    one = document_of(name="sets") | {"concept": "hashing"}
    two = document_of(name="bags") | {"concept": "hashing"}
    found = await editor.take_in(json.dumps([one, two]))
    assert [(p.question_id, p.field) for p in found.problems] == [("python-sets", "concept")]


async def test_what_was_retired_stays_so_when_the_packs_come_again(
    world: World, editor: Editor
) -> None:
    await editor.move("python-q01", 1, "retired")
    await world.bank.publish(make_pack())
    assert asked_of(world, "python-q01") == []


async def test_what_was_published_here_outlives_older_packs(world: World, editor: Editor) -> None:
    await editor.edit("python-q01", document_of(name="q01", level=3))
    await editor.move("python-q01", 2, "review", "published")
    await editor.create(document_of(name="sets"))
    await editor.move("python-sets", 1, "review", "published")
    await world.bank.publish(make_pack())
    assert asked_of(world, "python-q01") == [2]
    assert asked_of(world, "python-sets") == [1]


async def test_a_draft_makes_way_for_a_version_of_the_packs(world: World, editor: Editor) -> None:
    await editor.edit("python-q01", document_of(name="q01", level=3))
    await world.bank.publish([*make_pack(("ruby",)), make_question(name="q01", version=2)])
    assert await editor.statuses("python-q01") == {3: "draft", 2: "published", 1: "retired"}
    query = GetQuestion(question_id="python-q01", version=3)
    view = await get_question(query, world.database, world.clock)
    assert (view.document["version"], view.document["level"]) == (3, 3)


async def test_a_draft_that_came_into_the_packs_is_published(world: World, editor: Editor) -> None:
    await editor.create(document_of(name="sets"))
    await world.bank.publish([*make_pack(), make_question(name="sets")])
    assert await editor.statuses("python-sets") == {1: "published"}


async def test_what_comes_back_to_the_packs_is_asked_again(world: World) -> None:
    await world.bank.publish(make_pack(("ruby",)))
    assert asked_of(world, "python-q01") == []
    await world.bank.publish(make_pack())
    assert asked_of(world, "python-q01") == [1]


async def test_every_replica_holds_what_one_of_them_published(
    database: Database, world: World, editor: Editor
) -> None:
    other = QuestionBank.of(database)
    await other.publish(make_pack())
    await editor.create(document_of(name="sets"))
    await editor.move("python-sets", 1, "review", "published")
    await other.refresh()
    assert "python-sets" in {c.id for c in other.library.candidates}
