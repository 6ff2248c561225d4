import json
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from common.bus.publisher import Publisher
from common.clock import SystemClock
from common.database import Database
from common.events import MessageReceived, NoticeReceived, StatusReceived
from gateway.app import create_app
from gateway.bodies import BODY_LIMIT
from gateway.limits import RateLimit
from gateway.signature import is_from_waha
from gateway.store import AuditLog

from .conftest import SECRET, Door, settings, signed_by_waha

ANA, ANA_HIDDEN = "5511912345678@c.us", "70011122233344@lid"


def said(token: str, text: str = "hello", chat: str = ANA, **changes: Any) -> dict[str, Any]:
    """A `message` event. Its own id and the message's are both made of the token."""
    payload = {
        "id": f"false_{chat}_{token}",
        "timestamp": 1795340000,
        "from": chat,
        "fromMe": False,
        "body": text,
        "hasMedia": False,
        "_data": {},
    }
    return {
        "id": f"evt_{token}",
        "timestamp": 1795340000500,
        "event": "message",
        "session": "default",
        "payload": payload | changes,
    }


def acknowledged(token: str, ack: int) -> dict[str, Any]:
    payload = {"id": f"true_{ANA}_{token}", "from": ANA, "fromMe": True, "ack": ack}
    return said(token) | {"event": "message.ack", "payload": payload, "id": f"evt_{token}{ack}"}


def dropped(reason: str) -> float:
    found = REGISTRY.get_sample_value("sabatina_webhook_dropped_total", {"reason": reason})
    return found or 0.0


def test_the_signature_is_the_documented_one() -> None:
    body = b'{"event":"message","session":"default","engine":"WEBJS"}'
    known = signed_by_waha(body, "my-secret-key")["X-Webhook-Hmac"]
    assert known.startswith("208f8a55dde9e055")
    assert known.endswith("76153fa89")
    assert is_from_waha(body, known, "sha512", [b"my-secret-key"])
    assert not is_from_waha(body + b" ", known, "sha512", [b"my-secret-key"])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Webhook-Hmac": ""},
        {"X-Webhook-Hmac": "0" * 128},
        {"X-Webhook-Hmac": "x"},
        {"X-Webhook-Hmac-Algorithm": "sha256"},
        {"X-Webhook-Hmac-Algorithm": "SHA512"},
        {"X-Webhook-Hmac-Algorithm": "none"},
        {"X-Webhook-Hmac-Algorithm": ""},
    ],
)
async def test_a_wrong_signature_or_algorithm_is_refused(
    door: Door, unique: str, headers: dict[str, str]
) -> None:
    assert (await door.post_waha(said(unique), **headers)).status_code == 401
    assert await door.published() == []


@pytest.mark.parametrize("missing", ["X-Webhook-Hmac", "X-Webhook-Hmac-Algorithm"])
async def test_a_missing_header_is_refused(door: Door, unique: str, missing: str) -> None:
    body = json.dumps(said(unique)).encode()
    headers = {key: value for key, value in signed_by_waha(body).items() if key != missing}
    answer = await door.client.post("/webhook/waha", content=body, headers=headers)
    assert answer.status_code == 401


async def test_the_other_channels_signature_opens_nothing(door: Door, unique: str) -> None:
    body = json.dumps(said(unique)).encode()
    answer = await door.client.post(
        "/webhook/waha", content=body, headers=signed_by_waha(body, SECRET)
    )
    assert answer.status_code == 401
    answer = await door.client.post("/webhook/whatsapp", content=body, headers=signed_by_waha(body))
    assert answer.status_code == 401


async def test_both_keys_are_accepted_while_one_is_rotated(door: Door, unique: str) -> None:
    body = json.dumps(said(unique)).encode()
    for key in ("simulated-next-key", "simulated-waha-hmac-key"):
        headers = signed_by_waha(body, key)
        answer = await door.client.post("/webhook/waha", content=body, headers=headers)
        assert answer.status_code == 200
    assert len(await door.published()) == 1


async def test_an_event_is_stored_once_however_often_and_however_named(
    door: Door, unique: str
) -> None:
    hidden = said(
        unique, chat=ANA_HIDDEN, _data={"key": {"remoteJidAlt": "5511912345678@s.whatsapp.net"}}
    )
    for event in (said(unique), said(unique), said(unique) | {"id": "evt_other"}, hidden):
        assert (await door.post_waha(event)).status_code == 200
    [message] = await door.published()
    assert isinstance(message, MessageReceived)
    assert (message.channel, message.number_id, message.provider_id) == ("waha", "default", unique)
    assert message.ref.channel == "waha"
    assert message.ref.number_id == "default"


