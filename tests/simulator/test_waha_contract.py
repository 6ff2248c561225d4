"""What the simulated WAHA says, held against WAHA's own description where that is at hand."""

import json

import jsonschema
import pytest

from devstack.reference import WAHA_OPENAPI
from simulator.testing import ANA, Json, Simulator, Start, eventually

CHAT = f"{ANA}@c.us"
EVENTS = "session.status,message,message.any,message.ack,message.edited,message.revoked,"
EVENTS += "message.reaction,poll.vote"
SCHEMAS = {
    "session.status": "WAHAWebhookSessionStatus",
    "message": "WAHAWebhookMessage",
    "message.any": "WAHAWebhookMessageAny",
    "message.ack": "WAHAWebhookMessageAck",
    "message.edited": "WAHAWebhookMessageEdited",
    "message.revoked": "WAHAWebhookMessageRevoked",
    "message.reaction": "WAHAWebhookMessageReaction",
    "poll.vote": "WAHAWebhookPollVote",
}
# Required by the description, and left out by the engines.
NEVER_THERE = {"mediaUrl"}

pytestmark = pytest.mark.skipif(
    not WAHA_OPENAPI.exists(), reason="WAHA's OpenAPI description is not at hand"
)


class Description:
    """WAHA's schemas, read as its engines keep them: what is absent may be null."""

    def __init__(self) -> None:
        mended = _mended(json.loads(WAHA_OPENAPI.read_bytes()))
        assert isinstance(mended, dict)
        self._document: Json = mended

    def check(self, name: str, value: object) -> None:
        schema = {**self._document, "$ref": f"#/components/schemas/{name}"}
        validator = jsonschema.Draft202012Validator(schema)
        errors = validator.iter_errors(_with_bodies(value))
        problems = [f"{error.json_path}: {error.message[:200]}" for error in errors]
        assert problems == [], f"{name}: {problems}"


