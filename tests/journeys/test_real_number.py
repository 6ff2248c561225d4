"""Without the simulator: the same stack with the settings of a real number."""

from pathlib import Path

import pytest

from devstack.servers import free_port, passing_folder
from devstack.stack import Stack, StackOptions

pytestmark = pytest.mark.journeys


def test_the_stack_becomes_ready_with_a_real_numbers_settings(tmp_path: Path) -> None:
    environment = {
        "SABATINA_WHATSAPP_API_URL": "https://graph.example.invalid/v26.0",
        "SABATINA_WHATSAPP_PHONE_NUMBER_ID": str(free_port()),
        "SABATINA_WHATSAPP_ACCESS_TOKEN": "b7c1f6e2d9",
        "SABATINA_WHATSAPP_APP_SECRET": "a94f0e6c13",
        "SABATINA_WHATSAPP_VERIFY_TOKEN": "c2d6b8e071",
        "SABATINA_ADMIN_KEY": "d08e5a9f42",
    }
    with passing_folder() as folder:
        options = StackOptions(
            folder=folder,
            log_folder=tmp_path,
            is_durable=False,
            with_simulator=False,
            environment=environment,
        )
        stack = Stack(options)
        stack.start()
        try:
            assert set(stack.programs) == set(options.services)
        finally:
            stack.stop()
