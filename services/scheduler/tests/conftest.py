from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from common.clock import FixedClock
from common.database import Database
from scheduler.bank import QuestionBank
from scheduler.testing import World, make_pack


@pytest.fixture
async def world(database: Database) -> World:
    """Ten questions a track are published; it is a Monday, 08:00 UTC."""
    found = World(
        database, FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC)), QuestionBank.of(database)
    )
    await found.bank.publish(make_pack())
    return found


@pytest.fixture
def metric() -> Callable[..., float]:
    """The value of a metric, 0 when it was never touched."""
    from prometheus_client import REGISTRY

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    return value
