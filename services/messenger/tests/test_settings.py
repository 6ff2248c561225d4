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
