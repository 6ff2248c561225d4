"""An independent client of the Cloud API works with the simulator as it does with Meta."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from simulator import samples
from simulator.testing import ANA, SIGNING_KEY, Simulator, Start, eventually

pywa = pytest.importorskip("pywa")
from pywa import errors, handlers  # noqa: E402
from pywa.client import WhatsApp  # noqa: E402
from pywa.types.callback import Button, Section, SectionList, SectionRow  # noqa: E402
from pywa.types.templates import TemplateLanguage  # noqa: E402

PORTUGUESE = TemplateLanguage.PORTUGUESE_BR


class ToSimulator(httpx.HTTPTransport):
    """The client has Meta's address built in; only the last step goes elsewhere."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._address = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here = self._address
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)
        return super().handle_request(request)


@contextmanager
def client(url: str) -> Iterator[WhatsApp]:
    with httpx.Client(transport=ToSimulator(url)) as session:
        yield WhatsApp(
            phone_id="100000000000001",
            waba_id="100000000000002",
            token="simulated-access-token",
            session=session,
            server=None,
            verify_token="unused",
            app_secret=SIGNING_KEY.decode(),
        )


@pytest.fixture
async def whatsapp(simulator: Simulator) -> AsyncIterator[WhatsApp]:
    with client(simulator.url) as made:
        yield made


async def bubble(simulator: Simulator) -> dict[str, Any]:
    return (await simulator.transcript())[-1]


async def test_it_sends_text_as_a_quoted_answer(simulator: Simulator, whatsapp: WhatsApp) -> None:
    said = (await simulator.say(text="oi")).json()["id"]
    sent = await asyncio.to_thread(
        whatsapp.send_message, ANA, "Olá", reply_to_message_id=said, tracker="out-1"
    )
    assert sent.id.startswith("wamid.")
    assert sent.input == ANA
    assert (await bubble(simulator))["quote"] == said
    await eventually(lambda: simulator.gateway.statuses)
    assert simulator.gateway.statuses[0]["biz_opaque_callback_data"] == "out-1"


async def test_it_sends_buttons_and_lists(simulator: Simulator, whatsapp: WhatsApp) -> None:
    await simulator.say(text="oi")
    buttons = [Button(title="Sim", callback_data="yes")]
    await asyncio.to_thread(whatsapp.send_message, ANA, "Pronto?", buttons=buttons)
    assert (await bubble(simulator))["options"] == [{"id": "yes", "title": "Sim"}]
    row = SectionRow(title="Python", callback_data="py", description="3.11")
    menu = SectionList("Escolher", [Section(title="Trilhas", rows=[row])])
    await asyncio.to_thread(whatsapp.send_message, ANA, "Qual?", buttons=menu)
    shown = await bubble(simulator)
    assert (shown["menu"], shown["options"][0]["section"]) == ("Escolher", "Trilhas")


async def test_it_uploads_sends_and_downloads_media(
    simulator: Simulator, whatsapp: WhatsApp
) -> None:
    await simulator.say(text="oi")
    png = samples.png()
    await asyncio.to_thread(whatsapp.send_image, ANA, png, caption="Veja", mime_type="image/png")
    image = await bubble(simulator)
    assert (image["type"], image["text"]) == ("image", "Veja")
    url = await asyncio.to_thread(whatsapp.get_media_url, image["media"]["id"])
    assert (url.mime_type, url.sha256) == ("image/png", hashlib.sha256(png).hexdigest())
    assert await asyncio.to_thread(whatsapp.get_media_bytes, url=url.url) == png
    pdf = samples.sample("document")
    await asyncio.to_thread(
        whatsapp.send_document, ANA, pdf, filename="cv.pdf", mime_type="application/pdf"
    )
    assert (await bubble(simulator))["media"]["filename"] == "cv.pdf"


async def test_it_sends_a_template(simulator: Simulator, whatsapp: WhatsApp) -> None:
    sent = await asyncio.to_thread(whatsapp.send_template, ANA, "hello", PORTUGUESE, [])
    assert sent.id == (await bubble(simulator))["id"]
    assert (await bubble(simulator))["template"] == "hello"


