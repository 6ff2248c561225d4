"""What every service reads from its environment. The only code that does."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

FAKE_SECRET_PREFIX = "simulated-"  # noqa: S105
WEAK_SECRETS = frozenset(
    {"secret", "changeme", "change-me", "password", "test", "token", "default"}
)


class ServiceSettings(BaseSettings):
    """Refuses to start with an empty, a well-known or, outside simulation, a sample secret."""

    model_config = SettingsConfigDict(env_prefix="SABATINA_", extra="ignore", frozen=True)

    service: str
    nats_url: str = "nats://127.0.0.1:4222"
    postgres_url: SecretStr = SecretStr("postgresql://127.0.0.1:5432/sabatina")
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    database_pool_size: Annotated[int, Field(ge=1)] = 8
    probe_host: str = "127.0.0.1"
    probe_port: int = 0
    """0 takes a free port."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    log_colors: bool = True
    """For the console format: without them, output to a file stays readable."""
    drain_seconds: float = 20.0
    simulation: bool = False
    """Follow the simulator's clock and accept its sample secrets. Never in production."""

    @field_validator("*", mode="after")
    @classmethod
    def _not_weak(cls, value: object) -> object:
        if isinstance(value, SecretStr) and value.get_secret_value().lower() in WEAK_SECRETS:
            raise ValueError(
                "a well-known word is not a secret; generate one, e.g. openssl rand -hex 32"
            )
        return value

    @model_validator(mode="after")
    def _sample_secrets_only_in_simulation(self) -> "ServiceSettings":
        for name, value in self:
            is_sample = (
                isinstance(value, SecretStr) and FAKE_SECRET_PREFIX in value.get_secret_value()
            )
            if is_sample and not self.simulation:
                raise ValueError(
                    f"SABATINA_{name.upper()} holds a sample value of the simulator;"
                    " set the real one, or SABATINA_SIMULATION=true on a developer's machine"
                )
        return self


def required_secret(value: SecretStr, name: str, purpose: str) -> SecretStr:
    """Raises ValueError, with what to do, when `value` is empty."""
    if not value.get_secret_value().strip():
        raise ValueError(f"{name} is empty: {purpose}")
    return value
