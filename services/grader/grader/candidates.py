"""The examiners that are to be compared, made from their names on the command line."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr, ValidationError

from common.errors import SabatinaError
from common.events import Language, QuestionSnapshot
from grader.examiners import Examination, Examiner, ExaminerFailed, ExaminerName
from grader.local_examiner import LocalExaminer
from grader.recordings import RecordedApi, ReplayedApi, Shelf
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.openai_examiner import OpenAIExaminer

Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Tape:
    """The folder where a model's replies are kept, or the one that they come from."""

    record: Path | None = None
    replay: Path | None = None


class UnknownExaminer(SabatinaError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no examiner: local, openai or openai:MODEL")


class SettingsAreIncomplete(SabatinaError):
    def __init__(self, error: ValidationError) -> None:
        faults = error.errors(include_url=False, include_input=False)
        super().__init__("; ".join(fault["msg"] for fault in faults))


@asynccontextmanager
async def examiner_named(name: str, tape: Tape) -> AsyncIterator[Examiner]:
    """`local`, `openai` (the model of the settings) or `openai:MODEL`."""
    kind, _, model = name.partition(":")
    if name == "local":
        yield LocalExaminer()
    elif kind == "openai":
        examiner = _model_examiner(model, tape)
        async with examiner.client:
            yield examiner
    else:
        raise UnknownExaminer(name)


def configured_names(settings: Settings) -> list[str]:
    """Those that the settings would let examine."""
    models = ["openai"] if settings.has_llm else []
    if settings.has_llm and settings.grader_second_model:
        models.append(f"openai:{settings.grader_second_model}")
    return ["local", *models]


def _model_examiner(model: str, tape: Tape) -> "OpenAIExaminer":
    from grader.openai_examiner import OpenAIExaminer

    if tape.replay is None:
        settings = _settings_of_a_model()
    else:
        # Nobody is asked, so any key will do.
        unused = {"openai_api_key": SecretStr("unused")}
        settings = Settings(grader="local").model_copy(update=unused)
    examiner = OpenAIExaminer.from_settings(settings, model)
    effort = settings.grader_effort
    if tape.replay is not None:
        shelf = Shelf(tape.replay, examiner.model, effort)
        return replace(examiner, api=ReplayedApi(shelf))
    if tape.record is not None:
        tape.record.mkdir(parents=True, exist_ok=True)
        shelf = Shelf(tape.record, examiner.model, effort)
        return replace(examiner, api=RecordedApi(examiner.api, shelf))
    return examiner


def _settings_of_a_model() -> Settings:
    try:
        return Settings(grader="openai")
    except ValidationError as error:
        raise SettingsAreIncomplete(error) from None


@dataclass
class Watched:
    """An examiner, with what it has cost so far. Several answers may be under way at once."""

    examiner: Examiner
    milliseconds: list[float] = field(default_factory=list)
    cost_usd: Decimal | None = Decimal(0)
    """None when the price of the model is not known."""
    failures: Counter[str] = field(default_factory=Counter)
    prompt_version: str = ""

    @property
    def name(self) -> ExaminerName:
        return self.examiner.name

    @property
    def model(self) -> str:
        return self.examiner.model

    async def examine(
        self, question: QuestionSnapshot, answer: str, *, language: Language, level: int
    ) -> Examination:
        started = time.perf_counter()
        try:
            found = await self.examiner.examine(question, answer, language=language, level=level)
        except ExaminerFailed as failure:
            self.failures[failure.reason] += 1
            raise
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        self.prompt_version = found.prompt_version
        if found.cost_usd is None or self.cost_usd is None:
            self.cost_usd = None
        else:
            self.cost_usd += found.cost_usd
        return found


async def each(
    items: Iterable[Item], examined: Callable[[Item], Awaitable[Found]], at_once: int
) -> list[tuple[Item, Found]]:
    """Without those at which the examiner failed: it has counted them."""
    turns = asyncio.Semaphore(at_once)

    async def in_turn(item: Item) -> list[tuple[Item, Found]]:
        async with turns:
            try:
                return [(item, await examined(item))]
            except ExaminerFailed:
                return []

    return [pair for pairs in await asyncio.gather(*map(in_turn, items)) for pair in pairs]
