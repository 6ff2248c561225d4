from datetime import timedelta

from pydantic import SecretStr, field_validator, model_validator

from common.settings import ServiceSettings, required_secret


class Settings(ServiceSettings):
    service: str = "gateway"
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed, comma-separated; `*` believes everybody."""
    whatsapp_app_secret: SecretStr = SecretStr("")
    """Comma-separated while it is rotated: either is accepted. Empty: no Cloud API."""
    whatsapp_verify_token: SecretStr = SecretStr("")
    waha_hmac_key: SecretStr = SecretStr("")
    """What WAHA signs its webhooks with; comma-separated while it is rotated. Empty: no WAHA."""
    waha_session: str = "default"
    """Whose events are ours, where one WAHA serves several numbers."""
    admin_key: SecretStr = SecretStr("")
    register_limit: int = 10
    register_window: timedelta = timedelta(minutes=1)
    consent_version: str = "1"
    simulator_url: str = "http://127.0.0.1:8090"
    """Only shown on the start page, and only in simulation."""

    @field_validator("admin_key")
    @classmethod
    def _is_set(cls, value: SecretStr) -> SecretStr:
        return required_secret(value, "a gateway secret", "anybody could speak to the gateway")

    @model_validator(mode="after")
    def _has_a_channel(self) -> "Settings":
        """Refuses a channel that is half set, and a gateway that nobody could write to."""
        has_token = bool(self.whatsapp_verify_token.get_secret_value().strip())
        if not self.app_secrets and not has_token and not self.waha_keys:
            raise ValueError(
                "no WhatsApp channel: set SABATINA_WHATSAPP_APP_SECRET and"
                " SABATINA_WHATSAPP_VERIFY_TOKEN for the Cloud API, or SABATINA_WAHA_HMAC_KEY"
                " for WAHA"
            )
        if has_token and not self.app_secrets:
            raise ValueError("the Cloud API also needs SABATINA_WHATSAPP_APP_SECRET: set it")
        if self.app_secrets and not has_token:
            raise ValueError("the Cloud API also needs SABATINA_WHATSAPP_VERIFY_TOKEN: set it")
        return self

    @property
    def app_secrets(self) -> tuple[bytes, ...]:
        return _parts(self.whatsapp_app_secret)

    @property
    def waha_keys(self) -> tuple[bytes, ...]:
        return _parts(self.waha_hmac_key)


def _parts(secret: SecretStr) -> tuple[bytes, ...]:
    parts = secret.get_secret_value().split(",")
    return tuple(part.strip().encode() for part in parts if part.strip())
