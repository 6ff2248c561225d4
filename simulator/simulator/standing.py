"""How the business account stands with Meta: what keeps it from sending, and how much it may."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.cloud_errors import CloudError, InvalidAccessToken

# Codes that refuse every call, not only those that send.
_ABOUT_THE_TOKEN = {0, 3, 10, 190, 200}
_NAMED_TIERS = {250: "TIER_250", 2_000: "TIER_2K", 10_000: "TIER_10K", 100_000: "TIER_100K"}

NumberQuality = Literal["GREEN", "YELLOW", "RED", "UNKNOWN"]


class ExpiredToken(InvalidAccessToken):
    def __init__(self) -> None:
        super().__init__()
        self.subcode = 463
        self.message = "Error validating access token: Session has expired"


class StandingView(BaseModel):
    model_config = ConfigDict(frozen=True)

    problem: int | None = None
    quality: NumberQuality = "GREEN"
    tier: int | None = Field(default=None, ge=1)


class Standing:
    def __init__(self, tier: int | None) -> None:
        self._first = StandingView(tier=tier)
        self.view = self._first

    def forget_all(self) -> None:
        self.view = self._first

    @property
    def tier_name(self) -> str:
        return tier_name(self.view.tier)

    def check_call(self) -> None:
        if self.view.problem in _ABOUT_THE_TOKEN:
            raise ExpiredToken if self.view.problem == 190 else CloudError(self.view.problem)

    def check_sending(self) -> None:
        if self.view.problem is not None:
            raise CloudError(self.view.problem)


def tier_name(tier: int | None) -> str:
    return "TIER_UNLIMITED" if tier is None else _NAMED_TIERS.get(tier, f"TIER_{tier}")
