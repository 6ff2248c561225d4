"""A messenger with production's settings does not take the simulator for WhatsApp."""

import asyncio
import os
import sys
from pathlib import Path

from devstack.pytest_plugin import Migrated, Servers
from simulator.testing import Gateway, free_port, running

CONTENT = Path(__file__).parents[2] / "content"
KEY = "a-key-like-a-real-one"


async def test_production_refuses_a_simulated_waha_wherever_it_is(
    servers: Servers, migrated: Migrated
) -> None:
    gateway = Gateway(free_port())
    async with running(gateway, waha_api_key=KEY) as simulator:
        settings = {
            "SABATINA_CHANNEL": "waha",
            "SABATINA_WAHA_URL": f"{simulator.url}/waha",
            "SABATINA_WAHA_API_KEY": KEY,
            "SABATINA_POSTGRES_URL": migrated.url("messenger"),
            "SABATINA_NATS_URL": servers.nats.url,
            "SABATINA_REDIS_URL": servers.valkey.url,
            "SABATINA_CONTENT": str(CONTENT),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "messenger",
            env=os.environ | settings,
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            _, told = await process.communicate()
    assert process.returncode
    assert "SABATINA_WAHA_URL is Sabatina's simulator" in told.decode()
