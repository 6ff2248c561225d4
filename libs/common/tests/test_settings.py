import pytest
from pydantic import SecretStr, ValidationError

from common import service
from common.settings import ServiceSettings, required_secret


class Settings(ServiceSettings):
    service: str = "test"
    token: SecretStr = SecretStr("")


def test_a_well_known_word_is_no_secret() -> None:
    with pytest.raises(ValidationError, match="openssl rand"):
        Settings(token=SecretStr("ChangeMe"))


def test_a_sample_secret_is_refused_outside_simulation() -> None:
    with pytest.raises(ValidationError, match="SABATINA_TOKEN holds a sample value"):
        Settings(token=SecretStr("simulated-token"))
    assert Settings(token=SecretStr("simulated-token"), simulation=True).simulation


def test_an_empty_secret_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="SABATINA_TOKEN is empty: nobody could log in"):
        required_secret(SecretStr("  "), "SABATINA_TOKEN", "nobody could log in")


def test_secrets_do_not_show_in_the_settings_text() -> None:
    shown = str(Settings(token=SecretStr("f3a9c2")))
    assert "f3a9c2" not in shown


def test_the_environment_is_read_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SABATINA_LOG_LEVEL", "WARNING")
    assert Settings().log_level == "WARNING"
    monkeypatch.setenv("SABATINA_LOG_LEVEL", "LOUD")
    with pytest.raises(ValidationError):
        Settings()


def test_a_wrong_setting_ends_the_program_with_one_line_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SABATINA_TOKEN", "simulated-and-private")

    async def main() -> None:
        Settings()

    with pytest.raises(SystemExit) as ended:
        service.run(main)
    assert "SABATINA_TOKEN holds a sample value" in str(ended.value)
    assert "private" not in str(ended.value)
