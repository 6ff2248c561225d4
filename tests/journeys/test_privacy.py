"""A canary number and a canary text, carried through every case, then looked for everywhere."""

import asyncio
import base64
import time
from urllib.request import urlopen

import nats
import pytest

from common.topology import STREAMS
from devstack.phones import is_feedback

from .conftest import Product

pytestmark = pytest.mark.journeys

TEXT = "zanzibarcanary"


def test_no_number_and_no_text_leaks_into_logs_spans_metrics_or_subjects(
    product: Product,
) -> None:
    phone = product.phone()
    digits = phone.number.lstrip("+")
    product.confirmed(phone, name=f"{TEXT}name", language="en")
    before = len(phone.received())
    product.travel_to_next("09:00")
    product.question(phone, after=before)
    phone.say(f"The {TEXT} keeps everything in memory, one by one, and it is lazy.")
    phone.wait_for(is_feedback)
    phone.send(type="image", text=TEXT)
    phone.say("STOP")
    time.sleep(2)
    local_number = digits.removeprefix("55")
    canaries = [local_number, local_number[2:], TEXT, *_in_base64(digits)]
    for name, text in _everything_visible(product).items():
        found = [canary for canary in canaries if canary in text]
        assert not found, f"{name} contains {found}"


def _in_base64(digits: str) -> list[str]:
    """WhatsApp's message ids hold the number in base64, at any of three offsets."""
    encoded = [base64.b64encode(("x" * pad + digits).encode()).decode()[4:-4] for pad in range(3)]
    return [piece for piece in encoded if len(piece) > 8]


def _everything_visible(product: Product) -> dict[str, str]:
    ours = [name for name in product.stack.programs if name != "simulator"]
    seen = {f"log of {name}": (product.logs / f"{name}.log").read_text() for name in ours}
    for name, port in product.stack.probe_ports.items():
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            seen[f"metrics of {name}"] = answer.read().decode()
    seen["spans"] = "\n".join(f"{span.name} {span.attributes}" for span in product.traces.spans())
    seen["subjects"] = asyncio.run(_subjects(product.stack.nats.url))
    assert all(seen.values()), [name for name, text in seen.items() if not text]
    return seen


async def _subjects(url: str) -> str:
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    subjects: list[str] = []
    for stream in STREAMS:
        info = await jetstream.stream_info(stream.name, subjects_filter=">")
        subjects += (info.state.subjects or {}).keys()
    await connection.close()
    return "\n".join(subjects)