async def test_it_marks_as_read_and_shows_typing(simulator: Simulator, whatsapp: WhatsApp) -> None:
    said = (await simulator.say(text="oi")).json()["id"]
    assert await asyncio.to_thread(whatsapp.mark_message_as_read, said)
    assert (await bubble(simulator))["status"] == "read"
    await asyncio.to_thread(whatsapp.indicate_typing, said)
    assert (await simulator.http.get("/control/phones")).json()[0]["typing_until"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (131047, errors.ReEngagementMessage),
        (131026, errors.MessageUndeliverable),
        (131056, errors.TooManyMessages),
        (130429, errors.RateLimitHit),
        (190, errors.ExpiredAccessToken),
        (132001, errors.TemplateNotExists),
        (132000, errors.TemplateParamCountMismatch),
        (132015, errors.TemplatePaused),
        (131048, errors.SpamRateLimitHit),
        (131031, errors.AccountLocked),
        (131042, errors.BusinessPaymentIssue),
        (368, errors.TemporarilyBlocked),
        (80007, errors.RateLimitIssues),
    ],
)
async def test_it_tells_errors_apart(
    simulator: Simulator, whatsapp: WhatsApp, code: int, expected: type[Exception]
) -> None:
    await simulator.arm(target="send", kind="error", code=code)
    with pytest.raises(expected) as raised:
        await asyncio.to_thread(whatsapp.send_message, ANA, "Olá")
    assert getattr(raised.value, "code", None) == code


async def test_it_sees_what_the_simulator_refuses_by_itself(
    start: Start,
) -> None:
    simulator = await start(simulator_window_errors="sync")
    with client(simulator.url) as whatsapp:
        with pytest.raises(errors.ReEngagementMessage):
            await asyncio.to_thread(whatsapp.send_message, ANA, "Olá")
        await simulator.say(text="oi")
        with pytest.raises(errors.InvalidParameter):
            await asyncio.to_thread(whatsapp.send_message, ANA, "x" * 4097)
        with pytest.raises(errors.WhatsAppError) as raised:
            await asyncio.to_thread(whatsapp.send_message, "nobody", "Olá")
        assert raised.value.code == 100


class Parsed:
    """What the client makes of the webhooks that the gateway got."""

    def __init__(self, whatsapp: WhatsApp) -> None:
        self.updates: list[Any] = []
        self._whatsapp = whatsapp
        for handler in (
            handlers.MessageHandler,
            handlers.CallbackButtonHandler,
            handlers.CallbackSelectionHandler,
            handlers.EditedMessageHandler,
            handlers.DeletedMessageHandler,
            handlers.MessageStatusHandler,
            handlers.PhoneNumberChangeHandler,
            handlers.UserMarketingPreferencesHandler,
            handlers.TemplateStatusUpdateHandler,
            handlers.TemplateQualityUpdateHandler,
            handlers.TemplateCategoryUpdateHandler,
            handlers.AccountUpdateHandler,
        ):
            whatsapp.add_handlers(handler(self._keep))

    def _keep(self, client: WhatsApp, update: Any) -> None:
        self.updates.append(update)

    def read(self, bodies: list[bytes]) -> list[Any]:
        for body in bodies:
            signature = hmac.new(SIGNING_KEY, body, hashlib.sha256).hexdigest()
            refused = self._whatsapp.webhook_update_validator(body, f"sha256={signature}")
            assert refused is None
            self._whatsapp.webhook_update_handler(body)
        assert len(self.updates) == len(bodies)
        return self.updates


MEDIA = ["image", "video", "audio", "document", "sticker"]


@pytest.mark.parametrize(
    "kind", ["text", *MEDIA, "location", "contacts", "order", "reaction", "unsupported"]
)
async def test_it_reads_every_kind_of_message(
    simulator: Simulator, whatsapp: WhatsApp, kind: str
) -> None:
    await simulator.say(text="oi")
    await simulator.send_text()
    await eventually(lambda: len(simulator.gateway.statuses) == 3)
    seen = len(simulator.gateway.bodies)
    await simulator.say(type=kind, text="Olá", name="Ana")
    await eventually(lambda: len(simulator.gateway.bodies) == seen + 1)
    (message,) = Parsed(whatsapp).read(simulator.gateway.bodies[seen:])
    assert (message.type, message.from_user.wa_id) == (kind, ANA)
    assert message.from_user.name == "Ana"
    assert getattr(message, kind, True) is not None


