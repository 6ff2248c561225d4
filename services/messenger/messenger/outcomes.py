"""What a try to send came to, and what follows from it."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from messenger.channels import Accepted, NotSent, OutcomeUnknown, SendRefused
from messenger.consequences import Refused
from messenger.delivery import BEFORE_ACCEPTANCE, Tracked, as_template, may_become_template
from messenger.errors_policy import Action, Rule, reason_for, rule_for
from messenger.policies import WhenUnknown, when_unknown
from messenger.rendering import NotRenderable
from messenger.sending import Addressee, Queued

NEVER = datetime.min.replace(tzinfo=UTC)
BACKOFF_LIMIT = timedelta(seconds=30)
Result = Accepted | SendRefused | NotSent | OutcomeUnknown | NotRenderable

THROTTLES = frozenset({Action.PACE, Action.PERSON})
OUTCOMES: dict[type[object], str] = {
    Accepted: "accepted",
    SendRefused: "refused",
    NotSent: "unsent",
    OutcomeUnknown: "unknown",
    NotRenderable: "refused",
}


@dataclass(frozen=True)
class Claimed:
    """One message in hand: its attempt is on record, the call is not made yet."""

    attempt_id: UUID
    message: Queued
    person: Addressee
    is_template: bool
    template: str | None = None
    probes: str | None = None
    """The scope of the pause that this message tries to end."""
    at: datetime = NEVER


@dataclass(frozen=True)
class Finished:
    claimed: Claimed
    result: Result

    @property
    def rule(self) -> Rule | None:
        """The policy for a refusal."""
        if not isinstance(self.result, SendRefused):
            return None
        return rule_for(
            self.result.code,
            http_status=self.result.http_status,
            is_transient=self.result.is_transient,
        )

    @property
    def outcome(self) -> str:
        is_throttle = self.rule is not None and self.rule.action in THROTTLES
        return "throttled" if is_throttle else OUTCOMES[type(self.result)]

    @property
    def error_code(self) -> int | None:
        return self.result.code if isinstance(self.result, SendRefused) else None

    @property
    def http_status(self) -> int | None:
        if isinstance(self.result, SendRefused | OutcomeUnknown):
            return self.result.http_status
        return None

    @property
    def slows_down(self) -> bool:
        return self.rule is not None and self.rule.action is Action.PACE

    @property
    def refused(self) -> Refused | None:
        """For what follows beyond this message."""
        if self.rule is None or not isinstance(self.result, SendRefused):
            return None
        message, person = self.claimed.message, self.claimed.person
        return Refused(
            message.user_id,
            message.purpose,
            self.rule,
            self.result.code,
            self.claimed.template,
            self.claimed.at,
            strikes=person.strikes,
            wait=self.result.retry_after or timedelta(),
            is_last_language=message.is_fallback_language,
        )


def apply_outcome(message: Tracked, finished: Finished, now: datetime) -> Tracked:
    """A status may have come first: then only what the outcome adds is taken from it."""
    match finished.result:
        case Accepted(provider_id=provider_id):
            return _accepted(message, provider_id, now)
        case _ if message.state != "sending":
            return message
        case NotRenderable(reason=reason):
            return fail(message, reason, now)
        case OutcomeUnknown():
            return replace(message, state="unknown", unknown_at=now)
        case NotSent():
            return _again(message, now + backoff(message.tries), counts=False)
        case SendRefused():
            return _refused(message, finished, now)


def settle_unknown(message: Tracked, now: datetime) -> Tracked:
    """No status came in time: the policy of its kind decides."""
    policy = when_unknown(message.kind, is_template=message.is_template, resends=message.resends)
    if policy is WhenUnknown.RESEND_ONCE:
        return replace(
            message, state="queued", not_before=now, resends=message.resends + 1, unknown_at=None
        )
    return fail(message, "unknown_outcome", now)


def fail(message: Tracked, reason: str, now: datetime, code: int | None = None) -> Tracked:
    return replace(message, state="failed", failed_at=now, reason=reason, error_code=code)


def backoff(tries: int, pause: timedelta = timedelta(seconds=1)) -> timedelta:
    doubled: timedelta = pause * 2 ** max(0, min(tries, 10) - 1)
    return min(doubled, max(BACKOFF_LIMIT, pause)) * random.uniform(0.8, 1.2)


def _accepted(message: Tracked, provider_id: str, now: datetime) -> Tracked:
    if provider_id == message.refused_provider_id:
        return message  # its failure was told before its acceptance
    return replace(
        message,
        state="accepted" if message.state in BEFORE_ACCEPTANCE else message.state,
        accepted_at=message.accepted_at or now,
        provider_id=None if message.is_forgotten else provider_id,
    )


def _refused(message: Tracked, finished: Finished, now: datetime) -> Tracked:
    rule, refused = finished.rule, finished.refused
    assert rule is not None
    assert refused is not None
    match rule.action:
        case Action.PAUSE:
            return _again(message, now, counts=False)
        case Action.PERSON:
            return _again(message, refused.hold_until(now) or now, counts=False)
        case Action.PACE:
            return _again(message, now + max(refused.wait, backoff(1)), counts=False)
        case Action.RETRY if message.tries < rule.tries:
            return _again(message, now + max(refused.wait, backoff(message.tries, rule.pause)))
        case Action.TEMPLATE if may_become_template(message):
            return as_template(message, now)
        case Action.LANGUAGE:
            # The second refusal has paused the template: it waits with the others.
            again = _again(message, now, counts=False)
            return replace(again, is_fallback_language=True)
    return fail(message, reason_for(refused.code), now, refused.code)


def _again(message: Tracked, at: datetime, *, counts: bool = True) -> Tracked:
    tries = message.tries if counts else message.tries - 1
    return replace(message, state="queued", not_before=at, tries=tries)
