"""Queries about WAHA sessions: who watches one, what was seen, and its signs of life."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from common.database import Transaction
from messenger.waha.supervision import Session

WATCH_FOR = timedelta(seconds=60)
"""Longer than a look at the session takes; then another replica may watch."""

# One replica watches a session at a time. A product clock that was set back ends the watch too.
CLAIM = text(
    """
    INSERT INTO messenger.waha_sessions AS known (session, supervisor, supervised_until)
    VALUES (:session, :supervisor, :until)
    ON CONFLICT (session) DO UPDATE
        SET supervisor = excluded.supervisor, supervised_until = excluded.supervised_until
    WHERE known.supervisor IS NULL OR known.supervisor = excluded.supervisor
        OR known.supervised_until <= :now OR known.supervised_until > :now + :longest
    RETURNING status, first_working_at, failing_since, unanswered_since, mended_at, mendings,
        read_until
    """
)

KEEP = text(
    """
    UPDATE messenger.waha_sessions SET status = :status, first_working_at = :first_working_at,
        failing_since = :failing_since, mended_at = :mended_at, mendings = :mendings,
        unanswered_since = CASE WHEN :is_mended THEN NULL ELSE unanswered_since END
    WHERE session = :session
    """
)

WAIT_FOR_SIGN = text(
    "UPDATE messenger.waha_sessions SET unanswered_since = :now"
    " WHERE session = :session AND unanswered_since IS NULL"
)

# What was fetched from the history proves nothing: webhooks may be dead.
SIGN_OF_LIFE = text(
    "UPDATE messenger.waha_sessions SET unanswered_since = NULL"
    " WHERE session = :session AND unanswered_since IS NOT NULL"
    " AND (fetched_until IS NULL OR fetched_until < :at)"
)

PAUSED_BECAUSE = text(
    "SELECT error_code FROM messenger.pauses WHERE number_id = :session AND scope = 'all'"
)

FETCHED = text(
    "UPDATE messenger.waha_sessions SET fetched_until = greatest(fetched_until, :at)"
    " WHERE session = :session"
)

READ_UNTIL = text("UPDATE messenger.waha_sessions SET read_until = :at WHERE session = :session")


@dataclass(frozen=True)
class Watched:
    session: Session
    read_until: datetime | None
    """Messages of people are known up to here."""


class SessionStore:
    def __init__(self, transaction: Transaction, now: datetime) -> None:
        self._connection = transaction.connection
        self._now = now

    async def claim(self, session: str, supervisor: UUID) -> Watched | None:
        """None while another replica watches."""
        found = await self._connection.execute(
            CLAIM,
            {
                "session": session,
                "supervisor": supervisor,
                "now": self._now,
                "until": self._now + WATCH_FOR,
                "longest": WATCH_FOR,
            },
        )
        row = found.one_or_none()
        return Watched(Session(*row[:6]), row.read_until) if row else None

    async def keep(self, name: str, session: Session, *, is_mended: bool) -> None:
        """Signs of life that came meanwhile stay."""
        await self._connection.execute(
            KEEP,
            {
                "session": name,
                "status": session.status,
                "first_working_at": session.first_working_at,
                "failing_since": session.failing_since,
                "mended_at": session.mended_at,
                "mendings": session.mendings,
                "is_mended": is_mended,
            },
        )

    async def wait_for_sign(self, session: str) -> None:
        """Something was sent: an acknowledgement should come."""
        await self._connection.execute(WAIT_FOR_SIGN, {"session": session, "now": self._now})

    async def note_life(self, signs: Iterable[tuple[str, datetime]]) -> None:
        """Sessions of which a webhook came, and when that happened which it told of."""
        latest: dict[str, datetime] = {}
        for session, at in signs:
            latest[session] = max(at, latest.get(session, at))
        for session, at in sorted(latest.items()):
            await self._connection.execute(SIGN_OF_LIFE, {"session": session, "at": at})

    async def paused_because(self, session: str) -> int | None:
        found = await self._connection.execute(PAUSED_BECAUSE, {"session": session})
        code: int | None = found.scalar_one_or_none()
        return code

    async def note_fetched(self, session: str, at: datetime) -> None:
        await self._connection.execute(FETCHED, {"session": session, "at": at})

    async def keep_read_until(self, session: str, at: datetime) -> None:
        await self._connection.execute(READ_UNTIL, {"session": session, "at": at})
