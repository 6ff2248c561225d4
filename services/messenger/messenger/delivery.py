"""The life of one message, and what WhatsApp's statuses make of it. It goes forwards only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from common.events import Event, MessageAccepted, MessageDelivered, MessageFailed, StatusReceived
from common.ids import MessageId, UserId, derived_id
from messenger.errors_policy import RULES, Action, reason_for, rule_for_failure
from messenger.sending import TEMPLATE_OUTSIDE_WINDOW

RANKS = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}
"""A failure outranks `sent`; only proof of arrival outranks a failure."""

WORDS = {word: word for word in ("sent", "delivered", "read", "failed")} | {"played": "read"}
"""WhatsApp's words that say something about delivery."""

PASSING = frozenset({Action.RETRY, Action.PACE, Action.PAUSE, Action.PERSON, Action.LANGUAGE})
"""After these failures a message goes once more: what refused it ends, or is held back."""

BEFORE_ACCEPTANCE = frozenset({"queued", "sending", "unknown"})


@dataclass(frozen=True)
class Tracked:
    """The part of a message that changes after it was queued."""

    id: UUID
    user_id: UUID
    kind: str
    state: str
    not_before: datetime
    purpose: str = "reply"
    sending_at: datetime | None = None
    tries: int = 0
    resends: int = 0
    provider_id: str | None = None
    refused_provider_id: str | None = None
    """An earlier try that WhatsApp took and then refused: its news is old."""
    is_template: bool = False
    must_be_template: bool = False
    is_forgotten: bool = False
    template: str | None = None
    is_fallback_language: bool = False
    error_code: int | None = None
    reason: str | None = None
    traceparent: str | None = None
    unknown_at: datetime | None = None
    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None


def merge(state: str, status: str) -> str:
    """The state after `status`, whatever the order and the number of times it is told in."""
    if state == "suppressed":
        return state
    return max(state, status, key=lambda word: RANKS.get(word, -1))


def apply_status(message: Tracked, status: StatusReceived, now: datetime) -> Tracked:
    word = WORDS.get(status.status)
    if word is None or _is_about_another_try(message, status, word):
        return message
    if word == "failed" and _deserves_template(message, status.error_code):
        return as_template(message, now, refused=status.provider_id)
    if word == "failed" and _deserves_another_try(message, status.error_code):
        return _tried_again(message, status, now)
    state = merge(message.state, word)
    merged = replace(
        message,
        state=state,
        provider_id=message.provider_id or (None if message.is_forgotten else status.provider_id),
        accepted_at=message.accepted_at or now,
    )
    if word == "failed":
        return _failed(merged, status) if state == "failed" else merged
    return _with_time(merged, word, status.status_at)


def as_template(message: Tracked, now: datetime, *, refused: str | None = None) -> Tracked:
    """Back to the queue, once, to leave as a template. Its acceptance will be told anew."""
    return replace(
        message,
        state="queued",
        not_before=now,
        must_be_template=True,
        provider_id=None,
        refused_provider_id=None if message.is_forgotten else refused,
        accepted_at=None,
        sent_at=None,
    )


def may_become_template(message: Tracked) -> bool:
    return (
        message.kind in TEMPLATE_OUTSIDE_WINDOW
        and not message.is_template
        and not message.must_be_template
    )


def news(before: Tracked, after: Tracked, now: datetime) -> Iterator[Event]:
    """What others are told of the step from `before` to `after`. Each thing is told once."""
    who = {
        "user_id": UserId(after.user_id),
        "sent_id": MessageId(after.id),
        "kind": after.kind,
        "occurred_at": now,
    }
    if before.accepted_at is None and after.accepted_at is not None:
        yield MessageAccepted.model_validate(
            who
            | {
                "message_id": derived_id("accepted", after.id, after.is_template),
                "is_template": after.is_template,
            }
        )
    if before.delivered_at is None and after.delivered_at is not None:
        yield MessageDelivered.model_validate(who | {"message_id": derived_id("arrived", after.id)})
    if before.failed_at is None and after.failed_at is not None:
        yield failure(after.id, after.user_id, after.kind, after.reason or "failed", now)


def failure(message: UUID, user: UUID, kind: str, reason: str, now: datetime) -> MessageFailed:
    return MessageFailed(
        message_id=derived_id("failed", message),
        occurred_at=now,
        user_id=UserId(user),
        sent_id=MessageId(message),
        kind=kind,
        reason=reason,
    )


def _deserves_template(message: Tracked, code: int | None) -> bool:
    rule = RULES.get(code) if code is not None else None
    is_window_closed = rule is not None and rule.action is Action.TEMPLATE
    has_arrived = message.state in ("delivered", "read", "suppressed")
    return is_window_closed and not has_arrived and may_become_template(message)


def _deserves_another_try(message: Tracked, code: int | None) -> bool:
    """Once: the failure says that it did not arrive, and that it is not for ever."""
    rule = rule_for_failure(code)
    has_ended = message.state in ("queued", "failed", "delivered", "read", "suppressed")
    is_second = message.refused_provider_id is not None or message.tries >= rule.tries
    return rule.action in PASSING and not has_ended and not is_second


def _tried_again(message: Tracked, status: StatusReceived, now: datetime) -> Tracked:
    rule = rule_for_failure(status.error_code)
    is_language = rule.action is Action.LANGUAGE
    return replace(
        message,
        state="queued",
        not_before=now + rule.pause,
        provider_id=None,
        refused_provider_id=status.provider_id,
        is_fallback_language=message.is_fallback_language or is_language,
        unknown_at=None,
        sent_at=None,
    )


def _is_about_another_try(message: Tracked, status: StatusReceived, word: str) -> bool:
    """A message that was sent twice has two ids; the failure of one is not that of the other."""
    if status.provider_id == message.refused_provider_id:
        return True
    is_other = message.provider_id is not None and status.provider_id != message.provider_id
    return is_other and word == "failed"


def _failed(message: Tracked, status: StatusReceived) -> Tracked:
    if message.failed_at is not None:
        return message
    return replace(
        message,
        failed_at=status.status_at,
        error_code=status.error_code,
        reason=reason_for(status.error_code),
    )


def _with_time(message: Tracked, word: str, at: datetime) -> Tracked:
    """Reading proves delivery, delivery proves sending."""
    sent_at = message.sent_at or at
    if word == "sent":
        return replace(message, sent_at=sent_at)
    delivered_at = message.delivered_at or at
    if word == "delivered":
        return replace(message, sent_at=sent_at, delivered_at=delivered_at)
    return replace(
        message, sent_at=sent_at, delivered_at=delivered_at, read_at=message.read_at or at
    )
