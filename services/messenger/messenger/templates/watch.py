"""Keeps in memory what is known of the templates, and asks Meta now and then."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import structlog

from common.clock import Clock
from common.database import Database
from common.errors import DependencyUnavailable
from messenger.catalogue import Template
from messenger.templates.account import (
    AccountTemplate,
    TemplateAccount,
    TemplateApiRefused,
    TemplateApiUnavailable,
)
from messenger.templates.records import TemplateNews, TemplateRecords
from messenger.templates.states import NOTHING_TOLD, TemplateStates, status_of

log = structlog.get_logger()

LOOK_EVERY = 5.0  # seconds; another replica may have got the news
ASK_EVERY = 3600.0  # seconds
ASK_AGAIN_AFTER = 60.0


class TemplateWatch:
    """`account` None: only webhooks tell."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        number_id: str,
        ours: Mapping[str, Template],
        account: TemplateAccount | None = None,
    ) -> None:
        self.states = NOTHING_TOLD
        self._database = database
        self._clock = clock
        self._number_id = number_id
        self._ours = ours
        self._account = account
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is news in the table."""
        self._wake.set()

    def current(self) -> TemplateStates:
        return self.states

    async def follow(self) -> None:
        """In the background: what the table says."""
        while True:
            self._wake.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()

    async def look(self) -> None:
        try:
            async with self._database.transaction() as transaction:
                records = TemplateRecords(transaction, self._number_id, self._clock.now())
                self.states = await records.states()
        except DependencyUnavailable:
            return  # what was known last is used

    async def keep_asking(self, resumed: Callable[[], None]) -> None:
        """In the background: what Meta says. Nothing waits for it."""
        while True:
            has_answered = await self.ask()
            if has_answered:
                resumed()
            await asyncio.sleep(ASK_EVERY if has_answered else ASK_AGAIN_AFTER)

    async def ask(self) -> bool:
        """Whether Meta has answered."""
        if self._account is None:
            return False
        asked_at = self._clock.now()
        try:
            known = await self._account.list()
        except (TemplateApiRefused, TemplateApiUnavailable) as error:
            log.warning("templates_not_told", error=type(error).__name__)
            return False
        if not any(one.name in self._ours for one in known):
            # Perhaps another account's id: too little to hold everything back.
            log.error("account_has_no_template_of_ours")
            return False
        async with self._database.transaction() as transaction:
            records = TemplateRecords(transaction, self._number_id, self._clock.now())
            await records.adopt(list(news_of(self._ours, known)), asked_at)
        await self.look()
        return True


def news_of(
    ours: Mapping[str, Template], known: Iterable[AccountTemplate]
) -> Iterator[TemplateNews]:
    """Of ours only; an account has others."""
    found = {(one.name, one.language): one for one in known}
    for name, template in sorted(ours.items()):
        for language in template.languages:
            one = found.get((name, language))
            if one is None:
                yield TemplateNews(name, language, status="MISSING")
                continue
            yield TemplateNews(
                name,
                language,
                status=status_of(one.status),
                category=one.category,
                quality=one.quality,
                reason=one.reason,
            )
