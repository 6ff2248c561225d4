"""Questions as text, in the shape of a question file: YAML or JSON, one or several."""

import json
from collections.abc import Iterator, Mapping
from typing import cast

import yaml
from pydantic import JsonValue, ValidationError

from common.events import PackFormat, QuestionProblem
from common.questions import Question

YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
YamlDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
Document = Mapping[str, JsonValue]


class NotReadable(ValueError):
    """The text is neither YAML nor JSON."""


def read_question(document: object) -> tuple[Question | None, list[QuestionProblem]]:
    """The question, or what keeps the document from being one."""
    try:
        return Question.model_validate(document), []
    except ValidationError as error:
        return None, list(_described(error, _id_of(document)))


def _id_of(document: object) -> str | None:
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) else None


def _described(error: ValidationError, question_id: str | None) -> Iterator[QuestionProblem]:
    for item in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in item["loc"])
        yield QuestionProblem(question_id=question_id, field=place, message=item["msg"])


def split(text: str) -> list[object]:
    """Every document in the text: a JSON list, or YAML documents. Raises NotReadable."""
    try:
        found = json.loads(text)
    except ValueError:
        found = _split_yaml(text)
    return found if isinstance(found, list) else [found]


def _split_yaml(text: str) -> list[object]:
    try:
        documents = list(yaml.load_all(text, Loader=YamlLoader))  # a safe loader
    except (yaml.YAMLError, ValueError) as error:
        raise NotReadable(" ".join(str(error).split())) from error
    return [document for document in documents if document is not None]


def as_document(question: Question) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", question.model_dump(mode="json", exclude_none=True))


def written(question: Question, form: PackFormat) -> str:
    document = as_document(question)
    if form == "json":
        return json.dumps(document, ensure_ascii=False)
    dumped: str = yaml.dump(
        document, Dumper=YamlDumper, allow_unicode=True, sort_keys=False, width=100
    )
    return dumped
