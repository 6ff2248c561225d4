"""Which of the approved wordings may be sent. No I/O; what nobody told is tried."""

from collections.abc import Mapping
from dataclasses import dataclass

FALLBACKS = ("pt_BR", "en", "es")

SENDABLE = frozenset({"APPROVED", "FLAGGED"})
UNSENDABLE = frozenset(
    {
        "PENDING",
        "IN_APPEAL",
        "REJECTED",
        "PAUSED",
        "DISABLED",
        "ARCHIVED",
        "LOCKED",
        "PENDING_DELETION",
        "DELETED",
        "MISSING",
    }
)
RESTORING = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}
"""Events that mean an approved template again."""


@dataclass(frozen=True)
class TemplateStates:
    """Statuses by name and language, as far as Meta has told them."""

    statuses: Mapping[tuple[str, str], str]

    def language_for(self, name: str, own: str, *, is_fallback: bool = False) -> str | None:
        """The person's own language while it can be sent, otherwise one other; None: wait.

        `is_fallback`: the person's own has been refused, whatever is known of it.
        """
        if not is_fallback and self._status(name, own) not in UNSENDABLE:
            return own
        others = [language for language in FALLBACKS if language != own]
        known = [language for language in others if self._status(name, language) in SENDABLE]
        untold = [language for language in others if not self._status(name, language)]
        return next(iter([*known, *untold]), None)

    def is_held(self, name: str) -> bool:
        """Nobody can get it, in any language: what needs it waits."""
        return all(self._status(name, language) in UNSENDABLE for language in FALLBACKS)

    def is_sendable(self, name: str) -> bool:
        """Known to be, in some language."""
        return any(self._status(name, language) in SENDABLE for language in FALLBACKS)

    def of(self, name: str) -> dict[str, str]:
        """Statuses by language."""
        return {language: s for (known, language), s in self.statuses.items() if known == name}

    def _status(self, name: str, language: str) -> str:
        return self.statuses.get((name, language), "")


NOTHING_TOLD = TemplateStates({})


def status_of(event: str) -> str:
    word = event.strip().upper()
    return RESTORING.get(word, word)
