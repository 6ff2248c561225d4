"""Question packs: reading, linting and publishing them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml
from sqlalchemy import select

from common.database import Database
from common.events import Track
from common.questions import Question
from scheduler import packs
from scheduler.bank import QuestionBank
from scheduler.errors import ContentNotFound, PackInvalid, QuestionChanged
from scheduler.linting import FRAME_UNITS, LANGUAGES, lint
from scheduler.models import QuestionRow
from scheduler.testing import make_question

REPOSITORY = Path(__file__).parents[3]
Edit = Callable[[str], str]


def write(content: Path, question: Question, *, at: str | None = None) -> Path:
    path = content / "questions" / (at or f"{question.track}/{question.id.split('-', 1)[1]}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(question.model_dump(mode="json"), sort_keys=False))
    return path


def edited(content: Path, edit: Edit) -> Path:
    path = write(content, make_question())
    path.write_text(edit(path.read_text()))
    return path


def replacing(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


def test_a_sound_pack_has_no_problems(tmp_path: Path) -> None:
    write(tmp_path, make_question())
    write(tmp_path, make_question("dsa", "heaps", level=2))
    assert lint(tmp_path) == []
    assert [question.id for question in packs.load(tmp_path)] == ["dsa-heaps", "python-lists"]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (replacing("track: python", "track: ["), "is not YAML"),
        (replacing("minutes: 3\n", "minutes: 3\ncolour: red\n"), "colour: Extra inputs"),
        (replacing("level: 1", "level: 4"), "level: Input should be less than"),
        (replacing("version: 1", "version: '1'"), "version: Input should be a valid integer"),
        (lambda text: text[: text.index("  es:\n")], "languages.es: Field required"),
        (
            replacing("What is lists, version 1? (en)", "x" * 501),
            "languages.en.question: String should have at most 500",
        ),
        (replacing("Hint 2 (pt)", "x" * 201), "languages.pt.hints.1: String should have at most"),
        (
            replacing("    - Hint 3 (pt)\n", ""),
            "languages.pt.hints: Tuple should have at least 3 items",
        ),
        (
            replacing("It is first.", "x" * 161),
            "languages.pt.points.first.text: String should have at most 160",
        ),
        (
            replacing("- id: third\n  weight: 1\n  required: true\n", ""),
            "points: Tuple should have at least 3 items",
        ),
        (
            replacing("- id: third\n", "- id: fourth\n"),
            "languages.pt.points: third is not among the points",
        ),
        (
            replacing("- id: third\n", "- id: fourth\n"),
            "languages.es.points: fourth is missing",
        ),
        (replacing("- id: third\n", "- id: first\n"), "points: an id is used twice"),
        (lambda text: text.replace("required: true", "required: false"), "points: none is req"),
        (replacing("id: python-lists", "id: python-tuples"), "should be python-lists"),
        (replacing("track: python", "track: ruby"), "track: ruby is in the folder python"),
        (
            replacing("The first thing,", "Nothing,"),
            "languages.pt.points.first: no keyword occurs in the reference",
        ),
        (
            replacing("What is lists", "What FÍRST thing is lists"),
            "languages.pt.points.first: the keyword 'first thing' stands in the question",
        ),
        (
            lambda text: text.replace("- first thing", "- Parar").replace("The first", "Parar"),
            "languages.pt.points.first: the keyword 'Parar' is a STOP word",
        ),
        (replacing("concept: lists\n", ""), "concept: is missing"),
        (replacing("reviewed_on: '2026-02-01'\n", ""), "reviewed_on: is missing"),
        (
            replacing("    model_answer: All three things, with an example (es).\n", ""),
            "languages.es.model_answer: is missing",
        ),
        (
            replacing("      strong: A strong answer.\n", ""),
            "languages.pt.anchors.strong: is missing",
        ),
        (
            replacing("misconceptions:\n- id: no-thing\n  cap: 4\n", "misconceptions: []\n"),
            "misconceptions: there is none",
        ),
        (
            replacing("- id: no-thing\n", "- id: other\n"),
            "languages.en.misconceptions: other is missing",
        ),
        (
            replacing("        - first piece\n", ""),
            "languages.pt.points.first: has 3 keywords; 4 to 12",
        ),
        (
            lambda text: text.replace(
                "weight: 1\n  required: true", "weight: 2\n  required: false", 2
            ),
            "points: those that are not required weigh more than a third",
        ),
        (
            replacing("What is lists, version 1? (en)", "\U0001f9e0" * 450),
            "languages.en.question: makes a message of 1",
        ),
    ],
)
def test_each_fault_is_named_with_its_file(tmp_path: Path, edit: Edit, problem: str) -> None:
    edited(tmp_path, edit)
    found = lint(tmp_path)
    assert all(line.startswith("questions/python/lists.yaml: ") for line in found)
    assert any(problem in line for line in found), found


def test_an_id_that_two_files_use_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, make_question())
    write(tmp_path, make_question(), at="python/other.yaml")
    assert "questions/python/other.yaml: id: python-lists is used by python/lists.yaml too" in lint(
        tmp_path
    )


def test_two_questions_of_a_track_do_not_share_a_concept_or_ask_the_same(tmp_path: Path) -> None:
    write(tmp_path, make_question())
    twin = make_question(name="lists").model_copy(update={"id": "python-twin"})
    write(tmp_path, twin)
    ruby = make_question("ruby").model_copy(update={"concept": "lists"})
    write(tmp_path, ruby)
    here = "questions/python/twin.yaml"
    assert lint(tmp_path) == [
        f"{here}: concept: lists is what python-lists is about too",
        *(
            f"{here}: languages.{language}.question: asks nearly the same as python-lists"
            for language in ("pt", "en", "es")
        ),
    ]


def test_the_frame_of_a_question_fits_what_is_kept_free_for_it() -> None:
    messages = yaml.safe_load((REPOSITORY / "content/messages/practice.yaml").read_text())
    longest = {"track": "JavaScript", "level": "x" * 20, "n": "99999", "streak": "9999"}
    for language in LANGUAGES:
        frame = messages["question"][language]["body"].replace("[[", "").replace("]]", "")
        for name, value in (longest | {"minutes": "30", "topic": "", "question_text": ""}).items():
            frame = frame.replace(f"{{{name}}}", value)
        assert "{" not in frame
        assert len(frame.encode("utf-16-le")) // 2 <= FRAME_UNITS


def test_an_empty_pack_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "questions").mkdir()
    assert lint(tmp_path) == [f"{tmp_path / 'questions'}: holds no question files"]


def test_the_linter_prints_the_problems_and_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scheduler.packs", "lint", str(tmp_path)]
    write(tmp_path, make_question())
    fine = subprocess.run(command, capture_output=True, text=True)
    assert (fine.returncode, fine.stdout) == (0, "")
    edited(tmp_path, replacing("level: 1", "level: 9"))
    faulty = subprocess.run(command, capture_output=True, text=True)
    assert faulty.returncode == 1
    assert faulty.stdout.startswith("questions/python/lists.yaml: level: ")


def test_the_linter_passes_the_content_of_this_repository() -> None:
    assert lint(REPOSITORY / "content") == []


def test_the_schema_file_is_current() -> None:
    """If not: `python -m scheduler.packs schema`."""
    written = (REPOSITORY / "content" / "questions" / packs.SCHEMA_FILE).read_text()
    assert written == packs.schema()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = edited(tmp_path, replacing("level: 1", "level: 9"))
    with pytest.raises(PackInvalid, match=f"{path}: level"):
        packs.load(tmp_path)


def test_the_content_is_found_upwards_or_where_it_is_said_to_be(tmp_path: Path) -> None:
    write(tmp_path / "content", make_question())
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert packs.find_content(None, deep) == tmp_path / "content"
    assert packs.find_content(tmp_path / "content", deep) == tmp_path / "content"
    with pytest.raises(ContentNotFound, match="SABATINA_CONTENT"):
        packs.find_content(deep, deep)


async def published(database: Database) -> set[tuple[str, int]]:
    async with database.transaction() as tx:
        query = select(QuestionRow.id, QuestionRow.version).where(QuestionRow.status == "published")
        return {(row.id, row.version) for row in await tx.connection.execute(query)}


async def test_the_newest_version_of_each_question_is_published(database: Database) -> None:
    old, new = make_question(), make_question(version=2)
    for pack in ([old], [old], [new], [old], [make_question("ruby", "gems"), new]):
        bank = QuestionBank.of(database)
        await bank.publish(pack)
    assert await published(database) == {("python-lists", 2), ("ruby-gems", 1)}
    assert [c.version for c in bank.library.candidates] == [2, 1]


async def test_a_question_that_left_the_packs_is_no_longer_asked_but_still_known(
    database: Database,
) -> None:
    bank = QuestionBank.of(database)
    await bank.publish([make_question(), make_question("ruby", "gems")])
    await bank.publish([make_question("ruby", "gems")])
    assert await published(database) == {("ruby-gems", 1)}
    async with database.transaction() as tx:
        fresh = QuestionBank.of(database)
        assert await fresh.get("python-lists", 1, tx) == make_question()


async def test_another_text_under_a_known_version_is_refused(database: Database) -> None:
    bank = QuestionBank.of(database)
    await bank.publish([make_question(level=1)])
    with pytest.raises(QuestionChanged, match=r"python-lists version 1 .* version 2"):
        await bank.publish([make_question(level=2)])
    assert await published(database) == {("python-lists", 1)}


@pytest.mark.parametrize("track", get_args(Track))
def test_every_area_has_sixty_questions_of_all_levels(track: Track) -> None:
    questions = [q for q in packs.load(REPOSITORY / "content") if q.track == track]
    assert len(questions) >= 60
    assert {question.level for question in questions} == {1, 2, 3}
