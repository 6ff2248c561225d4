"""What the grader reads from its environment."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from common.events import Value
from common.settings import ServiceSettings, required_secret


class Price(Value):
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal

    def of(self, tokens_in: int, tokens_out: int) -> Decimal:
        return (self.input * tokens_in + self.output * tokens_out) / 1_000_000


PRICES = {
    "gpt-6-luna": Price(input=Decimal("0.10"), output=Decimal("0.50")),
    "gpt-5.6-luna": Price(input=Decimal("0.20"), output=Decimal("1.20")),
}

OPENAI = "api.openai.com"
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def _none_if_empty(value: str | None) -> str | None:
    return value or None


NoLimit = BeforeValidator(lambda value: None if value == "" else value)


class Settings(ServiceSettings):
    service: str = "grader"
    grader: Literal["auto", "openai", "local"] = "auto"
    grader_model: str = "gpt-6-luna"
    grader_api: Literal["auto", "chat", "responses"] = "auto"
    """`auto`: Responses for OpenAI itself, chat completions for every other server."""
    grader_effort: Effort | Literal[""] = "low"
    """Empty: not sent. A server that refuses it is not sent it again."""
    grader_second_model: str = ""
    """Examines disputed scores; without it the local examiner does."""
    grader_daily_budget_usd: Annotated[Annotated[Decimal, Field(gt=0)] | None, NoLimit] = Decimal(5)
    """For a day of UTC, over all replicas; empty, like the next: no limit. A model without a known
    price does not count."""
    grader_daily_tokens: Annotated[Annotated[int, Field(gt=0)] | None, NoLimit] = 20_000_000
    grader_daily_per_person: Annotated[int, Field(ge=1)] = 20
    """Examinations by the model; from then on the local examiner grades, provisionally."""
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

    @property
    def uses_responses(self) -> bool:
        if self.grader_api != "auto":
            return self.grader_api == "responses"
        return self.openai_base_url is None or urlsplit(self.openai_base_url).hostname == OPENAI

    @model_validator(mode="after")
    def _budget_needs_prices(self) -> "Settings":
        is_asked_for = "grader_daily_budget_usd" in self.model_fields_set
        models = {self.grader_model, self.grader_second_model} - {""}
        unknown = sorted(models - self.grader_prices.keys())
        if self.has_llm and is_asked_for and self.grader_daily_budget_usd and unknown:
            raise ValueError(
                f"SABATINA_GRADER_DAILY_BUDGET_USD cannot be kept: the price of {unknown[0]} is not"
                " known; add it to SABATINA_GRADER_PRICES"
            )
        return self

    @model_validator(mode="after")
    def _openai_needs_its_key(self) -> "Settings":
        if self.grader == "openai":
            required_secret(
                self.openai_api_key, "OPENAI_API_KEY", "SABATINA_GRADER=openai grades with it"
            )
        return self
