"""Until when the vendor serves the models that examine: OpenAI's list of models says so."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from common.clock import Clock
from grader import metrics
from grader.openai_examiner import OpenAIExaminer

if TYPE_CHECKING:
    from openai.types import Model

log = structlog.get_logger()

LOOK_EVERY = timedelta(days=1)
WARN_BEFORE = timedelta(days=60)


async def watch_models(examiners: Sequence[OpenAIExaminer], clock: Clock) -> None:
    """A background job. Servers that tell nothing, as most compatible ones, are let be."""
    while True:
        for examiner in examiners:
            await look_at_model(examiner, clock)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def look_at_model(examiner: OpenAIExaminer, clock: Clock) -> None:
    from openai import OpenAIError

    try:
        model = await examiner.client.models.retrieve(examiner.model)
    except (OpenAIError, ValueError) as error:
        log.info("model_not_described", model=examiner.model, error=type(error).__name__)
        return
    ends_at = shutdown_of(model)
    if ends_at is None:
        return
    metrics.MODEL_ENDS.labels(examiner.model).set(ends_at.timestamp())
    if ends_at - clock.now() <= WARN_BEFORE:
        log.warning("model_shuts_down", model=examiner.model, on=ends_at.date().isoformat())


def shutdown_of(model: "Model") -> datetime | None:
    """`shutdown_date` is seconds since 1970 or a date (2027-01-14); anything else tells nothing.
    The SDK does not check what it parses."""
    said: object = model.shutdown_date
    try:
        if isinstance(said, str):
            found = datetime.fromisoformat(said)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(said, int | float) and not isinstance(said, bool):
            return datetime.fromtimestamp(said, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
