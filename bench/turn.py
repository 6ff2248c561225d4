"""From a webhook to the feedback that WhatsApp has taken, without a model, at 50 turns a second."""

import asyncio
import hashlib
import hmac
import json
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import aiohttp

from bench.measure import cpu_of_programs, percentile, running_stack
from devstack.phones import Phone, call, is_question
from devstack.stack import APP_SECRET, Stack

RATES = {"easy": (10, 150), "full": (50, 600)}
"""Turns a second, whether or not the earlier ones are done, and how many of them."""

TARGET_P50_MS = 60
TARGET_P99_MS = 250
PREPARE_S = 5.0
FINISH_WITHIN = 60.0  # seconds
ANSWER = "It keeps every value in memory, while the other makes one value at a time, on demand."


def run() -> dict[str, object]:
    environment = {
        "SABATINA_WHATSAPP_RATE": "5000",
        "SABATINA_GRADER": "local",
        "SABATINA_REGISTER_LIMIT": "1000000",
    }
    people = sum(turns for _, turns in RATES.values())
    with running_stack(environment=environment) as stack:
        phones = [Phone(stack.simulator_url, f"+55119{50_000_000 + n}") for n in range(people)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda phone: _open_question(stack, phone), phones))
        time.sleep(PREPARE_S)
        return asyncio.run(_measure(stack, phones))


def _open_question(stack: Stack, phone: Phone) -> None:
    phone.sign_up(stack.gateway_url, language="en", tracks=["python"], timezone="Asia/Tokyo")
    phone.tap("question:now")
    phone.wait_for(is_question, within=60)


async def _measure(stack: Stack, phones: list[Phone]) -> dict[str, object]:
    results: dict[str, object] = {}
    rest = phones
    for name, (rate, turns) in RATES.items():
        chosen, rest = rest[:turns], rest[turns:]
        results[name] = await _measure_at(stack, chosen, rate)
    full = results["full"]
    assert isinstance(full, dict)
    return results | {
        "target_p50_ms": TARGET_P50_MS,
        "target_p99_ms": TARGET_P99_MS,
        "ok": full["p50_ms"] <= TARGET_P50_MS and full["p99_ms"] <= TARGET_P99_MS,
    }


async def _measure_at(stack: Stack, phones: list[Phone], rate: int) -> dict[str, object]:
    before = cpu_of_programs(stack)
    posted = await _post_answers(stack, phones, rate)
    deadline = time.monotonic() + FINISH_WITHIN
    accepted: dict[str, float] = {}
    while len(accepted) < len(posted) and time.monotonic() < deadline:
        await asyncio.sleep(2)
        accepted = {n: at for n, at in _feedback_times(stack).items() if n in posted}
    after = cpu_of_programs(stack)
    turns = [(accepted[number] - posted[number]) * 1000 for number in accepted]
    return {
        "rate_per_s": rate,
        "turns": len(turns),
        "lost": len(posted) - len(turns),
        "p50_ms": round(statistics.median(turns), 1),
        "p95_ms": round(percentile(turns, 0.95), 1),
        "p99_ms": round(percentile(turns, 0.99), 1),
        "cpu_ms_per_turn": {
            name: round((after[name] - before[name]) / len(posted) * 1000, 2) for name in after
        },
    }


async def _post_answers(stack: Stack, phones: list[Phone], rate: int) -> dict[str, float]:
    """An open loop: each answer leaves at its own time, and that is when its turn begins."""
    posted: dict[str, float] = {}
    url = f"{stack.gateway_url}/webhook/whatsapp"
    started = time.monotonic()

    async def post(session: aiohttp.ClientSession, place: int, number: str) -> None:
        await asyncio.sleep(started + place / rate - time.monotonic())
        body = _webhook(number)
        digest = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        posted[number] = time.time()
        headers = {"X-Hub-Signature-256": f"sha256={digest}"}
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200

    async with aiohttp.ClientSession() as session:
        numbers = [phone.number.lstrip("+") for phone in phones]
        await asyncio.gather(*(post(session, place, n) for place, n in enumerate(numbers)))
    return posted


def _feedback_times(stack: Stack) -> dict[str, float]:
    """When the simulator received the feedback for each number."""
    times: dict[str, float] = {}
    since = 0
    while True:
        url = f"{stack.simulator_url}/control/sent?since={since}&limit=1000"
        _, page = call("GET", url)
        calls = page if isinstance(page, list) else page["calls"]
        for sent in calls:
            text = json.dumps(sent["body"])
            if "/10" in text and "to" in sent["body"]:
                times[sent["body"]["to"]] = datetime.fromisoformat(sent["at"]).timestamp()
        if len(calls) < 1000:
            return times
        since += len(calls)


def _webhook(number: str) -> bytes:
    message = {
        "from": number,
        "id": f"wamid.{uuid.uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": ANSWER},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "100000000000001"},
        "contacts": [{"wa_id": number, "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
