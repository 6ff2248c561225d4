"""The account's templates, as a business lists, creates, edits and deletes them."""

import base64
import binascii
import json
from datetime import timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import URL, QueryParams

from simulator.clock import Clock
from simulator.cloud_errors import CloudError, UnknownObject
from simulator.moderation import Moderation
from simulator.template_records import (
    PLACEHOLDER,
    Category,
    TemplateRecord,
    TemplateStatus,
    Translation,
)
from simulator.templates import TemplateBook

Parsed = TypeVar("Parsed", bound=BaseModel)

PAGE = 25
TEMPLATES_ALLOWED = 250
ALREADY_EXISTS = 2388024
EDITABLE = {TemplateStatus.APPROVED, TemplateStatus.REJECTED, TemplateStatus.PAUSED}
_MONTH, _DAY = timedelta(days=30), timedelta(days=1)
_EDITS_A_MONTH = 10


class NewButton(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: Annotated[str, Field(min_length=1, max_length=25)]


class NewComponent(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    text: Annotated[str, Field(max_length=1024)] | None = None
    example: object = None
    buttons: Annotated[tuple[NewButton, ...], Field(max_length=10)] = ()


class Edit(BaseModel):
    model_config = ConfigDict(frozen=True)

    category: Category | None = None
    components: tuple[NewComponent, ...] = ()

    def text_of(self, kind: str) -> str | None:
        return next((c.text for c in self.components if c.type.upper() == kind), None)

    def translation(self) -> Translation:
        body = self.text_of("BODY")
        if not body:
            raise CloudError(100, "components: a BODY with text is required")
        if PLACEHOLDER.fullmatch(body.strip()) or "{{" in PLACEHOLDER.sub("", body):
            raise CloudError(100, "components: a placeholder stands alone or is not closed")
        buttons = tuple(button.text for c in self.components for button in c.buttons)
        return Translation(
            body=body,
            header=self.text_of("HEADER"),
            footer=self.text_of("FOOTER"),
            buttons=buttons,
        )


class NewTemplate(Edit):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
    category: Category


class TemplateApi:
    def __init__(self, book: TemplateBook, moderation: Moderation, clock: Clock) -> None:
        self._book = book
        self._moderation = moderation
        self._clock = clock

    def has(self, template_id: str) -> bool:
        return self._book.find_by_id(template_id) is not None

    def list(self, query: QueryParams, url: URL) -> bytes:
        found = [record for record in self._book.all() if _fits(record, query)]
        start = _position(query.get("after"))
        size = _page_size(query.get("limit"))
        end = min(start + size, len(found))
        paging: dict[str, object] = {}
        if found[start:end]:
            paging["cursors"] = {"before": _cursor(start), "after": _cursor(end)}
        if end < len(found):
            paging["next"] = str(url.include_query_params(after=_cursor(end)))
        rows = [_row(record) for record in found[start:end]]
        answer: dict[str, object] = {"data": rows, "paging": paging}
        if "summary" in query:
            answer["summary"] = _summary(len(self._book.all()), len(found))
        return json.dumps(answer).encode()

    def show(self, template_id: str) -> bytes:
        return json.dumps(_row(self._get(template_id))).encode()

    def create(self, body: bytes) -> bytes:
        new = _parse(NewTemplate, body)
        record = TemplateRecord(
            name=new.name,
            language=new.language,
            category=new.category,
            translation=new.translation(),
        )
        if self._book.find_by_id(record.id):
            raise CloudError(100, "Content in this language already exists", subcode=ALREADY_EXISTS)
        record = self._moderation.submit(record)
        answer = {"id": record.id, "status": record.status, "category": record.category}
        return json.dumps(answer).encode()

    def edit(self, template_id: str, body: bytes) -> bytes:
        record = self._get(template_id)
        edit = _parse(Edit, body)
        now = self._clock.now()
        self._check_editable(record)
        edited = record.model_copy(
            update={
                "category": edit.category or record.category,
                "translation": edit.translation() if edit.components else record.translation,
                "edited_at": (*record.edited_at, now),
            }
        )
        self._moderation.submit(edited)
        return json.dumps({"success": True, "id": template_id}).encode()

    def _check_editable(self, record: TemplateRecord) -> None:
        if record.status not in EDITABLE:
            raise CloudError(100, f"a template that is {record.status.lower()} cannot be edited")
        if record.status is not TemplateStatus.APPROVED:
            return
        now = self._clock.now()
        ages = [now - edited_at for edited_at in record.edited_at]
        is_second_today = any(age < _DAY for age in ages)
        if is_second_today or sum(age < _MONTH for age in ages) >= _EDITS_A_MONTH:
            raise CloudError(
                100, "an approved template is edited once in 24 hours, ten times in 30 days"
            )

    def delete(self, query: QueryParams) -> bytes:
        name, template_id = query.get("name", ""), query.get("hsm_id")
        found = [r for r in self._book.find_by_name(name) if template_id in {None, r.id}]
        if not found:
            raise CloudError(100, "no template has this name")
        for record in found:
            self._moderation.decide(record, "DELETED")
        return b'{"success":true}'

    def _get(self, template_id: str) -> TemplateRecord:
        record = self._book.find_by_id(template_id)
        if record is None:
            raise UnknownObject(template_id)
        return record


def _parse(model: type[Parsed], body: bytes) -> Parsed:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise CloudError(100, str(error.errors()[0]["msg"])) from error


def _fits(record: TemplateRecord, query: QueryParams) -> bool:
    exact = {
        "language": record.language,
        "status": record.status.value,
        "category": record.category,
        "parameter_format": "NAMED" if record.translation.is_named else "POSITIONAL",
        "quality_score": record.quality,
    }
    return query.get("name", "") in record.name and all(
        query.get(key, value).upper() == value.upper() for key, value in exact.items()
    )


def _summary(count: int, total_count: int) -> dict[str, object]:
    return {
        "total_count": total_count,
        "message_template_count": count,
        "message_template_limit": TEMPLATES_ALLOWED,
        "are_translations_complete": True,
    }


def _page_size(limit: str | None) -> int:
    return int(limit) if limit and limit.isdigit() and int(limit) > 0 else PAGE


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor or "MA=="))
    except (binascii.Error, ValueError) as error:
        raise CloudError(100, "after is not a cursor of this list") from error


def _row(record: TemplateRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "name": record.name,
        "language": record.language,
        "status": record.status,
        "category": record.category,
        "parameter_format": "NAMED" if record.translation.is_named else "POSITIONAL",
        "quality_score": {
            "score": record.quality,
            "date": int(record.rated_at.timestamp()) if record.rated_at else 0,
        },
        "rejected_reason": record.reason if record.status is TemplateStatus.REJECTED else "NONE",
        "components": _components(record.translation),
    }


def _components(translation: Translation) -> list[dict[str, object]]:
    texts = {
        "HEADER": translation.header,
        "BODY": translation.body,
        "FOOTER": translation.footer,
    }
    components: list[dict[str, object]] = [
        {"type": kind, "text": text} for kind, text in texts.items() if text
    ]
    if translation.header:
        components[0]["format"] = "TEXT"
    if translation.buttons:
        buttons = [{"type": "QUICK_REPLY", "text": title} for title in translation.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    return components
