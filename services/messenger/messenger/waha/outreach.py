"""Who may be written to now, where WhatsApp watches for machines: gaps between messages, another
minute for everybody's daily one, and a limit that grows with the age of the number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from common.database import Transaction
from messenger.consequences import PROACTIVE
from messenger.sending import Decision, Queued, Send, Wait
from messenger.waha.pace import Pace

ASKED_FOR = 0  # the priority of replies
ANY = 9
LONGEST_GAP = timedelta(minutes=10)

# The row is held until the claim commits: two replicas cannot use one gap.
LOCK = text(
    """
    INSERT INTO messenger.outreach AS known (number_id, next_at, next_proactive_at)
    VALUES (:number, :now, :now)
    ON CONFLICT (number_id) DO UPDATE SET number_id = known.number_id
    RETURNING next_at, next_proactive_at
    """
)

MOVE = text(
    """
    UPDATE messenger.outreach SET next_at = :next_at,
        next_proactive_at = coalesce(CAST(:next_proactive_at AS timestamptz), next_proactive_at)
    WHERE number_id = :number
    """
)

FIRST_WORKING = text(
    "SELECT first_working_at FROM messenger.waha_sessions WHERE session = :session"
)

Decided = tuple[Queued, Decision]


@dataclass(frozen=True)
class WarmUp:
    """How many people a session may write to, unasked, in any 24 hours (`budgets.Allowance`)."""

    session: str
    pace: Pace

    async def people_per_day(self, transaction: Transaction, now: datetime) -> int | None:
        found = await transaction.connection.execute(FIRST_WORKING, {"session": self.session})
        return self.pace.limit_on(now, found.scalar_one_or_none())


@dataclass(frozen=True)
class Opening:
    """How many messages may be claimed, and up to which priority."""

    slots: int
    lowest_priority: int = ANY
    next_at: datetime | None = None


class Outreach:
    """The pace of one number in one claim: `open`, then `timed`, and at last `leave_gap`."""

    def __init__(self, transaction: Transaction, number_id: str, pace: Pace, now: datetime) -> None:
        self._connection = transaction.connection
        self._number_id = number_id
        self._pace = pace
        self._now = now

    async def open(self, slots: int) -> Opening:
        if self._pace.factor == 0:
            return Opening(slots)
        found = await self._connection.execute(LOCK, {"number": self._number_id, "now": self._now})
        row = found.one()
        if self._is_ahead(row.next_at):
            return Opening(0, next_at=row.next_at)
        return Opening(1, ASKED_FOR if self._is_ahead(row.next_proactive_at) else ANY)

    def timed(self, decided: Sequence[Decided]) -> list[Decided]:
        """Daily messages whose minute has not come wait for it."""
        return [(message, self._timed(message, how)) for message, how in decided]

    async def leave_gap(self, decided: Sequence[Decided]) -> None:
        leaving = [message for message, how in decided if isinstance(how, Send)]
        if not leaving or self._pace.factor == 0:
            return
        is_proactive = any(message.purpose in PROACTIVE for message in leaving)
        gap = self._pace.proactive_gap() if is_proactive else None
        await self._connection.execute(
            MOVE,
            {
                "number": self._number_id,
                "next_at": self._now + self._pace.reply_gap(),
                "next_proactive_at": self._now + gap if gap is not None else None,
            },
        )

    def _timed(self, message: Queued, how: Decision) -> Decision:
        if not isinstance(how, Send) or message.purpose != "daily":
            return how
        due_at = self._pace.due_at(message.user_id, message.received_at, message.expires_at)
        return how if due_at <= self._now else Wait(due_at)

    def _is_ahead(self, at: datetime) -> bool:
        """A clock that was set back must not close the gate for long."""
        return self._now < at <= self._now + LONGEST_GAP
