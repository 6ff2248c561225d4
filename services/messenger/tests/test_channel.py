"""The Cloud API's wire format, and telling "not sent" from "perhaps sent"."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from common import telemetry
from devstack.servers import free_port
from messenger.channels import NotSent, OutboundMessage, OutcomeUnknown, SendRefused
from messenger.channels.cloud import CloudChannel
from messenger.channels.cloud_payloads import payload_of
from messenger.rendering import (
    ButtonsContent,
    Choice,
    Group,
    ListContent,
    TemplateContent,
    TextContent,
)

from .conftest import NUMBER
from .fakes import FakeWhatsApp, Fault

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def channel(whatsapp: FakeWhatsApp) -> AsyncIterator[CloudChannel]:
    opened = CloudChannel(whatsapp.url, NUMBER, "token", connections=4)
    yield opened
    await opened.close()


def message(content: TextContent | None = None) -> OutboundMessage:
    return OutboundMessage(uuid4(), "5511", content or TextContent("Olá"), "reply", TRACEPARENT)


def test_each_content_has_the_form_that_the_api_wants() -> None:
    buttons = ButtonsContent("Body", (Choice("yes", "Yes"),), "Foot")
    listed = ListContent("Body", "Open", (Group("Days", (Choice("mon", "Monday", "1st"),)),))
    template = TemplateContent("daily", "pt_BR", ("12",), ("question:now", "stop"))
    payloads = [
        payload_of(OutboundMessage(uuid4(), "5511", content, "reply"))
        for content in (buttons, listed, template)
    ]
    assert payloads[0]["interactive"] == {
        "type": "button",
        "body": {"text": "Body"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]},
        "footer": {"text": "Foot"},
    }
    assert payloads[1]["interactive"] == {
        "type": "list",
        "body": {"text": "Body"},
        "action": {
            "button": "Open",
            "sections": [
                {
                    "title": "Days",
                    "rows": [{"id": "mon", "title": "Monday", "description": "1st"}],
                }
            ],
        },
    }
    assert payloads[2]["template"] == {
        "name": "daily",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "12"}]},
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "0",
                "parameters": [{"type": "payload", "payload": "question:now"}],
            },
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "1",
                "parameters": [{"type": "payload", "payload": "stop"}],
            },
        ],
    }


async def test_our_id_goes_along_to_come_back_in_every_status(
    channel: CloudChannel, whatsapp: FakeWhatsApp
) -> None:
    sent = message()
    accepted = await channel.send(sent)
    assert accepted.provider_id == "wamid.1"
    assert accepted.wa_id == "5511"
    [call] = whatsapp.sent
    assert call["biz_opaque_callback_data"] == str(sent.id)
    assert call["text"] == {"body": "Olá", "preview_url": False}


async def test_a_refusal_carries_its_code(channel: CloudChannel, whatsapp: FakeWhatsApp) -> None:
    whatsapp.faults.append(Fault(400, 131026, headers=(("Retry-After", "7"),)))
    with pytest.raises(SendRefused) as caught:
        await channel.send(message())
    assert (caught.value.code, caught.value.http_status) == (131026, 400)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 7


async def test_a_connection_that_breaks_after_the_request_may_have_sent_it(
    channel: CloudChannel, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.faults.append(Fault(drops_connection=True))
    with pytest.raises(OutcomeUnknown):
        await channel.send(message())


async def test_no_answer_in_time_may_have_sent_it(
    whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messenger.channels.cloud.TIMEOUT", 0.2)
    whatsapp.delay = 1.0
    channel = CloudChannel(whatsapp.url, NUMBER, "token", connections=1)
    with pytest.raises(OutcomeUnknown):
        await channel.send(message())
    await channel.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
async def test_without_a_connection_nothing_was_sent(host: str) -> None:
    channel = CloudChannel(f"http://{host}:{free_port()}", NUMBER, "token", connections=1)
    with pytest.raises(NotSent):
        await channel.send(message())
    await channel.close()


async def test_the_call_is_a_span_of_the_turn_without_anything_personal(
    channel: CloudChannel, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    await channel.send(message())
    provider.shutdown()
    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("POST whatsapp messages", SpanKind.CLIENT)
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" in TRACEPARENT
    assert dict(span.attributes or {}) == {"http.response.status_code": 200}


async def test_many_calls_share_few_connections(
    channel: CloudChannel, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.delay = 0.01
    await asyncio.gather(*(channel.send(message()) for _ in range(20)))
    assert len(whatsapp.sent) == 20
    assert whatsapp.most_in_flight <= 4
