from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A part of what WhatsApp posts."""

    model_config = ConfigDict(frozen=True)
