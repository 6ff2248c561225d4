"""What to do about a WAHA session, given what was seen of it. Rules only; `sessions` acts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from messenger.channels.waha_codes import WahaCode, code_of_status

DEBOUNCE = timedelta(seconds=75)
"""NOWEB reconnects every half an hour, and every engine tells a wrong state now and then."""
SILENT_AFTER = timedelta(minutes=10)
RESTART_SILENT_EVERY = timedelta(minutes=30)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)

WORKING = "WORKING"
UNREACHABLE = "UNREACHABLE"
"""WAHA itself does not answer: nothing is known of the session."""
STATUSES = (
    *(WORKING, "STARTING", "SCAN_QR_CODE", "PASSKEY_REQUIRED", "PASSKEY_CONFIRMATION_REQUIRED"),
    *("FAILED", "STOPPED", "MISSING", "UNAUTHORISED", UNREACHABLE),
)
OTHER = "OTHER"


class Step(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    START = "start"
    RESTART = "restart"
    CATCH_UP = "catch_up"
    CALL_FOR_HELP = "call_for_help"


MENDING = frozenset({Step.START, Step.RESTART})
NEEDS_PERSON = frozenset({WahaCode.SCAN_QR_CODE, WahaCode.UNAUTHORISED, WahaCode.NO_SESSION})


@dataclass(frozen=True)
class Session:
    """What is remembered of a session."""

    status: str = "UNKNOWN"
    first_working_at: datetime | None = None
    failing_since: datetime | None = None
    """Since when it has not been seen working."""
    unanswered_since: datetime | None = None
    """The first send after the last sign of life."""
    mended_at: datetime | None = None
    mendings: int = 0


def seen(known: Session, status: str, now: datetime) -> Session:
    if status == WORKING:
        return replace(
            known,
            status=status,
            first_working_at=known.first_working_at or now,
            failing_since=None,
            mendings=0 if known.unanswered_since is None else known.mendings,
        )
    if status == UNREACHABLE:
        return replace(known, status=status)
    return replace(known, status=status, failing_since=known.failing_since or now)


def steps_for(
    before: Session, after: Session, now: datetime, silent_after: timedelta = SILENT_AFTER
) -> list[Step]:
    """`after` is `seen(before, ...)`. What was done is kept by `mended`."""
    if after.status == WORKING:
        return _while_working(before, after, now, silent_after)
    if after.status == UNREACHABLE or after.failing_since is None:
        return []
    if now - after.failing_since < DEBOUNCE:
        return []
    steps = [Step.PAUSE]
    if code_of(after.status) in NEEDS_PERSON:
        steps.append(Step.CALL_FOR_HELP)
    elif after.status in ("STOPPED", "FAILED") and _may_mend(after, now):
        steps.append(Step.START if after.status == "STOPPED" else Step.RESTART)
    return steps


def mended(session: Session, now: datetime) -> Session:
    """Silence is counted anew."""
    return replace(session, mended_at=now, mendings=session.mendings + 1, unanswered_since=None)


def code_of(status: str) -> WahaCode:
    known = {"MISSING": WahaCode.NO_SESSION, "UNAUTHORISED": WahaCode.UNAUTHORISED}
    return known.get(status) or code_of_status(status)


def _while_working(
    before: Session, after: Session, now: datetime, silent_after: timedelta
) -> list[Step]:
    steps = [Step.RESUME]
    if before.status != WORKING:
        steps.append(Step.CATCH_UP)
    silent = after.unanswered_since
    is_silent = silent is not None and now - silent >= silent_after
    was_mended = after.mended_at is not None and now - after.mended_at < RESTART_SILENT_EVERY
    return [*steps, Step.RESTART] if is_silent and not was_mended else steps


def _may_mend(session: Session, now: datetime) -> bool:
    if session.mended_at is None or session.mendings == 0:
        return True
    pause: timedelta = FIRST_PAUSE * 2 ** min(session.mendings - 1, 10)
    return now - session.mended_at >= min(pause, LONGEST_PAUSE)
