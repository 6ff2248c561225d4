"""Our own account with Meta: how it stands, its templates, and the shapes of its payloads."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from simulator.notices import AnyValue, TemplateEvent
from simulator.quirks import Quirks
from simulator.stage import Stage
from simulator.standing import NumberQuality, StandingView
from simulator.template_records import Category, Quality, TemplateRecord, TemplateStatus


class StandingChange(BaseModel):
    """What is left out stays. `event` is announced as an account_update."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: int | None = None
    quality: NumberQuality | None = None
    tier: int | None = Field(default=None, ge=1)
    event: str | None = None


class TemplateDecision(BaseModel):
    """An `event` of moderation, a new `quality` or another `category`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: TemplateEvent | None = None
    reason: str = "NONE"
    quality: Quality | None = None
    category: Category | None = None

    @model_validator(mode="after")
    def decides_something(self) -> "TemplateDecision":
        if not (self.event or self.quality or self.category):
            raise ValueError("give event, quality or category")
        return self


class TemplateView(BaseModel):
    id: str
    name: str
    language: str
    category: Category
    status: TemplateStatus
    quality: Quality
    reason: str


class Notice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    value: dict[str, JsonValue]


def routes(stage: Stage) -> APIRouter:
    router = APIRouter()
    _add_standing(router, stage)
    _add_templates(router, stage)
    _add_payloads(router, stage)
    return router


def _add_standing(router: APIRouter, stage: Stage) -> None:
    @router.get("/account")
    async def read_account() -> StandingView:
        return stage.business.standing.view

    @router.post("/account")
    async def change_account(change: StandingChange) -> StandingView:
        """`problem` is the code that refuses calls until it is null again."""
        given = change.model_dump(include=change.model_fields_set - {"event"})
        view = stage.business.standing.view.model_copy(update=given)
        stage.business.happenings.stand(view, change.event)
        return view


def _add_templates(router: APIRouter, stage: Stage) -> None:
    @router.get("/templates")
    async def list_templates() -> list[TemplateView]:
        return [_view(record) for record in stage.business.templates.all()]

    @router.post("/templates/{template}")
    async def decide(
        template: str, decision: TemplateDecision, language: str | None = None
    ) -> list[TemplateView]:
        """By id or by name; by name in every language, unless one is given."""
        book = stage.business.templates
        one = book.find_by_id(template)
        named = [r for r in book.find_by_name(template) if language in {None, r.language}]
        found = [one] if one else named
        if not found:
            raise HTTPException(404, f"there is no template {template}")
        return [_view(_decided(stage, record, decision)) for record in found]


def _decided(stage: Stage, record: TemplateRecord, decision: TemplateDecision) -> TemplateRecord:
    moderation = stage.business.moderation
    if decision.category:
        record = moderation.move(record, decision.category)
    if decision.quality:
        record = moderation.rate(record, decision.quality)
    if decision.event:
        record = moderation.decide(record, decision.event, decision.reason)
    return record


def _view(record: TemplateRecord) -> TemplateView:
    return TemplateView(
        id=record.id,
        name=record.name,
        language=record.language,
        category=record.category,
        status=record.status,
        quality=record.quality,
        reason=record.reason,
    )


def _add_payloads(router: APIRouter, stage: Stage) -> None:
    @router.get("/quirks")
    async def read_quirks() -> Quirks:
        return stage.business.account.quirks

    @router.put("/quirks")
    async def change_quirks(quirks: Quirks) -> Quirks:
        """In what Meta's payloads differ; what is left out goes back to the usual."""
        stage.business.account.quirks = quirks
        return quirks

    @router.post("/notices", status_code=202)
    async def announce(notice: Notice) -> None:
        """Any webhook at all, signed and delivered as all others."""
        stage.business.happenings.announce(notice.field, AnyValue(content=notice.value))
