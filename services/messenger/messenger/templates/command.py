"""The account's templates beside ours: `python -m messenger.templates status | push`.

`status` shows what differs; `push` creates what is missing and edits what differs, first.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from messenger import catalogue
from messenger.catalogue import ContentUnreadable, Template, TemplateWording
from messenger.settings import TemplateSettings
from messenger.templates.account import (
    AccountTemplate,
    Category,
    TemplateAccount,
    TemplateApiRefused,
    TemplateApiUnavailable,
)
from messenger.templates.states import status_of

HEAD = ("template", "language", "state", "category", "quality", "what is to know")
EDITABLE = frozenset({"APPROVED", "REJECTED", "PAUSED"})
"""Meta edits nothing else; an approved one once in 24 hours and ten times in 30 days."""


@dataclass(frozen=True)
class Comparison:
    """One wording of ours, one of the account's, or both."""

    name: str
    language: str
    category: Category | None = None
    wording: TemplateWording | None = None
    known: AccountTemplate | None = None
    note: str = ""

    @property
    def differences(self) -> tuple[str, ...]:
        if self.wording is None or self.known is None:
            return ()
        pairs = {
            "body": (self.wording.body, self.known.text("BODY")),
            "header": ("", self.known.text("HEADER")),
            "footer": (self.wording.footer or "", self.known.text("FOOTER")),
            "buttons": (self.wording.buttons, self.known.buttons),
        }
        return tuple(part for part, (ours, theirs) in pairs.items() if ours != theirs)

    @property
    def state(self) -> str:
        if self.known is None:
            return "missing"
        if self.wording is None:
            return "left over"
        status = status_of(self.known.status).lower()
        return "differs" if self.differences and status == "approved" else status

    @property
    def is_settled(self) -> bool:
        return self.state in ("approved", "left over")

    @property
    def row(self) -> tuple[str, ...]:
        known = self.known
        return (
            self.name,
            self.language,
            self.state,
            self._shown_category(),
            (known.quality or "") if known else "",
            "; ".join(self._remarks()),
        )

    def _shown_category(self) -> str:
        theirs = (self.known.category or "") if self.known else ""
        if not theirs or not self.category or theirs == self.category:
            return theirs or self.category or ""
        return f"{theirs} (ours: {self.category})"

    def _remarks(self) -> Iterator[str]:
        if self.differences:
            yield f"other words in: {', '.join(self.differences)}"
        if self.known is not None and self.known.reason:
            yield f"reason: {self.known.reason}"
        if self.note:
            yield self.note


def compare(
    ours: Mapping[str, Template], theirs: Iterable[AccountTemplate]
) -> tuple[Comparison, ...]:
    """Ours first. Of theirs, templates with another name than any of ours are not our business,
    unless the name begins like ours."""
    known = {(one.name, one.language): one for one in theirs}
    wanted = [
        Comparison(name, language, template.category, wording, known.pop((name, language), None))
        for name, template in sorted(ours.items())
        for language, wording in template.languages.items()
    ]
    prefixes = tuple({f"{name.split('_')[0]}_" for name in ours})
    left = [
        Comparison(name, language, known=one)
        for (name, language), one in sorted(known.items())
        if name in ours or name.startswith(prefixes)
    ]
    return (*wanted, *left)


async def push(account: TemplateAccount, compared: Sequence[Comparison]) -> dict[str, str]:
    """What Meta did not do, by name and language."""
    notes: dict[str, str] = {}
    for one in compared:
        try:
            note = await _push_one(account, one)
        except TemplateApiRefused as refusal:
            note = str(refusal)
        if note:
            notes[f"{one.name}/{one.language}"] = note
    return notes


async def _push_one(account: TemplateAccount, one: Comparison) -> str:
    if one.wording is None:
        return "not ours any more: delete it in Meta's console"
    if one.known is None:
        await account.create(one.name, one.language, one.category or "UTILITY", one.wording)
        return ""
    if not one.differences:
        return ""
    if status_of(one.known.status) not in EDITABLE:
        return f"cannot be edited while {one.known.status}: push again later"
    await account.edit(one.known.id, one.wording)
    return ""


def table(compared: Sequence[Comparison]) -> str:
    rows = [HEAD, *(one.row for one in compared)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


async def run(action: str, settings: TemplateSettings) -> int:
    """0: everything of ours is approved, word by word; 1: something is not."""
    ours = catalogue.load(settings.content).templates
    account = TemplateAccount(
        settings.whatsapp_api_url,
        settings.whatsapp_business_account_id,
        settings.whatsapp_access_token.get_secret_value(),
    )
    try:
        compared = compare(ours, await account.list())
        if action == "push":
            notes = await push(account, compared)
            compared = _noted(compare(ours, await account.list()), notes)
    finally:
        await account.close()
    sys.stdout.write(table(compared))
    return 0 if all(one.is_settled for one in compared) else 1


def _noted(compared: Iterable[Comparison], notes: Mapping[str, str]) -> tuple[Comparison, ...]:
    return tuple(replace(one, note=notes.get(f"{one.name}/{one.language}", "")) for one in compared)


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in (["status"], ["push"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        return asyncio.run(run(arguments[0], TemplateSettings()))
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_context=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"SABATINA_{name}: {problem['msg']}\n")
    except (TemplateApiRefused, TemplateApiUnavailable, ContentUnreadable) as error:
        sys.stderr.write(f"{error}\n")
    return 2
