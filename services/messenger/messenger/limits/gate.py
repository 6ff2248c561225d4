"""The last question before a message is claimed: do a pause and the day's budget let it go?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from common.database import Transaction
from common.events import Channel as ChannelName
from messenger.consequences import PROACTIVE
from messenger.errors_policy import Scope
from messenger.limits.budgets import Allowance, Budget
from messenger.limits.pauses import BUDGET, Paused, Pauses
from messenger.sending import Addressee, Decision, Hold, Queued, Send, is_window_open

Decided = tuple[Queued, Decision]
READY = "daily_ready"


def shown_kind(kind: str, *, is_template: bool) -> str:
    """Outside the window a question is only announced."""
    return READY if is_template and kind == "question" else kind


class Gate:
    """Of one number, in the transaction of one claim. `templates` are their names by kind."""

    def __init__(
        self,
        transaction: Transaction,
        number_id: str,
        now: datetime,
        *,
        templates: Mapping[str, str],
        allowance: Allowance | None,
    ) -> None:
        self._transaction = transaction
        self._pauses = Pauses(transaction, number_id, now)
        self._budget = Budget(transaction, number_id, now)
        self._now = now
        self._templates = templates
        self._allowance = allowance
        self.paused = Paused()
        self.probes: dict[UUID, str] = {}
        """Messages that try whether a pause is over."""

    async def look(self) -> Paused:
        self.paused = await self._pauses.find()
        return self.paused

    def template_of(self, message: Queued, how: Send) -> str | None:
        kind = shown_kind(message.kind, is_template=how.is_template)
        return self._templates.get(kind, kind) if how.is_template else None

    async def admit(
        self, decided: Sequence[Decided], people: Mapping[UUID, Addressee]
    ) -> list[Decided]:
        """What may not go is held. While everything is paused, one may go, as the probe."""
        if self.paused.is_all:
            free = await self._one_probe(decided)
        else:
            free = [await self._past_pauses(one) for one in decided]
        held = await self._over_budget(free, people)
        return [(message, Hold(BUDGET) if message.id in held else how) for message, how in free]

    async def hold(self, held: Mapping[UUID, str]) -> None:
        if held:
            await self._pauses.hold(held)

    async def count_held(self, channel: ChannelName) -> dict[str, int]:
        return await self._pauses.count_held(channel)

    async def release(self, channel: ChannelName) -> int:
        """What was held and need not be any more goes back to be claimed."""
        released = await self._pauses.release(channel, list(self._templates.values()))
        if self._allowance is None:
            return released
        limit = await self._allowance.people_per_day(self._transaction, self._now)
        room = await self._budget.room(limit)
        if room is None or room > 0:
            released += await self._pauses.release_budget(channel, room)
        return released

    async def _one_probe(self, decided: Sequence[Decided]) -> list[Decided]:
        """The others stay as they are: nothing was decided about them."""
        kept: list[Decided] = []
        for message, how in decided:
            if not isinstance(how, Send):
                kept.append((message, how))
            elif not self.probes and await self._pauses.take_probe(Scope.ALL):
                self.probes[message.id] = Scope.ALL
                kept.append((message, how))
        return kept

    async def _past_pauses(self, one: Decided) -> Decided:
        message, how = one
        if not self.paused.probe_times or not isinstance(how, Send):
            return one
        scope = self.paused.holding(message.purpose, self.template_of(message, how))
        if scope is None:
            return one
        is_due = self.paused.is_probe_due(scope, self._now) and scope not in self.probes.values()
        if is_due and await self._pauses.take_probe(scope):
            self.probes[message.id] = scope
            return one
        return message, Hold(scope)

    async def _over_budget(
        self, decided: Sequence[Decided], people: Mapping[UUID, Addressee]
    ) -> frozenset[UUID]:
        """Messages that would reach one person too many outside the window."""
        if self._allowance is None:
            return frozenset()
        # Of those claimed together, whoever signed up goes before whoever is asked daily.
        reaching = {
            message.user_id: message.id
            for message, how in sorted(decided, key=lambda one: one[0].purpose == "daily")
            if isinstance(how, Send) and (how.is_template or message.purpose in PROACTIVE)
            if not is_window_open(people[message.user_id].last_inbound_at, self._now)
        }
        if not reaching:
            return frozenset()
        limit = await self._allowance.people_per_day(self._transaction, self._now)
        admitted = await self._budget.admit(list(reaching), limit)
        return frozenset(reaching[user] for user in reaching if user not in admitted)
