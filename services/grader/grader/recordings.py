"""Replies of a model, kept in files: what was asked once can be played again without the model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter

from common.errors import SabatinaError
from common.events import Value
from grader.examiners import FailureReason
from grader.model_api import Dialect, ModelApi, Said


class NotRecorded(SabatinaError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"no such reply is recorded: {path}; record it again with --record")


class Recording(Value):
    """A reply, and of the request only what tells one model from another: no key, no answer."""

    model: str
    effort: str
    content: str
    tokens_in: int = 0
    tokens_out: int = 0
    problem: FailureReason | None = None


_RECORDING = TypeAdapter(Recording)


@dataclass(frozen=True)
class Shelf:
    """A folder with one file for each request, named by its hash."""

    folder: Path
    model: str
    effort: str

    def path_of(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Path:
        # A server that takes no schema is told it in words, which one learns only by asking it.
        told = instructions if dialect.has_schemas else (instructions[0], *instructions[2:])
        asked = [self.model, self.effort, list(told), _without_fence(exam)]
        return self.folder / f"{sha256(json.dumps(asked).encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True)
class RecordedApi:
    """Asks the model, and keeps what it replies."""

    api: ModelApi
    shelf: Shelf

    async def ask(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Said:
        said = await self.api.ask(instructions, exam, dialect)
        kept = Recording(
            model=self.shelf.model,
            effort=self.shelf.effort,
            content=said.content,
            tokens_in=said.tokens_in,
            tokens_out=said.tokens_out,
            problem=said.problem,
        )
        written = kept.model_dump_json(indent=1, exclude_none=True)
        self.shelf.path_of(instructions, exam, dialect).write_text(f"{written}\n", encoding="utf-8")
        return said


@dataclass(frozen=True)
class ReplayedApi:
    """Raises NotRecorded where there is nothing to play."""

    shelf: Shelf

    async def ask(self, instructions: Sequence[str], exam: str, dialect: Dialect) -> Said:
        path = self.shelf.path_of(instructions, exam, dialect)
        if not path.exists():
            raise NotRecorded(path)
        kept = _RECORDING.validate_json(path.read_text(encoding="utf-8"))
        return Said(kept.content, kept.tokens_in, kept.tokens_out, kept.problem)


def _without_fence(exam: str) -> dict[str, object]:
    """The fence is another one each time."""
    return {name: part for name, part in json.loads(exam).items() if name != "fence"}
