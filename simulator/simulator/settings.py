import random
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

WindowErrors = Literal["async", "sync"]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SABATINA_", env_ignore_empty=True, frozen=True)

    whatsapp_phone_number_id: str = "100000000000001"
    whatsapp_access_token: SecretStr = SecretStr("simulated-access-token")
    whatsapp_app_secret: SecretStr = SecretStr("simulated-app-secret")
    gateway_url: str = "http://127.0.0.1:8080"
    nats_url: str | None = None

    simulator_host: str = "127.0.0.1"
    simulator_port: int = 8090
    simulator_seed: int = Field(default_factory=lambda: random.randrange(2**32))
    simulator_state: Path | None = None
    simulator_templates: Path | None = None
    simulator_business_account_id: str = "100000000000002"
    simulator_business_phone: str = "5511300000000"
    simulator_window_errors: WindowErrors = "async"
    simulator_read_receipts: bool = True
    simulator_status_gap_seconds: float = Field(default=0.05, ge=0)
    simulator_webhook_batch: int = Field(default=1, ge=1, le=1000)
    simulator_webhook_connections: int = Field(default=32, ge=1)
    simulator_webhook_timeout_seconds: float = Field(default=10, gt=0)
    simulator_webhook_retry_seconds: float = Field(default=600, gt=0)
    simulator_pair_limit: bool = False
    simulator_throughput_per_second: int | None = Field(default=None, ge=1)

    @property
    def webhook_url(self) -> str:
        return self.gateway_url.rstrip("/") + "/webhook/whatsapp"

    @property
    def signing_secret(self) -> bytes:
        """The first of the comma-separated secrets; the others are for those who verify."""
        return self.whatsapp_app_secret.get_secret_value().split(",")[0].strip().encode()
