"""What the scheduler reads from its environment."""

from pathlib import Path

from common.settings import ServiceSettings


class Settings(ServiceSettings):
    service: str = "scheduler"
    content: Path | None = None
    """The folder that holds `questions/`; without it, `content` found upwards from here."""
