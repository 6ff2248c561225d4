from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from messenger.settings import Settings

GOOD = {
    "SABATINA_WHATSAPP_PHONE_NUMBER_ID": "100200300",
    "SABATINA_WHATSAPP_ACCESS_TOKEN": "a-real-token",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_defaults_are_production(environment: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert settings.whatsapp_api_url == "https://graph.facebook.com/v26.0"
    assert settings.whatsapp_rate == 80
    assert settings.assumed_tier == "250"


def test_a_simulation_has_no_tier_unless_it_is_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SABATINA_SIMULATION", "true")
    assert Settings().assumed_tier == "unlimited"
    environment.setenv("SABATINA_WHATSAPP_TIER", "2000")
    assert Settings().assumed_tier == "2000"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"SABATINA_WHATSAPP_ACCESS_TOKEN": ""}, "SABATINA_WHATSAPP_ACCESS_TOKEN is empty"),
        ({"SABATINA_WHATSAPP_ACCESS_TOKEN": "token"}, "well-known word"),
        ({"SABATINA_WHATSAPP_ACCESS_TOKEN": "simulated-token"}, "sample value"),
        ({"SABATINA_WHATSAPP_PHONE_NUMBER_ID": ""}, "SABATINA_WHATSAPP_PHONE_NUMBER_ID"),
        ({"SABATINA_CHANNEL": "waha"}, "SABATINA_WAHA_URL is missing"),
        ({"SABATINA_WHATSAPP_API_URL": "http://127.0.0.1:8090/v26.0"}, "on this machine"),
        ({"SABATINA_WHATSAPP_API_URL": "http://localhost:8090/v26.0"}, "on this machine"),
        ({"SABATINA_WHATSAPP_API_URL": "http://[::1]:8090/v26.0"}, "on this machine"),
    ],
)
def test_a_wrong_setting_refuses_to_start_and_says_which(
    environment: pytest.MonkeyPatch, wrong: Mapping[str, str], told: str
) -> None:
    for name, value in wrong.items():
        environment.setenv(name, value)
    with pytest.raises(ValidationError, match=told):
        Settings()


def test_a_simulator_is_for_simulation(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SABATINA_WHATSAPP_API_URL", "http://127.0.0.1:8090/v26.0")
    environment.setenv("SABATINA_WHATSAPP_ACCESS_TOKEN", "simulated-token")
    environment.setenv("SABATINA_SIMULATION", "true")
    assert Settings().simulation


def test_people_are_told_of_openai_only_when_it_can_be_asked(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("OPENAI_API_KEY", raising=False)
    assert Settings().constants["ai_provider"] == ""
    environment.setenv("OPENAI_API_KEY", "a-key-of-the-tests")
    assert Settings().constants["ai_provider"] == "OpenAI"
    environment.setenv("SABATINA_AI_PROVIDER", "Example")
    assert Settings().constants["ai_provider"] == "Example"
