"""From a webhook to the feedback that WhatsApp has taken, without a model, at 50 turns a second."""

import asyncio
import hashlib
import hmac
import json
import os
import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import aiohttp

from bench.measure import percentile, running_stack
from devstack.phones import Phone, call, is_question
from devstack.stack import APP_SECRET, Stack

RATE = int(os.environ.get("BENCH_RATE", "50"))  # turns a second, come what may
TURNS = int(os.environ.get("BENCH_TURNS", "600"))
TARGET_P50_MS = 60
TARGET_P99_MS = 250
SETTLE_S = 5.0
ANSWER = "It keeps every value in memory, while the other makes one value at a time, on demand."


def run() -> dict[str, object]:
    environment = {
        "SABATINA_WHATSAPP_RATE": "5000",
        "SABATINA_GRADER": "local",
        "SABATINA_REGISTER_LIMIT": "1000000",
    }
    with running_stack(environment=environment) as stack:
        phones = [Phone(stack.simulator_url, f"+55119{50_000_000 + n}") for n in range(TURNS)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda phone: _open_question(stack, phone), phones))
        time.sleep(SETTLE_S)
        return asyncio.run(_measure(stack, phones))


def _open_question(stack: Stack, phone: Phone) -> None:
    body = {
        "phone": phone.number,
        "language": "en",
        "tracks": ["python"],
        "timezone": "Asia/Tokyo",
        "consent": True,
    }
    status, answer = call("POST", f"{stack.gateway_url}/api/users/register", body)
    assert status == 201, answer
    phone.wait_for(lambda bubble: "signup:confirm" in bubble.option_ids, within=60)
    phone.tap("signup:confirm")
    phone.wait_for(lambda bubble: "question:now" in bubble.option_ids, within=60)
    phone.tap("question:now")
    phone.wait_for(is_question, within=60)


async def _measure(stack: Stack, phones: list[Phone]) -> dict[str, object]:
    posted = await _post_answers(stack, phones)
    await asyncio.sleep(SETTLE_S)
    accepted = _feedback_times(stack)
    turns = [(accepted[number] - at) * 1000 for number, at in posted.items() if number in accepted]
    p50, p99 = statistics.median(turns), percentile(turns, 0.99)
    return {
        "turns": len(turns),
        "lost": len(posted) - len(turns),
        "rate_per_s": RATE,
        "p50_ms": round(p50, 1),
        "p95_ms": round(percentile(turns, 0.95), 1),
        "p99_ms": round(p99, 1),
        "target_p50_ms": TARGET_P50_MS,
        "target_p99_ms": TARGET_P99_MS,
        "ok": len(turns) == len(posted) and p50 <= TARGET_P50_MS and p99 <= TARGET_P99_MS,
    }


async def _post_answers(stack: Stack, phones: list[Phone]) -> dict[str, float]:
    """An open loop: each answer leaves at its own time, and that is when its turn begins."""
    posted: dict[str, float] = {}
    url = f"{stack.gateway_url}/webhook/whatsapp"
    started = time.monotonic()

    async def post(session: aiohttp.ClientSession, place: int, number: str) -> None:
        await asyncio.sleep(started + place / RATE - time.monotonic())
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