async def test_it_reads_taps(simulator: Simulator, whatsapp: WhatsApp) -> None:
    await simulator.say(text="oi")
    await eventually(lambda: simulator.gateway.bodies)
    parsed = Parsed(whatsapp)
    buttons = [Button(title="Sim", callback_data="yes")]
    await asyncio.to_thread(whatsapp.send_message, ANA, "Pronto?", buttons=buttons)
    await simulator.say(reply="Sim")
    row = SectionRow(title="Python", callback_data="py")
    menu = SectionList("Escolher", [Section(title="Trilhas", rows=[row])])
    await asyncio.to_thread(whatsapp.send_message, ANA, "Qual?", buttons=menu)
    await simulator.say(reply="Python")
    await eventually(lambda: len(simulator.gateway.messages) == 3)
    taps = [body for body in simulator.gateway.bodies if b"interactive" in body]
    assert [tap.data for tap in parsed.read(taps)] == ["yes", "py"]


async def test_it_reads_edits_and_revocations(simulator: Simulator, whatsapp: WhatsApp) -> None:
    first = (await simulator.say(text="um")).json()["id"]
    await simulator.say(type="edit", text="dois")
    await simulator.say(type="revoke")
    await eventually(lambda: len(simulator.gateway.bodies) == 3)
    _, edited, deleted = Parsed(whatsapp).read(simulator.gateway.bodies)
    assert (edited.original_message_id, edited.message.text) == (first, "dois")
    assert deleted.original_message_id == first


async def test_it_reads_statuses(simulator: Simulator, whatsapp: WhatsApp) -> None:
    await simulator.say(text="oi")
    await simulator.send_text()
    await simulator.arm(target="send", kind="failed_status", code=131026)
    await eventually(lambda: len(simulator.gateway.statuses) == 3)
    await simulator.send_text()
    await eventually(lambda: len(simulator.gateway.statuses) == 4)
    bodies = [body for body in simulator.gateway.bodies if b"statuses" in body]
    updates = Parsed(whatsapp).read(bodies)
    assert [update.status for update in updates] == ["sent", "delivered", "read", "failed"]
    assert isinstance(updates[3].error, errors.MessageUndeliverable)
    assert updates[0].from_user.wa_id == ANA


async def test_it_reads_news(simulator: Simulator, whatsapp: WhatsApp) -> None:
    await simulator.say(text="oi")
    person = f"/control/phones/{ANA}"
    await simulator.http.post(f"{person}/marketing", json={"wanted": False})
    await simulator.http.post(f"{person}/number", json={"number": "5511911112222"})
    create = {
        "name": "hello",
        "language": "pt_BR",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Olá"}],
    }
    await asyncio.to_thread(
        whatsapp.api._request, "POST", "/100000000000002/message_templates", json=create
    )
    for decision in ({"quality": "RED"}, {"category": "MARKETING"}, {"event": "PAUSED"}):
        await simulator.http.post("/control/templates/hello", json=decision)
    await simulator.http.post("/control/account", json={"event": "ACCOUNT_VIOLATION"})
    await eventually(lambda: len(simulator.gateway.bodies) == 8)
    names = sorted(type(u).__name__ for u in Parsed(whatsapp).read(simulator.gateway.bodies))
    assert names == [
        "AccountUpdate",
        "Message",
        "PhoneNumberChange",
        "TemplateCategoryUpdate",
        "TemplateQualityUpdate",
        "TemplateStatusUpdate",
        "TemplateStatusUpdate",
        "UserMarketingPreferences",
    ]


async def test_it_lists_templates(simulator: Simulator, whatsapp: WhatsApp) -> None:
    create = {
        "name": "hello",
        "language": "pt_BR",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Olá"}],
    }
    edge = "/100000000000002/message_templates"
    await asyncio.to_thread(whatsapp.api._request, "POST", edge, json=create)
    listed = await asyncio.to_thread(lambda: list(whatsapp.get_templates()))
    assert [(t.name, t.status, t.language) for t in listed] == [("hello", "APPROVED", "pt_BR")]
