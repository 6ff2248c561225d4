"""What WhatsApp's notices say about our limits: the tier, and whether the quality dropped."""

import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from common.database import Transaction
from common.events import NoticeReceived
from messenger.limits.budgets import Tier, adopt_limit, record_trouble

FIELDS = frozenset({"business_capability_update", "phone_number_quality_update"})
TROUBLE = frozenset({"FLAGGED", "DOWNGRADE"})
THOUSANDS = re.compile(r"^(\d+)(K?)$")
BOUNDED: tuple[Tier, ...] = ("100000", "10000", "2000", "250")


class _Value(BaseModel):
    """The limit has had several names, and comes as a number or as a word."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    event: str | None = None
    current_limit: str | None = None
    max_daily_conversations_per_business: str | None = None
    max_daily_conversation_per_phone: str | None = None


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    value: _Value


@dataclass(frozen=True)
class LimitNews:
    tier: Tier | None
    is_trouble: bool


def read(notice: NoticeReceived) -> LimitNews | None:
    """None: it is about something else, or cannot be read."""
    if notice.channel != "cloud" or notice.field not in FIELDS:
        return None
    try:
        value = _Change.model_validate_json(notice.original).value
    except ValidationError:
        return None
    told = (
        value.max_daily_conversations_per_business
        or value.current_limit
        or value.max_daily_conversation_per_phone
    )
    return LimitNews(tier_of(told) if told else None, (value.event or "").upper() in TROUBLE)


def tier_of(told: str) -> Tier | None:
    """The greatest tier that is within what was told: `TIER_2K`, `2000`, `TIER_UNLIMITED`, -1."""
    word = told.upper().removeprefix("TIER_")
    if word in ("UNLIMITED", "-1"):
        return "unlimited"
    found = THOUSANDS.match(word)
    if found is None:
        return None
    people = int(found[1]) * (1000 if found[2] else 1)
    return next((tier for tier in BOUNDED if int(tier) <= people), None)


async def follow_limits(transaction: Transaction, notice: NoticeReceived, now: datetime) -> None:
    news = read(notice)
    if news is None:
        return
    if news.tier is not None:
        await adopt_limit(transaction, news.tier, now)
    if news.is_trouble:
        await record_trouble(transaction, now)
