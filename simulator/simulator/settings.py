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
    waha_url: str = ""
    """Under which callers reach the simulated WAHA; it names its files so."""
    waha_api_key: SecretStr = SecretStr("simulated-waha-key")
    waha_hmac_key: SecretStr = SecretStr("simulated-waha-hmac-key")
    waha_session: str = "default"
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
    simulator_tier: int | None = Field(default=None, ge=1)
    simulator_template_review_seconds: float | None = Field(default=0, ge=0)
    simulator_user_ids: bool = True

    simulator_waha_number: str = "5511400000000"
    simulator_waha_engine: Literal["GOWS", "NOWEB"] = "GOWS"
    simulator_waha_paired: bool = True
    simulator_waha_backlog: bool = False
    """Whether hooks are told, after a pause, of what came during it."""
    simulator_waha_events: str = (
        "session.status,message,message.ack,message.edited,message.revoked,"
        "message.reaction,poll.vote"
    )
    """Of the server's own hook; empty for none."""
    simulator_waha_start_seconds: float = Field(default=0.3, ge=0)
    simulator_waha_retry_policy: Literal["constant", "linear", "exponential"] = "constant"
    simulator_waha_retry_delay_seconds: float = Field(default=2, gt=0)
    simulator_waha_retry_attempts: int = Field(default=15, ge=0)

    @property
    def waha_webhook_url(self) -> str:
        return self.gateway_url.rstrip("/") + "/webhook/waha"

    @property
    def waha_public_url(self) -> str:
        here = f"http://{self.simulator_host}:{self.simulator_port}/waha"
        return self.waha_url.rstrip("/") or here

    @property
    def waha_events(self) -> tuple[str, ...]:
        return tuple(event.strip() for event in self.simulator_waha_events.split(",") if event)

    @property
    def webhook_url(self) -> str:
        return self.gateway_url.rstrip("/") + "/webhook/whatsapp"

    @property
    def signing_secret(self) -> bytes:
        """The first of the comma-separated secrets; the others are for those who verify."""
        return self.whatsapp_app_secret.get_secret_value().split(",")[0].strip().encode()
