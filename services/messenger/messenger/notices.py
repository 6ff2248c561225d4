"""What WhatsApp tells besides messages and statuses. All of it is kept; some of it has effects."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.database import Transaction
from common.events import NoticeReceived
from messenger import metrics
from messenger.limits.news import follow_limits
from messenger.store import Store
from messenger.templates.records import TemplateNews, TemplateRecords
from messenger.templates.states import status_of

log = structlog.get_logger()

NoticeHandler = Callable[[NoticeReceived, Transaction, datetime], Awaitable[None]]
"""Raises ValidationError for a notice that has another form than it should."""


class Parsed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", str_max_length=2000)


class _TemplateName(Parsed):
    name: str = Field(alias="message_template_name")
    language: str = Field(alias="message_template_language")


class RejectionInfo(Parsed):
    reason: str | None = None


class StatusUpdate(_TemplateName):
    event: str
    reason: str | None = None
    category: str | None = Field(default=None, alias="message_template_category")
    rejection_info: RejectionInfo | None = None

    @property
    def news(self) -> TemplateNews:
        told = self.rejection_info.reason if self.rejection_info else None
        word = None if self.reason in (None, "", "NONE") else self.reason
        return TemplateNews(
            self.name,
            self.language,
            status=status_of(self.event),
            category=self.category,
            reason=": ".join(part for part in (word, told) if part) or None,
        )


class QualityUpdate(_TemplateName):
    quality: str = Field(alias="new_quality_score")

    @property
    def news(self) -> TemplateNews:
        return TemplateNews(self.name, self.language, quality=self.quality.upper())


class CategoryUpdate(_TemplateName):
    category: str = Field(alias="new_category")

    @property
    def news(self) -> TemplateNews:
        return TemplateNews(self.name, self.language, category=self.category.upper())


class AccountNews(Parsed):
    """Of an account or a number; its words only, never its numbers or names."""

    event: str | None = None


class _StatusChange(Parsed):
    value: StatusUpdate


class _QualityChange(Parsed):
    value: QualityUpdate


class _CategoryChange(Parsed):
    value: CategoryUpdate


class _AccountChange(Parsed):
    value: AccountNews


class TemplateNotices:
    def __init__(self, number_id: str, changed: Callable[[], None]) -> None:
        self._number_id = number_id
        self._changed = changed

    async def follow_status(
        self, notice: NoticeReceived, transaction: Transaction, now: datetime
    ) -> None:
        update = _StatusChange.model_validate_json(notice.original).value
        log.info("template_status", template=update.name, language=update.language)
        await self._record(update.news, notice, transaction, now)

    async def follow_quality(
        self, notice: NoticeReceived, transaction: Transaction, now: datetime
    ) -> None:
        update = _QualityChange.model_validate_json(notice.original).value
        await self._record(update.news, notice, transaction, now)

    async def follow_category(
        self, notice: NoticeReceived, transaction: Transaction, now: datetime
    ) -> None:
        """A utility template that becomes marketing is limited and priced as such."""
        update = _CategoryChange.model_validate_json(notice.original).value
        log.warning("template_category", template=update.name, language=update.language)
        await self._record(update.news, notice, transaction, now)

    async def _record(
        self,
        news: TemplateNews,
        notice: NoticeReceived,
        transaction: Transaction,
        now: datetime,
    ) -> None:
        records = TemplateRecords(transaction, self._number_id, now)
        await records.adopt([news], min(notice.occurred_at, now))
        if news.is_return:
            await records.let_go(news.name)
        transaction.after_commit(self._changed)


async def tell_account_news(
    notice: NoticeReceived, transaction: Transaction, now: datetime
) -> None:
    news = _AccountChange.model_validate_json(notice.original).value
    event = news.event if news.event in ACCOUNT_EVENTS else "other"
    log.warning("whatsapp_account_news", field=notice.field, told=event)


async def follow_number_news(
    notice: NoticeReceived, transaction: Transaction, now: datetime
) -> None:
    await tell_account_news(notice, transaction, now)
    await follow_limits(transaction, notice, now)


async def tell_errors(notice: NoticeReceived, transaction: Transaction, now: datetime) -> None:
    """`value.errors` without a message: trouble of the account or the app."""
    log.warning("whatsapp_errors_told")


def handlers_for(number_id: str, changed: Callable[[], None]) -> dict[str, NoticeHandler]:
    """By field. `number_id` is the one that sends templates; `changed` hears of their news."""
    templates = TemplateNotices(number_id, changed)
    return {
        "message_template_status_update": templates.follow_status,
        "message_template_quality_update": templates.follow_quality,
        "template_category_update": templates.follow_category,
        "account_update": tell_account_news,
        "account_alerts": tell_account_news,
        "security": tell_account_news,
        "phone_number_quality_update": follow_number_news,
        "business_capability_update": follow_number_news,
        "messages": tell_errors,
    }


ACCOUNT_EVENTS = frozenset(
    {
        "ACCOUNT_DELETED",
        "ACCOUNT_RESTRICTION",
        "ACCOUNT_VIOLATION",
        "DISABLED_UPDATE",
        "DOWNGRADE",
        "FLAGGED",
        "PIN_CHANGED",
        "PIN_RESET_REQUEST",
        "THROUGHPUT_UPGRADE",
        "UNFLAGGED",
        "UPGRADE",
        "VERIFIED_ACCOUNT",
    }
)


class Notices:
    """`more` are handlers that belong to a channel."""

    def __init__(
        self,
        number_id: str,
        more: Mapping[str, NoticeHandler] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._handlers = handlers_for(number_id, changed) | dict(more or {})

    async def take(self, notice: NoticeReceived, transaction: Transaction, now: datetime) -> None:
        await Store(transaction, now).keep_notice(notice)
        handler = self._handlers.get(notice.field)
        metrics.NOTICES.labels(notice.field if handler else "other").inc()
        if handler is None:
            return
        try:
            await handler(notice, transaction, now)
        except ValidationError:  # kept as it came; nothing can be concluded from it
            metrics.NOTICES.labels("unreadable").inc()
            log.warning("notice_unreadable", field=notice.field)
