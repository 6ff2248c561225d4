from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from simulator.testing import Gateway, Simulator, Start, free_port, running


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    receiver = Gateway(free_port())
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def start(gateway: Gateway) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start_one(**settings: object) -> Simulator:
            return await stack.enter_async_context(running(gateway, **settings))

        yield start_one


@pytest.fixture
async def simulator(start: Start) -> Simulator:
    return await start()
