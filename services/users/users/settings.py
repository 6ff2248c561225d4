from typing import Annotated

from pydantic import Field

from common.events import Channel
from common.settings import ServiceSettings


class Settings(ServiceSettings):
    service: str = "users"
    policy_version: Annotated[str, Field(min_length=1)] = "1"
    """The version of the consent text that people see; stored with each consent."""
    channel: Channel = "cloud"
    """On which somebody from the web is written to until they have written themselves."""
