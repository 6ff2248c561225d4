"""The question packs on disk. Run as `python -m scheduler.packs lint|schema [content]`.

`lint` prints one `file: problem` a line and exits with 1 when there is any; `schema` writes
`questions/schema.json`, by which editors check question files.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from common.questions import Question
from scheduler import documents
from scheduler.errors import ContentNotFound, PackInvalid

SCHEMA_FILE = "schema.json"


def find_content(configured: Path | None, start: Path) -> Path:
    """Raises ContentNotFound."""
    places = [configured] if configured else [f / "content" for f in (start, *start.parents)]
    for place in places:
        if (place / "questions").is_dir():
            return place
    raise ContentNotFound(
        f"no folder `questions` in {places[0]}; set SABATINA_CONTENT to the folder that has it"
    )


def question_files(content: Path) -> list[Path]:
    return sorted((content / "questions").glob("*/*.yaml"))


def load(content: Path) -> list[Question]:
    """Every question of the packs. Raises PackInvalid with the file and what is wrong in it."""
    questions = []
    for path in question_files(content):
        question, problems = read(path)
        if question is None:
            raise PackInvalid(f"{path}: {problems[0]}")
        questions.append(question)
    return questions


def read(path: Path) -> tuple[Question | None, list[str]]:
    """The question, or what keeps it from being one."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader=documents.YamlLoader)  # noqa: S506  # a safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return None, [f"is not YAML: {' '.join(str(error).split())}"]
    question, problems = documents.read_question(document)
    return question, [f"{p.field}: {p.message}" if p.field else p.message for p in problems]


def schema() -> str:
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(document | Question.model_json_schema(), indent=2) + "\n"


def main(arguments: Sequence[str]) -> int:
    from scheduler.linting import lint
    from scheduler.settings import Settings

    if not arguments or arguments[0] not in ("lint", "schema"):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    configured = Path(arguments[1]) if len(arguments) > 1 else Settings().content
    content = find_content(configured, Path.cwd())
    if arguments[0] == "schema":
        (content / "questions" / SCHEMA_FILE).write_text(schema(), encoding="utf-8")
        return 0
    problems = lint(content)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
