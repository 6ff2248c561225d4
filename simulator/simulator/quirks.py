from typing import Literal

from pydantic import BaseModel, ConfigDict


class Quirks(BaseModel):
    """In what Meta's payloads differ from one account, version and month to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_ids: bool = True
    contacts: bool = True
    millisecond_timestamps: bool = False
    pricing: Literal["PMP", "CBP", "none"] = "PMP"
    error_data: Literal["object", "string", "absent"] = "object"
