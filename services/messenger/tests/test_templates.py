"""Our templates beside the account's, and which wording may be sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from messenger import catalogue
from messenger.settings import TemplateSettings
from messenger.templates import command as templates
from messenger.templates.account import TemplateAccount, components_of
from messenger.templates.states import TemplateStates, status_of

from .conftest import CONTENT
from .fake_meta import FakeTemplates, Translation

OURS = catalogue.load(CONTENT).templates
READY = "sabatina_daily_ready"
SIGNUP = "sabatina_confirm_signup"


@pytest.fixture
async def meta() -> AsyncIterator[FakeTemplates]:
    async with FakeTemplates().serving() as fake:
        yield fake


@pytest.fixture
def configured(meta: FakeTemplates, monkeypatch: pytest.MonkeyPatch) -> TemplateSettings:
    monkeypatch.setenv("SABATINA_WHATSAPP_API_URL", meta.url)
    monkeypatch.setenv("SABATINA_WHATSAPP_BUSINESS_ACCOUNT_ID", "42")
    monkeypatch.setenv("SABATINA_WHATSAPP_ACCESS_TOKEN", "a-token")
    monkeypatch.setenv("SABATINA_CONTENT", str(CONTENT))
    return TemplateSettings()


def approve_all(meta: FakeTemplates) -> None:
    for name, template in OURS.items():
        for language, wording in template.languages.items():
            meta.known[name, language] = Translation(
                str(1000 + len(meta.known)),
                name,
                language,
                "APPROVED",
                template.category,
                components_of(wording),
            )


def line_of(output: str, name: str, language: str) -> str:
    return next(line for line in output.splitlines() if line.split()[:2] == [name, language])


async def test_an_empty_account_lacks_every_wording(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await templates.run("status", configured) == 1
    shown = capsys.readouterr().out
    assert shown.count("missing") == 6
    assert not meta.known


async def test_a_push_creates_what_is_missing_and_a_second_one_changes_nothing(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await templates.run("push", configured) == 0
    assert len(meta.known) == 6
    assert meta.lists == 4  # none before, three pages after
    before = {key: one.components for key, one in meta.known.items()}
    assert await templates.run("push", configured) == 0
    assert {key: one.components for key, one in meta.known.items()} == before
    assert "approved" in capsys.readouterr().out


async def test_what_waits_for_review_is_not_yet_approved(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    meta.verdict = "PENDING"
    assert await templates.run("push", configured) == 1
    assert capsys.readouterr().out.count("pending") == 6


async def test_every_page_of_the_account_is_read(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    approve_all(meta)
    assert await templates.run("status", configured) == 0
    assert meta.lists == 3


async def test_other_words_are_told_and_pushed_once_a_day(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    approve_all(meta)
    changed = meta.known[READY, "pt_BR"]
    right = changed.components
    changed.components = [{"type": "BODY", "text": "Compre agora!"}, *right[1:]]
    assert await templates.run("status", configured) == 1
    assert "other words in: body" in line_of(capsys.readouterr().out, READY, "pt_BR")
    assert await templates.run("push", configured) == 1  # under review again
    assert changed.components == right
    assert "pending" in line_of(capsys.readouterr().out, READY, "pt_BR")
    changed.status, changed.components = "APPROVED", []
    assert await templates.run("push", configured) == 1
    assert "only be edited once in 24 hours" in line_of(capsys.readouterr().out, READY, "pt_BR")


async def test_a_template_under_review_is_not_edited(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    approve_all(meta)
    meta.known[READY, "en"].status = "PENDING"
    meta.known[READY, "en"].components = []
    assert await templates.run("push", configured) == 1
    assert meta.known[READY, "en"].edits == 0
    assert "push again later" in line_of(capsys.readouterr().out, READY, "en")


async def test_trouble_is_shown_with_its_reason(
    meta: FakeTemplates, configured: TemplateSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    approve_all(meta)
    meta.known[SIGNUP, "es"].status = "REJECTED"
    meta.known[SIGNUP, "es"].rejected_reason = "INVALID_FORMAT"
    meta.known[READY, "es"].status = "PAUSED"
    meta.known[READY, "es"].quality = "RED"
    meta.known[READY, "en"].category = "MARKETING"
    old = Translation("9", "sabatina_old", "en", "APPROVED", "UTILITY", [])
    meta.known["sabatina_old", "en"] = old
    meta.known["somebody_elses", "en"] = Translation("8", "somebody_elses", "en", "X", "X", [])
    assert await templates.run("status", configured) == 1
    shown = capsys.readouterr().out
    assert "reason: INVALID_FORMAT" in line_of(shown, SIGNUP, "es")
    assert line_of(shown, READY, "es").split()[2:5] == ["paused", "UTILITY", "RED"]
    assert "MARKETING (ours: UTILITY)" in line_of(shown, READY, "en")
    assert "left over" in line_of(shown, "sabatina_old", "en")
    assert "somebody_elses" not in shown


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (web.json_response({"error": {"code": 190, "message": "expired"}}, status=401), "190"),
        (web.Response(status=502, text="<html>"), "HTTP 502"),
        (web.Response(text="not json"), "not Meta's"),
    ],
)
async def test_an_api_that_refuses_is_one_clear_line(
    meta: FakeTemplates, configured: TemplateSettings, answer: web.Response, told: str
) -> None:
    meta.broken = answer
    account = TemplateAccount(meta.url, "42", "a-token")
    with pytest.raises(Exception, match=told):
        await account.list()
    await account.close()


def test_the_command_wants_an_action_and_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert templates.main(["sing"]) == 2
    monkeypatch.delenv("SABATINA_WHATSAPP_BUSINESS_ACCOUNT_ID", raising=False)
    assert templates.main(["status"]) == 2
    assert "SABATINA_WHATSAPP_BUSINESS_ACCOUNT_ID" in capsys.readouterr().err


def test_every_placeholder_has_an_example_for_the_reviewer() -> None:
    for template in OURS.values():
        for wording in template.languages.values():
            assert wording.body.count("{{") == len(wording.examples)


@pytest.mark.parametrize(
    ("statuses", "own", "is_fallback", "chosen"),
    [
        ({}, "pt_BR", False, "pt_BR"),
        ({"pt_BR": "SOMETHING_NEW"}, "pt_BR", False, "pt_BR"),
        ({"pt_BR": "FLAGGED"}, "pt_BR", False, "pt_BR"),
        ({"pt_BR": "PAUSED"}, "pt_BR", False, "en"),
        ({"pt_BR": "REJECTED", "es": "APPROVED"}, "pt_BR", False, "es"),
        ({"es": "MISSING", "en": "APPROVED", "pt_BR": "APPROVED"}, "es", False, "pt_BR"),
        ({"pt_BR": "APPROVED"}, "pt_BR", True, "en"),
        ({"en": "DISABLED", "es": "DISABLED"}, "pt_BR", True, None),
        ({"en": "DISABLED", "es": "PENDING", "pt_BR": "PAUSED"}, "es", False, None),
    ],
)
def test_an_approved_language_is_preferred_and_an_unknown_one_is_tried(
    statuses: dict[str, str], own: str, is_fallback: bool, chosen: str | None
) -> None:
    states = TemplateStates({("t", language): status for language, status in statuses.items()})
    assert states.language_for("t", own, is_fallback=is_fallback) == chosen


def test_a_template_that_is_back_counts_as_approved() -> None:
    assert status_of("reinstated") == status_of("UNARCHIVED") == "APPROVED"
