import asyncio
import json
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest

from common.events import MessageReceived, NoticeReceived, StatusReceived
from devstack.servers import Nats
from gateway.bodies import BODY_LIMIT
from gateway.signature import is_from_cloud

from .conftest import Door, signed


def envelope(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    changes = [{"field": field, "value": value} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def value(**parts: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "42"}} | parts


def text(number: int, body: str = "hello", sender: str = "5511900000001") -> dict[str, Any]:
    return {
        "from": sender,
        "id": f"wamid.{number}",
        "timestamp": "1763000000",
        "type": "text",
        "text": {"body": body},
    }


def status(number: int, word: str = "delivered") -> dict[str, Any]:
    return {
        "id": f"wamid.{number}",
        "status": word,
        "timestamp": "1763000001",
        "recipient_id": "5511900000001",
        "biz_opaque_callback_data": "ours",
    }


async def test_the_handshake_returns_the_challenge_as_text(client: httpx.AsyncClient) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": "simulated-verify-token",
        "hub.challenge": "1158201444",
    }
    answer = await client.get("/webhook/whatsapp", params=query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    wrong = await client.get("/webhook/whatsapp", params=query | {"hub.verify_token": "no"})
    assert wrong.status_code == 403


def test_the_signature_is_the_documented_one() -> None:
    known = "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"
    assert is_from_cloud(b"test", known, [b"secret"])
    assert not is_from_cloud(b"test ", known, [b"secret"])


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=abc", "sha256=é" * 3, "x" * 71])
async def test_a_missing_or_wrong_signature_is_refused(door: Door, header: str | None) -> None:
    body = json.dumps(envelope(value(messages=[text(1)]))).encode()
    headers = [] if header is None else [(b"X-Hub-Signature-256", header.encode())]
    answer = await door.client.post("/webhook/whatsapp", content=body, headers=headers)
    assert answer.status_code == 401
    assert await door.published() == []


async def test_both_secrets_are_accepted_while_one_is_rotated(door: Door) -> None:
    body = json.dumps(envelope(value(messages=[text(1)]))).encode()
    for secret in ("simulated-next-secret", "simulated-app-secret"):
        answer = await door.client.post(
            "/webhook/whatsapp", content=body, headers=signed(body, secret)
        )
        assert answer.status_code == 200


async def test_every_item_of_a_batch_is_a_message_of_its_own(door: Door) -> None:
    body = envelope(
        value(messages=[text(11), text(12)], statuses=[status(13)]),
        value(statuses=[status(14, "read")]),
    )
    body["entry"].append({"id": "2", "changes": [{"field": "account_update", "value": {"a": 1}}]})
    assert (await door.post(body)).status_code == 200
    published = await door.published()
    received = [m.provider_id for m in published if isinstance(m, MessageReceived)]
    statuses = [(m.status, m.tracker) for m in published if isinstance(m, StatusReceived)]
    notices = [m.field for m in published if isinstance(m, NoticeReceived)]
    assert received == ["wamid.11", "wamid.12"]
    assert sorted(statuses) == [("delivered", "ours"), ("read", "ours")]
    assert notices == ["account_update"]


async def test_the_same_webhook_twice_is_stored_once(door: Door) -> None:
    body = envelope(value(messages=[text(71)], statuses=[status(71)]), field="messages")
    first, second = await door.post(body), await door.post(body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(await door.published()) == 2


async def test_the_sender_is_matched_by_id_and_not_by_position(door: Door) -> None:
    contacts = [
        {"wa_id": "5511900000002", "profile": {"name": "Bia"}},
        {"wa_id": "5511900000001", "user_id": "BR.1", "profile": {"name": "Ana"}},
    ]
    await door.post(envelope(value(messages=[text(81)], contacts=contacts)))
    [message] = await door.published()
    assert isinstance(message, MessageReceived)
    assert message.sender.profile_name == "Ana"
    assert message.sender.business_scoped_id == "BR.1"


@pytest.mark.parametrize(
    ("item", "kind", "choice", "said"),
    [
        (
            {"type": "button", "button": {"payload": "stop", "text": "Stop"}},
            "button",
            "stop",
            "Stop",
        ),
        (
            {
                "type": "interactive",
                "interactive": {"type": "list_reply", "list_reply": {"id": "a:1", "title": "A"}},
            },
            "choice",
            "a:1",
            "A",
        ),
        ({"type": "interactive"}, "unknown", None, None),
        ({"type": "audio", "audio": {"id": "1", "voice": True}}, "audio", None, None),
        ({"type": "voice", "voice": {"id": "1"}}, "audio", None, None),
        ({"type": "image", "image": {"id": "1", "caption": "look"}}, "image", None, "look"),
        ({"type": "holo", "holo": {}}, "unknown", None, None),
        ({"type": "reaction", "reaction": {"message_id": "x"}}, "reaction", None, ""),
    ],
)
async def test_each_kind_of_message_is_recognised(
    door: Door, unique: str, item: dict[str, Any], kind: str, choice: str | None, said: str | None
) -> None:
    whole = {"from": "5511900000001", "id": unique, "timestamp": "1763000000"} | item
    assert (await door.post(envelope(value(messages=[whole])))).status_code == 200
    [message] = await door.published()
    assert isinstance(message, MessageReceived)
    assert (message.kind, message.choice_id, message.text) == (kind, choice, said)
    assert (message.original is not None) == (kind == "unknown")


@pytest.mark.parametrize(
    "bad",
    [
        {"id": 7, "type": []},
        "not an object",
        None,
        {"type": "text", "text": {"body": "nobody sent it"}, "id": "wamid.lost"},
        {"id": "x", "from": "1", "text": {"body": {"deep": 1}}},
    ],
)
async def test_one_poisoned_item_is_kept_and_harms_no_other(
    door: Door, unique: str, bad: Any
) -> None:
    good = text(1) | {"id": unique}
    body = envelope(value(messages=[bad, good, bad], statuses=[bad, status(9) | {"id": unique}]))
    assert (await door.post(body)).status_code == 200
    published = await door.published()
    assert [m.provider_id for m in published if isinstance(m, MessageReceived)] == [unique]
    assert [m.provider_id for m in published if isinstance(m, StatusReceived)] == [unique]
    assert any(isinstance(m, NoticeReceived) for m in published)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"a": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
async def test_what_is_not_a_json_object_is_refused(door: Door, body: bytes) -> None:
    answer = await door.post(body)
    assert answer.status_code == 400
    assert (await door.client.get("/health")).text == "ok"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entry": "x"},
        {"entry": [1, None, {"changes": 3}]},
        {"entry": [{"changes": [None, 4, {"field": 1, "value": []}, {"field": "messages"}]}]},
        {"entry": [{"changes": [{"field": "messages", "value": {"messages": {"a": 1}}}]}]},
        {"object": "page", "entry": [{"messaging": []}]},
    ],
)
async def test_an_unknown_shape_is_stored_and_not_asked_for_again(door: Door, body: Any) -> None:
    assert (await door.post(body)).status_code == 200
    published = await door.published()
    assert published
    assert all(isinstance(message, NoticeReceived) for message in published)


