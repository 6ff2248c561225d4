"""CPU per webhook, beside a bare route that does the least that any gateway must."""

import asyncio
import hashlib
import hmac
import json
import statistics
import uuid
from pathlib import Path

import nats

from bench.measure import Request, cpu_seconds, post_all, running_stack
from devstack.processes import Program
from devstack.servers import free_port
from devstack.stack import APP_SECRET, Stack

TARGET_RATIO = 1.5
ROUNDS = 5
REQUESTS = 1_500
CONNECTIONS = 32


def run() -> dict[str, object]:
    with running_stack(services=("gateway",)) as stack:
        floor = _floor(stack, stack.options.folder.parent)
        try:
            floor.start()
            floor.wait_ready()
            return asyncio.run(_measure(stack, floor))
        finally:
            floor.stop()


def _floor(stack: Stack, folder: Path) -> Program:
    port = free_port()
    environment = stack.environment() | {"FLOOR_SECRET": APP_SECRET, "FLOOR_PORT": str(port)}
    url = f"http://127.0.0.1:{port}/ready"
    return Program("floor", "bench.floor_app", environment, url, log_folder=folder / "logs")


async def _measure(stack: Stack, floor: Program) -> dict[str, object]:
    gateway = stack.programs["gateway"]
    floor_url = floor.ready_url.replace("/ready", "/webhook")
    gateway_url = f"{stack.gateway_url}/webhook/whatsapp"
    floors, ours = [], []
    for round_number in range(ROUNDS + 1):
        await _purge(stack.nats.url)
        floor_cpu = await _cpu_per_request(floor, floor_url)
        gateway_cpu = await _cpu_per_request(gateway, gateway_url)
        if round_number:  # the first round warms up
            floors.append(floor_cpu)
            ours.append(gateway_cpu)
    ratio = statistics.median(o / f for o, f in zip(ours, floors, strict=True))
    return {
        "floor_cpu_us": round(statistics.median(floors) * 1e6),
        "gateway_cpu_us": round(statistics.median(ours) * 1e6),
        "ratio": round(ratio, 2),
        "target_ratio": TARGET_RATIO,
        "ok": ratio <= TARGET_RATIO,
    }


async def _cpu_per_request(program: Program, url: str) -> float:
    assert program.process is not None
    before = cpu_seconds(program.process.pid)
    await post_all(url, [_request() for _ in range(REQUESTS)], connections=CONNECTIONS)
    return (cpu_seconds(program.process.pid) - before) / REQUESTS


async def _purge(url: str) -> None:
    connection = await nats.connect(url)
    await connection.jetstream().purge_stream("INBOUND")
    await connection.close()


def _request() -> Request:
    message = {
        "from": "5511900000001",
        "id": f"wamid.{uuid.uuid4().hex}",
        "timestamp": "1763000000",
        "type": "text",
        "text": {"body": "A generator makes its values on demand, so it needs little memory."},
    }
    contact = {"wa_id": "5511900000001", "profile": {"name": "Ana"}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "100000000000001"},
        "contacts": [contact],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    digest = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Request(body, {"X-Hub-Signature-256": f"sha256={digest}"})
