"""What WhatsApp tells of templates and the account, and what follows for the queue."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from opentelemetry import trace
from prometheus_client import REGISTRY

from common.bus.consumer import Delivery
from common.events import NoticeReceived
from messenger import catalogue
from messenger.notices import Notices
from messenger.rendering import Renderer
from messenger.templates.account import TemplateAccount, components_of
from messenger.templates.watch import TemplateWatch

from .conftest import CONSTANTS, CONTENT, NUMBER, QUESTION, START, Rig
from .fake_meta import FakeTemplates, Translation

OURS = catalogue.load(CONTENT).templates
READY = "sabatina_daily_ready"
LANGUAGES = ("pt_BR", "en", "es")


def notice(field: str, **value: object) -> NoticeReceived:
    original = json.dumps({"field": field, "value": value})
    return NoticeReceived(occurred_at=START, channel="cloud", field=field, original=original)


def status(event: str, language: str = "pt_BR", **more: object) -> NoticeReceived:
    return notice(
        "message_template_status_update",
        event=event,
        message_template_id=7,
        message_template_name=READY,
        message_template_language=language,
        **more,
    )


async def known(rig: Rig) -> dict[str, str]:
    rows = await rig.rows("SELECT language, status FROM messenger.templates")
    return {row.language: row.status for row in rows}


async def tell(rig: Rig, *notices: NoticeReceived) -> None:
    """A minute later each time, as the gateway stamps them."""
    for one in notices:
        rig.clock.advance(timedelta(minutes=1))
        told = one.model_copy(update={"occurred_at": rig.clock.now(), "message_id": uuid4()})
        async with rig.database.transaction() as transaction:
            await Notices(NUMBER).take(told, transaction, rig.clock.now())
    rig.dispatcher.wake()


@pytest.fixture
async def meta() -> AsyncIterator[FakeTemplates]:
    async with FakeTemplates().serving() as fake:
        yield fake


@pytest.fixture
async def watch(rig: Rig, meta: FakeTemplates) -> AsyncIterator[TemplateWatch]:
    account = TemplateAccount(meta.url, "42", "a-token")
    yield TemplateWatch(rig.database, rig.clock, NUMBER, OURS, account)
    await account.close()


async def test_the_news_of_a_template_is_kept(rig: Rig) -> None:
    await tell(
        rig,
        status("APPROVED", reason="NONE", message_template_category="UTILITY"),
        notice(
            "message_template_quality_update",
            new_quality_score="yellow",
            previous_quality_score="GREEN",
            message_template_name=READY,
            message_template_language="pt_BR",
        ),
        notice(
            "template_category_update",
            new_category="MARKETING",
            message_template_name=READY,
            message_template_language="pt_BR",
        ),
    )
    [row] = await rig.rows("SELECT * FROM messenger.templates")
    assert (row.status, row.category, row.quality) == ("APPROVED", "MARKETING", "YELLOW")
    await tell(
        rig, status("REJECTED", reason="SCAM", rejection_info={"reason": "Looks like a scam"})
    )
    [row] = await rig.rows("SELECT * FROM messenger.templates")
    assert (row.status, row.reason) == ("REJECTED", "SCAM: Looks like a scam")
    assert len(await rig.rows("SELECT 1 FROM messenger.notices")) == 4


async def test_older_news_does_not_undo_newer(rig: Rig) -> None:
    await tell(rig, status("APPROVED"))
    late = status("PAUSED").model_copy(update={"occurred_at": START - timedelta(hours=1)})
    async with rig.database.transaction() as transaction:
        await Notices(NUMBER).take(late, transaction, rig.clock.now())
    assert await known(rig) == {"pt_BR": "APPROVED"}


@pytest.mark.parametrize(
    "original",
    ["{", "[]", '{"value": 7}', '{"value": {"event": 9}}', '{"value": {"event": "APPROVED"}}'],
)
@pytest.mark.parametrize("field", ["message_template_status_update", "account_update"])
async def test_a_notice_that_cannot_be_read_is_kept_all_the_same(
    rig: Rig, field: str, original: str
) -> None:
    odd = NoticeReceived(occurred_at=START, channel="cloud", field=field, original=original)
    await tell(rig, odd)
    [row] = await rig.rows("SELECT field, original FROM messenger.notices")
    assert (row.field, row.original) == (field, original)
    assert await known(rig) == {}


def counted(field: str) -> float:
    return REGISTRY.get_sample_value("sabatina_whatsapp_notices_total", {"field": field}) or 0.0


async def test_notices_are_counted_by_the_fields_that_we_know(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {field: counted(field) for field in ("account_update", "other")}
    await tell(
        rig,
        notice("account_update", event="ACCOUNT_RESTRICTION", phone_number="5511999990000"),
        notice("account_update", event="5511999990000"),
        notice("something_new", secret="5511999990000"),
    )
    assert counted("account_update") == before["account_update"] + 2
    assert counted("other") == before["other"] + 1
    assert "5511999990000" not in capsys.readouterr().out
    assert "something_new" not in str(list(REGISTRY.collect()))


async def test_a_channel_may_have_notices_of_its_own(rig: Rig) -> None:
    heard: list[str] = []

    async def hear(told: NoticeReceived, *_: object) -> None:
        heard.append(told.original)

    notices = Notices(NUMBER, {"session.status": hear})
    told = NoticeReceived(occurred_at=START, channel="waha", field="session.status", original="{}")
    async with rig.database.transaction() as transaction:
        await notices.take(told, transaction, START)
    assert heard == ["{}"]


async def test_a_template_that_is_paused_in_every_language_waits_until_it_is_back(
    rig: Rig, user: UUID
) -> None:
    await rig.know(user, wrote=False)
    await tell(rig, *(status("PAUSED", language) for language in LANGUAGES))
    question = rig.question(user)
    await rig.handle(question)
    async with rig.dispatching():
        row = await rig.row(question)
        for _ in range(100):
            row = await rig.row(question)
            if row.held_for:
                break
            await rig.pass_time(timedelta(seconds=1))
        assert (row.state, row.held_for) == ("queued", f"template:{READY}")
        assert rig.whatsapp.sent == []
        await tell(rig, status("REINSTATED", "en"))
        await rig.pass_time(timedelta(seconds=1))
        await rig.becomes(question, "accepted", within=15)
    assert len(rig.whatsapp.sent) == 1


async def test_one_paused_language_holds_nothing_back(rig: Rig, user: UUID) -> None:
    await rig.know(user, wrote=False)
    await tell(rig, status("PAUSED"))
    assert await rig.rows("SELECT 1 FROM messenger.pauses") == []


async def test_what_meta_says_at_the_start_is_known_to_the_renderer(
    rig: Rig, watch: TemplateWatch, meta: FakeTemplates
) -> None:
    for language, state in zip(LANGUAGES, ("REJECTED", "APPROVED", "APPROVED"), strict=True):
        wording = OURS[READY].languages[language]
        meta.known[READY, language] = Translation(
            language, READY, language, state, "UTILITY", components_of(wording)
        )
    assert await watch.ask()
    rows = await rig.rows("SELECT name, language, status FROM messenger.templates")
    assert {row.status for row in rows if row.name != READY} == {"MISSING"}
    assert await known(rig) | {"pt_BR": "REJECTED"} == await known(rig)
    renderer = Renderer(rig.renderer.catalogue, CONSTANTS, watch.current)
    content = renderer.render("daily_ready", "pt", QUESTION)
    assert getattr(content, "language", "") == "en"


async def test_another_account_or_a_broken_api_holds_nothing_back(
    rig: Rig, watch: TemplateWatch, meta: FakeTemplates
) -> None:
    assert not await watch.ask()
    meta.known["other", "en"] = Translation("1", "other", "en", "APPROVED", "UTILITY", [])
    assert not await watch.ask()
    assert await rig.rows("SELECT 1 FROM messenger.templates") == []


async def test_the_handlers_pass_notices_on(rig: Rig) -> None:
    delivery = Delivery(status("PAUSED"), cast("Any", None), trace.INVALID_SPAN)
    async with rig.database.transaction() as transaction:
        await rig.handlers.follow_deliveries([delivery], transaction)
    assert await known(rig) == {"pt_BR": "PAUSED"}
