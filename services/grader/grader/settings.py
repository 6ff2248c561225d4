"""What the grader reads from its environment."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from common.events import Value
from common.settings import ServiceSettings, required_secret


class Price(Value):
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal


PRICES = {
    "gpt-6-luna": Price(input=Decimal("0.10"), output=Decimal("0.50")),
    "gpt-5.6-luna": Price(input=Decimal("0.20"), output=Decimal("1.20")),
}

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def _none_if_empty(value: str | None) -> str | None:
    return value or None


class Settings(ServiceSettings):
    service: str = "grader"
    grader: Literal["auto", "openai", "local"] = "auto"
    grader_model: str = "gpt-6-luna"
    grader_effort: Effort | None = None
    """Sent only when set: models without reasoning refuse the parameter."""
    grader_timeout: timedelta = timedelta(seconds=25)
    """For one request to the model."""
    grader_deadline: timedelta = timedelta(seconds=60)
    """For a whole examination: waiting for a turn, retries and the repair included."""
    grader_max_retries: Annotated[int, Field(ge=0)] = 2
    grader_concurrency: Annotated[int, Field(ge=1)] = 32
    grader_prices: dict[str, Price] = PRICES
    openai_api_key: Annotated[SecretStr, Field(validation_alias="OPENAI_API_KEY")] = SecretStr("")
    openai_base_url: Annotated[
        str | None, Field(validation_alias="OPENAI_BASE_URL"), AfterValidator(_none_if_empty)
    ] = None

    @property
    def has_llm(self) -> bool:
        has_key = bool(self.openai_api_key.get_secret_value().strip())
        return self.grader == "openai" or (self.grader == "auto" and has_key)

    @model_validator(mode="after")
    def _openai_needs_its_key(self) -> "Settings":
        if self.grader == "openai":
            required_secret(
                self.openai_api_key, "OPENAI_API_KEY", "SABATINA_GRADER=openai grades with it"
            )
        return self