async def test_acknowledgements_and_news_of_the_session_are_stored(door: Door, unique: str) -> None:
    for ack in (1, 3, 2, 3):
        await door.post_waha(acknowledged(unique, ack))
    session = {"name": "default", "status": "WORKING"}
    news = said(unique) | {"event": "session.status", "payload": session}
    await door.post_waha(news)
    published = await door.published()
    words = sorted(m.status for m in published if isinstance(m, StatusReceived))
    assert words == ["delivered", "read", "sent"]
    [notice] = [m for m in published if isinstance(m, NoticeReceived)]
    assert (notice.channel, notice.field) == ("waha", "session.status")
    assert json.loads(notice.original)["payload"] == session


async def test_echoes_and_groups_are_answered_counted_and_not_stored(
    door: Door, unique: str
) -> None:
    before = dropped("on_purpose")
    for event in (
        said(unique, fromMe=True),
        said(unique, source="api"),
        said(unique, chat="120363000000@g.us"),
        said(unique) | {"event": "message.any"},
    ):
        assert (await door.post_waha(event)).status_code == 200
    assert await door.published() == []
    assert dropped("on_purpose") == before + 4


async def test_another_sessions_events_are_answered_counted_and_not_stored(
    door: Door, unique: str
) -> None:
    before = dropped("foreign_session")
    assert (await door.post_waha(said(unique) | {"session": "private"})).status_code == 200
    assert await door.published() == []
    assert dropped("foreign_session") == before + 1


@pytest.mark.parametrize(
    "body", [{}, {"event": 7}, {"event": "message", "payload": "x"}, {"event": "message"}]
)
async def test_an_unknown_shape_is_stored_and_not_asked_for_again(
    door: Door, unique: str, body: dict[str, Any]
) -> None:
    assert (await door.post_waha(body | {"unique": unique})).status_code == 200
    [notice] = await door.published()
    assert isinstance(notice, NoticeReceived)
    assert unique in notice.original


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"a":' * 50_000])
async def test_what_is_not_a_json_object_is_refused(door: Door, body: bytes) -> None:
    assert (await door.post_waha(body)).status_code == 400


@pytest.mark.parametrize("depth", [150, 199, 200, 201, 250, 320, 450, 600, 900, 990])
async def test_deeply_nested_json_does_no_harm(door: Door, unique: str, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    for payload in (nested, b'{"id":"false_1@c.us_X","_data":{"Message":%b}}' % nested):
        body = b'{"event":"message","unique":"%b","payload":%b}' % (unique.encode(), payload)
        assert (await door.post_waha(body)).status_code in {200, 400}
        entry = b'{"entry":[{"id":"%b","changes":[%b]}]}' % (unique.encode(), payload)
        assert (await door.post(entry)).status_code in {200, 400}


async def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    assert (await door.post_waha(b"x" * (BODY_LIMIT + 1))).status_code == 413


@pytest.mark.parametrize("name", ["message", "message.waiting", "session.status"])
async def test_a_body_as_large_as_the_limit_is_stored(door: Door, unique: str, name: str) -> None:
    """NATS takes less than that: what is too large is kept from its beginning."""
    event = said(unique, "x" * (BODY_LIMIT - 1000)) | {"event": name}
    assert (await door.post_waha(event)).status_code == 200
    assert len(await door.published()) == 1


async def test_the_route_takes_posts_only(client: httpx.AsyncClient) -> None:
    assert (await client.get("/webhook/waha")).status_code == 405


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"waha_hmac_key": ""}, "/webhook/waha"),
        ({"whatsapp_app_secret": "", "whatsapp_verify_token": ""}, "/webhook/whatsapp"),
    ],
)
async def test_a_channel_that_is_not_configured_has_no_address(
    publisher: Publisher, database: Database, changes: dict[str, str], missing: str
) -> None:
    configured = settings(**changes)
    limit = RateLimit(configured.redis_url.get_secret_value(), 10, configured.register_window)
    app = create_app(configured, publisher, SystemClock(), limit, AuditLog(database))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        found = {
            path: (await client.post(path, content=b"{}")).status_code
            for path in ("/webhook/whatsapp", "/webhook/waha")
        }
    await limit.close()
    assert found.pop(missing) == 404
    assert list(found.values()) == [401]
