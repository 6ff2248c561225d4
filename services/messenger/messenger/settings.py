import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from common.events import Channel as ChannelName
from common.settings import ServiceSettings, required_secret
from messenger.limits.budgets import Tier

LOOPBACK_NAMES = ("localhost", ".localhost")
CLOUD_API = "https://graph.facebook.com/v26.0"


def _none_if_empty(value: str | None) -> str | None:
    return value or None


class Settings(ServiceSettings, validate_default=True):
    service: str = "messenger"
    channel: ChannelName = "cloud"
    """The channel of people who have not written yet; both may be configured at once."""
    whatsapp_api_url: str = CLOUD_API
    """With the version, without the number."""
    whatsapp_phone_number_id: str = ""
    whatsapp_access_token: SecretStr = SecretStr("")
    whatsapp_rate: Annotated[float, Field(gt=0)] = 80.0
    """Messages a second that WhatsApp allows this number, over all replicas."""
    whatsapp_tier: Tier | None = None
    """How many people WhatsApp lets us reach in 24 hours, until it tells; left out: 250, or in
    simulation unlimited."""
    whatsapp_business_account_id: str = ""
    """Whose templates are asked for when the service starts; empty: only webhooks tell of them."""
    read_receipts: bool = True
    """Mark what people write as read, and show that a reply is being written."""
    transcription: bool = True
    """Voice notes are written down when there is a key of OpenAI."""
    transcription_model: str = "gpt-4o-mini-transcribe"
    transcription_timeout: timedelta = timedelta(seconds=25)
    """For one request; it is made at most twice."""
    openai_api_key: Annotated[SecretStr, Field(validation_alias="OPENAI_API_KEY")] = SecretStr("")
    openai_base_url: Annotated[
        str | None, Field(validation_alias="OPENAI_BASE_URL"), AfterValidator(_none_if_empty)
    ] = None
    waha_url: str = ""
    """Empty: there is no WAHA channel."""
    waha_api_key: SecretStr = SecretStr("")
    waha_session: str = "default"
    waha_in_flight: Annotated[int, Field(ge=1)] = 4
    waha_human_pace: Annotated[float, Field(ge=0)] = 1.0
    """Multiplies typing and gaps; 0: none, for the simulator."""
    waha_gap: timedelta = timedelta(seconds=30)
    """Between two people who did not ask: at least this, at most twice as much."""
    waha_daily_jitter: timedelta = timedelta(minutes=20)
    """A daily question leaves up to this much after the person's hour."""
    waha_daily_limit: Annotated[int, Field(ge=1)] = 250
    """People to write to, unasked, in any 24 hours."""
    waha_first_day_limit: Annotated[int, Field(ge=1)] = 20
    """A new number begins with so many, and may have as many more each day."""
    waha_silent_after: timedelta = timedelta(minutes=10)
    """A session that works and tells nothing for so long after a send is restarted."""
    messenger_replicas: Annotated[int, Field(ge=1)] = 1
    """Divides the rate while Redis is away."""
    messenger_in_flight: Annotated[int, Field(ge=1)] = 64
    """Calls to WhatsApp at once in one process."""
    content: Path = Path("content")
    brand: str = "Sabatina"
    controller: str = "Sabatina"
    """Who is responsible for the data, as the law wants it named."""
    privacy_url: str = "https://sabatina.example/privacy"
    support_contact: str = "support@sabatina.example"
    ai_provider: str = ""
    """Who else sees the answers; empty: OpenAI when there is a key of theirs, otherwise nobody."""
    policy_version: str = "1"

    @field_validator("whatsapp_phone_number_id", mode="after")
    @classmethod
    def _number_is_digits(cls, value: str) -> str:
        if value and not value.isdecimal():
            raise ValueError("SABATINA_WHATSAPP_PHONE_NUMBER_ID is the number's id: digits only")
        return value

    @model_validator(mode="after")
    def _chosen_channel_is_configured(self) -> "Settings":
        if self.channel not in self.channels:
            name = {"cloud": "SABATINA_WHATSAPP_PHONE_NUMBER_ID", "waha": "SABATINA_WAHA_URL"}
            raise ValueError(f"SABATINA_CHANNEL is {self.channel}: {name[self.channel]} is missing")
        return self

    @model_validator(mode="after")
    def _secrets_are_set(self) -> "Settings":
        if self.whatsapp_phone_number_id:
            required_secret(
                self.whatsapp_access_token,
                "SABATINA_WHATSAPP_ACCESS_TOKEN",
                "create a system user's token with whatsapp_business_messaging",
            )
        if self.waha_url:
            required_secret(
                self.waha_api_key, "SABATINA_WAHA_API_KEY", "use a key of WAHA for this session"
            )
        return self

    @model_validator(mode="after")
    def _production_speaks_to_whatsapp(self) -> "Settings":
        if not self.simulation and _is_loopback(self.whatsapp_api_url):
            raise ValueError(
                "SABATINA_WHATSAPP_API_URL is on this machine: a simulator, perhaps. Set Meta's,"
                " or SABATINA_SIMULATION=true"
            )
        return self

    @property
    def channels(self) -> tuple[ChannelName, ...]:
        cloud: tuple[ChannelName, ...] = ("cloud",) if self.whatsapp_phone_number_id else ()
        return (*cloud, "waha") if self.waha_url else cloud

    @property
    def assumed_tier(self) -> Tier:
        return self.whatsapp_tier or ("unlimited" if self.simulation else "250")

    @property
    def has_openai_key(self) -> bool:
        return bool(self.openai_api_key.get_secret_value().strip())

    @property
    def constants(self) -> dict[str, str]:
        """Values that every text of the catalogue may use."""
        return {
            "brand": self.brand,
            "controller": self.controller,
            "privacy_url": self.privacy_url,
            "support_contact": self.support_contact,
            "ai_provider": self.ai_provider or ("OpenAI" if self.has_openai_key else ""),
            "policy_version": self.policy_version,
        }


class TemplateSettings(ServiceSettings, validate_default=True):
    """What `python -m messenger.templates` needs: no number, no servers."""

    service: str = "messenger"
    whatsapp_api_url: str = CLOUD_API
    whatsapp_business_account_id: Annotated[str, Field(pattern=r"^\d+$")] = ""
    whatsapp_access_token: SecretStr = SecretStr("")
    content: Path = Path("content")

    @model_validator(mode="after")
    def _token_is_set(self) -> "TemplateSettings":
        required_secret(
            self.whatsapp_access_token,
            "SABATINA_WHATSAPP_ACCESS_TOKEN",
            "create a system user's token with whatsapp_business_management",
        )
        return self


def _is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == LOOPBACK_NAMES[0] or host.endswith(LOOPBACK_NAMES[1]):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
