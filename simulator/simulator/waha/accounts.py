"""How one person's account looks through WAHA."""

from typing import Literal

from pydantic import BaseModel

LidForm = Literal["none", "with_number", "hidden", "resolvable"]
Shape = Literal["plain", "extended", "ephemeral"]


class WahaAccount(BaseModel):
    lid: LidForm = "none"
    lid_number: str | None = None
    shape: Shape = "plain"
    device: int | None = None

    @property
    def lid_id(self) -> str | None:
        return f"{self.lid_number}@lid" if self.lid != "none" and self.lid_number else None

    @property
    def is_number_known(self) -> bool:
        """Whether WAHA can tell which number a LID belongs to."""
        return self.lid != "hidden"