def _with_bodies(value: object) -> object:
    """The engines leave the body out of polls, places and revocations."""
    if isinstance(value, list):
        return [_with_bodies(item) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {key: _with_bodies(item) for key, item in value.items()}
    return {"body": "", **filled} if "hasMedia" in filled else filled


def _mended(value: object) -> object:
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if not isinstance(value, dict):
        return value
    mended: Json = {key: _mended(item) for key, item in value.items()}
    if isinstance(mended.get("type"), str):
        mended["type"] = [mended["type"], "null"]
    if "enum" in mended and isinstance(mended["enum"], list):
        # The description calls the names of events objects, though they are texts.
        mended.pop("type", None)
        mended["enum"] = [*mended["enum"], None]
    if isinstance(mended.get("required"), list):
        mended["required"] = [n for n in mended["required"] if n not in NEVER_THERE]
    if isinstance(mended.get("required"), bool):
        del mended["required"]
    for key in ("$ref", "allOf"):
        if key in mended and "anyOf" not in mended:
            mended = {"anyOf": [{key: mended.pop(key)}, {"type": "null"}], **mended}
    return mended


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


@pytest.fixture
async def busy(start: Start) -> Simulator:
    """Somebody has said one thing of every kind, and heard one."""
    simulator = await start(simulator_waha_events=EVENTS)
    await simulator.http.put(f"/control/phones/{ANA}", json={"lid": "resolvable"})
    sent = (await simulator.send_waha("Olá")).json()["id"].rpartition("_")[2]
    await simulator.say_waha(text="oi")
    await simulator.say_waha(text="respondo", quote=sent)
    for kind in ("audio", "image", "sticker", "document", "reaction"):
        await simulator.say_waha(type=kind)
    await simulator.say_waha(text="errado")
    await simulator.say_waha(type="edit", text="certo")
    await simulator.say_waha(type="revoke")
    poll = {"name": "?", "options": ["a", "b"], "multipleAnswers": False}
    body = {"session": "default", "chatId": CHAT, "poll": poll}
    await simulator.waha("POST", "/api/sendPoll", json=body)
    await simulator.say_waha(reply="a")
    return simulator


def test_the_description_refuses_what_is_wrong(description: Description) -> None:
    with pytest.raises(AssertionError, match="'id' is a required property"):
        description.check("NewMessageIDResponse", {})
    with pytest.raises(AssertionError, match="is not of type"):
        description.check("PingResponse", {"message": 1})


async def test_every_event_is_as_described(busy: Simulator, description: Description) -> None:
    await busy.waha("POST", "/api/sessions/default/restart")
    kinds = set(SCHEMAS)
    await eventually(lambda: {e["event"] for e in busy.gateway.waha_events} == kinds)
    for event in busy.gateway.waha_events:
        description.check(SCHEMAS[event["event"]], event)


async def test_a_location_lacks_only_the_body(start: Start, description: Description) -> None:
    simulator = await start()
    await simulator.say_waha(type="location")
    await eventually(lambda: simulator.gateway.waha_events)
    event = simulator.gateway.waha_events[0]
    description.check("WAHAWebhookMessage", event)


async def test_a_sent_message_is_as_described(
    simulator: Simulator, description: Description
) -> None:
    description.check("WAMessage", (await simulator.send_waha("Olá")).json())
    file = {"mimetype": "image/png", "data": "aGk=", "filename": "a.png"}
    body = {"session": "default", "chatId": CHAT, "file": file}
    sent = await simulator.waha("POST", "/api/sendImage", json=body)
    description.check("WAMessage", sent.json())
    new = await simulator.waha("GET", "/api/default/new-message-id")
    description.check("NewMessageIDResponse", new.json())


async def test_chats_and_messages_are_as_described(
    busy: Simulator, description: Description
) -> None:
    for chat in await read(busy, "/api/default/chats/overview"):
        description.check("ChatSummary", chat)
    messages = await read(busy, f"/api/default/chats/{CHAT}/messages?limit=100")
    assert len(messages) == 9
    for message in messages:
        description.check("WAMessage", message)
    chat = {"session": "default", "chatId": CHAT}
    await busy.waha("POST", "/api/sendSeen", json=chat)
    read_now = await busy.waha("POST", f"/api/default/chats/{CHAT}/messages/read")
    description.check("ReadChatMessagesResponse", read_now.json())


async def test_sessions_numbers_and_the_server_are_as_described(
    busy: Simulator, description: Description
) -> None:
    description.check("SessionInfo", await one(busy, "/api/sessions/default"))
    for session in await read(busy, "/api/sessions?all=true"):
        description.check("SessionInfo", session)
    description.check("MeInfo", await one(busy, "/api/sessions/default/me"))
    started = await busy.waha("POST", "/api/sessions/default/start")
    description.check("SessionDTO", started.json())
    exists = await one(busy, f"/api/contacts/check-exists?phone={ANA}&session=default")
    description.check("WANumberExistResult", exists)
    for lid in await read(busy, "/api/default/lids"):
        description.check("LidToPhoneNumber", lid)
    description.check("LidToPhoneNumber", await one(busy, f"/api/default/lids/pn/{ANA}"))
    description.check("LidToPhoneNumber", await one(busy, "/api/default/lids/1@lid"))
    description.check("CountResponse", await one(busy, "/api/default/lids/count"))
    description.check("WAHAEnvironment", await one(busy, "/api/server/version"))
    description.check("ServerStatusResponse", await one(busy, "/api/server/status"))
    description.check("PingResponse", await one(busy, "/ping"))


async def test_the_code_is_as_described(start: Start, description: Description) -> None:
    simulator = await start(simulator_waha_paired=False)
    raw = await one(simulator, "/api/default/auth/qr?format=raw")
    description.check("QRCodeValue", raw)
    answer = await simulator.http.get(
        "/waha/api/default/auth/qr",
        headers={"Accept": "application/json", "X-Api-Key": "simulated-waha-key"},
    )
    description.check("Base64File", answer.json())


async def read(simulator: Simulator, path: str) -> list[Json]:
    answer = await simulator.waha("GET", path)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    assert found
    return found


async def one(simulator: Simulator, path: str) -> Json:
    answer = await simulator.waha("GET", path)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found
