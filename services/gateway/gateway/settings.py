from datetime import timedelta

from pydantic import SecretStr, field_validator

from common.settings import ServiceSettings, required_secret


class Settings(ServiceSettings):
    service: str = "gateway"
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed, comma-separated; `*` believes everybody."""
    whatsapp_app_secret: SecretStr = SecretStr("")
    """Comma-separated while it is rotated: either is accepted."""
    whatsapp_verify_token: SecretStr = SecretStr("")
    admin_key: SecretStr = SecretStr("")
    register_limit: int = 10
    register_window: timedelta = timedelta(minutes=1)
    consent_version: str = "1"
    simulator_url: str = "http://127.0.0.1:8090"
    """Only shown on the start page, and only in simulation."""

    @field_validator("whatsapp_app_secret", "whatsapp_verify_token", "admin_key")
    @classmethod
    def _is_set(cls, value: SecretStr) -> SecretStr:
        return required_secret(value, "a gateway secret", "anybody could speak to the gateway")

    @property
    def app_secrets(self) -> tuple[bytes, ...]:
        parts = self.whatsapp_app_secret.get_secret_value().split(",")
        return tuple(part.strip().encode() for part in parts if part.strip())
