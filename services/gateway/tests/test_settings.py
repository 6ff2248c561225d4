import pytest
from pydantic import ValidationError

from .conftest import settings


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"waha_hmac_key": ""},
        {"whatsapp_app_secret": "", "whatsapp_verify_token": ""},
    ],
)
def test_either_channel_is_enough(changes: dict[str, str]) -> None:
    assert settings(**changes)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        (
            {"whatsapp_app_secret": "", "whatsapp_verify_token": " ", "waha_hmac_key": ","},
            "SABATINA_WAHA_HMAC_KEY",
        ),
        ({"whatsapp_app_secret": ""}, "needs SABATINA_WHATSAPP_APP_SECRET"),
        ({"whatsapp_verify_token": ""}, "needs SABATINA_WHATSAPP_VERIFY_TOKEN"),
        ({"admin_key": ""}, "empty"),
    ],
)
def test_what_is_missing_is_named_in_one_line(changes: dict[str, str], advice: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    [problem] = refused.value.errors(include_input=False, include_context=False)
    assert advice in problem["msg"]
    assert "\n" not in problem["msg"]
