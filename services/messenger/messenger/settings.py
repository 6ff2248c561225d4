import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from common.events import Channel as ChannelName
from common.settings import ServiceSettings, required_secret

LOOPBACK_NAMES = ("localhost", ".localhost")


class Settings(ServiceSettings, validate_default=True):
    service: str = "messenger"
    channel: ChannelName = "cloud"
    """The channel of people who have not written yet; both may be configured at once."""
    whatsapp_api_url: str = "https://graph.facebook.com/v26.0"
    """With the version, without the number."""
    whatsapp_phone_number_id: str = ""
    whatsapp_access_token: SecretStr = SecretStr("")
    whatsapp_rate: Annotated[float, Field(gt=0)] = 80.0
    """Messages a second that WhatsApp allows this number, over all replicas."""
    waha_url: str = ""
    """Empty: there is no WAHA channel."""
    waha_api_key: SecretStr = SecretStr("")
    waha_session: str = "default"
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
    ai_provider: str = "OpenAI"
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
    def constants(self) -> dict[str, str]:
        """Values that every text of the catalogue may use."""
        return {
            "brand": self.brand,
            "controller": self.controller,
            "privacy_url": self.privacy_url,
            "support_contact": self.support_contact,
            "ai_provider": self.ai_provider,
            "policy_version": self.policy_version,
        }


def _is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == LOOPBACK_NAMES[0] or host.endswith(LOOPBACK_NAMES[1]):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
