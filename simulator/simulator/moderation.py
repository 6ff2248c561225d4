"""What Meta does with a template after it was handed in."""

from datetime import timedelta

from simulator import notices
from simulator.agenda import Agenda
from simulator.clock import Clock
from simulator.delivery import Update, WebhookDelivery
from simulator.notices import TemplateEvent, about
from simulator.template_records import Category, Quality, TemplateRecord, TemplateStatus
from simulator.templates import TemplateBook
from simulator.wire import Wire

LANE = "templates"
_STATUS_AFTER: dict[TemplateEvent, TemplateStatus] = {
    "REINSTATED": TemplateStatus.APPROVED,
    "UNARCHIVED": TemplateStatus.APPROVED,
    # Flagged for low quality, but still sendable.
    "FLAGGED": TemplateStatus.APPROVED,
}


class Moderation:
    """Without a review time, only `decide` ends a review."""

    def __init__(
        self,
        book: TemplateBook,
        clock: Clock,
        agenda: Agenda,
        delivery: WebhookDelivery,
        *,
        review_time: timedelta | None,
    ) -> None:
        self._book = book
        self._clock = clock
        self._agenda = agenda
        self._delivery = delivery
        self._review_time = review_time

    def submit(self, record: TemplateRecord) -> TemplateRecord:
        pending = record.model_copy(update={"status": TemplateStatus.PENDING, "reason": "NONE"})
        self._book.put(pending)
        if self._review_time == timedelta():
            return self.decide(pending, "APPROVED")
        if self._review_time is not None:
            due = self._clock.now() + self._review_time
            self._agenda.at(due, lambda: self._end_review(pending.id))
        return pending

    def _end_review(self, template_id: str) -> None:
        record = self._book.find_by_id(template_id)
        if record and record.status is TemplateStatus.PENDING:
            self.decide(record, "APPROVED")

    def decide(
        self, record: TemplateRecord, event: TemplateEvent, reason: str = "NONE"
    ) -> TemplateRecord:
        status = _STATUS_AFTER.get(event) or TemplateStatus(event)
        decided = record.model_copy(update={"status": status, "reason": reason})
        self._book.put(decided)
        if status is TemplateStatus.DELETED:
            self._book.remove(decided)
        value = notices.TemplateStatusUpdate(
            **about(decided),  # type: ignore[arg-type]
            event=event,
            reason=reason,
            message_template_category=decided.category,
        )
        self._tell("message_template_status_update", value)
        return decided

    def rate(self, record: TemplateRecord, quality: Quality) -> TemplateRecord:
        changes = {"quality": quality, "rated_at": self._clock.now()}
        rated = record.model_copy(update=changes)
        self._book.put(rated)
        value = notices.TemplateQualityUpdate(
            **about(rated),  # type: ignore[arg-type]
            previous_quality_score=record.quality,
            new_quality_score=quality,
        )
        self._tell("message_template_quality_update", value)
        return rated

    def move(self, record: TemplateRecord, category: Category) -> TemplateRecord:
        moved = record.model_copy(update={"category": category})
        self._book.put(moved)
        value = notices.TemplateCategoryUpdate(
            **about(moved),  # type: ignore[arg-type]
            previous_category=record.category,
            new_category=category,
        )
        self._tell("template_category_update", value)
        return moved

    def _tell(self, field: str, value: Wire) -> None:
        self._delivery.enqueue(Update(value, LANE, field=field))