@pytest.mark.parametrize(
    "timestamp", ["-5", "1763000000000", "nan", "", None, "9" * 40, 1763000000]
)
async def test_strange_timestamps_do_no_harm(door: Door, unique: str, timestamp: Any) -> None:
    item = text(1) | {"id": unique, "timestamp": timestamp}
    assert (await door.post(envelope(value(messages=[item])))).status_code == 200
    [message] = await door.published()
    assert isinstance(message, MessageReceived)
    assert 2025 <= message.sent_at.year <= 2027


async def test_emoji_rtl_nul_and_half_characters_survive(door: Door, unique: str) -> None:
    said = "👩🏽‍💻 שלום \u202e abc\x00def"
    await door.post(envelope(value(messages=[text(1, said) | {"id": unique}])))
    half = json.dumps(envelope(value(messages=[text(2) | {"id": unique + "2"}])))
    broken = half.replace('"hello"', '"half \\ud83d of it"').encode()
    assert (await door.post(broken)).status_code == 200
    first, second = await door.published()
    assert isinstance(first, MessageReceived)
    assert isinstance(second, MessageReceived)
    assert first.text == "👩🏽‍💻 שלום \u202e abcdef"
    assert second.text == "half \ufffd of it"


async def test_a_body_over_the_limit_is_refused_before_it_is_read(door: Door) -> None:
    assert (await door.post(b"x" * (BODY_LIMIT + 1))).status_code == 413

    async def chunks() -> Any:
        for _ in range(6):
            yield b"x" * 2**20

    streamed = await door.client.post("/webhook/whatsapp", content=chunks())
    assert streamed.status_code == 413


async def test_a_batch_of_a_thousand_is_accepted(door: Door) -> None:
    items = [text(n, "word " * 100) | {"id": f"wamid.batch.{n}"} for n in range(1000)]
    assert (await door.post(envelope(value(messages=items)))).status_code == 200
    assert len(await door.published()) == 1000


async def test_whatsapp_is_asked_to_come_again_while_nats_is_away(
    door: Door, servers: Any, unique: str
) -> None:
    nats: Nats = servers.nats
    nats.kill()
    try:
        body = envelope(value(messages=[text(1) | {"id": unique}]))
        answer = await door.post(body)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    finally:
        nats.start()
    for _ in range(100):
        answer = await door.post(body)
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == 200
    assert len(await door.published()) == 1


async def test_a_webhook_is_counted_under_its_route_and_not_its_query(door: Door) -> None:
    await door.client.get("/webhook/whatsapp", params={"hub.verify_token": "5511900000001"})
    await door.post({})
    counted = generate_latest().decode()
    assert 'method="POST",route="/webhook/whatsapp"' in counted
    assert "5511900000001" not in counted
