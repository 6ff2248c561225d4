"""Why WAHA does not send, as numbers beside Meta's: below zero, where Meta has none."""

from enum import IntEnum

from pydantic import BaseModel, ValidationError


class WahaCode(IntEnum):
    STARTING = -1
    """The session will work in a moment."""
    SCAN_QR_CODE = -2
    """A person has to link the phone again."""
    FAILED = -3
    STOPPED = -4
    NOT_WORKING = -5
    """A state that this version does not know: nothing can be sent in it either."""
    UNAUTHORISED = -6
    NO_SESSION = -7
    NOT_UNDERSTOOD = -8
    """Our own mistake."""
    NOT_ON_WHATSAPP = -9


SESSION_CODES = frozenset(
    {
        WahaCode.SCAN_QR_CODE,
        WahaCode.FAILED,
        WahaCode.STOPPED,
        WahaCode.NOT_WORKING,
        WahaCode.NO_SESSION,
    }
)
"""A pause for one of these ends when the session works."""

_BY_STATUS = {
    "STARTING": WahaCode.STARTING,
    "SCAN_QR_CODE": WahaCode.SCAN_QR_CODE,
    "PASSKEY_REQUIRED": WahaCode.SCAN_QR_CODE,
    "PASSKEY_CONFIRMATION_REQUIRED": WahaCode.SCAN_QR_CODE,
    "FAILED": WahaCode.FAILED,
    "STOPPED": WahaCode.STOPPED,
}
_BY_HTTP = {
    400: WahaCode.NOT_UNDERSTOOD,
    413: WahaCode.NOT_UNDERSTOOD,
    401: WahaCode.UNAUTHORISED,
    403: WahaCode.UNAUTHORISED,
    404: WahaCode.NO_SESSION,
}


class _WrongState(BaseModel):
    status: str


def code_of(http_status: int, body: bytes) -> WahaCode | None:
    """None for an answer that is no word of WAHA's: a proxy's, perhaps."""
    if http_status != 422:
        return _BY_HTTP.get(http_status)
    try:
        return code_of_status(_WrongState.model_validate_json(body).status)
    except ValidationError:
        return None


def code_of_status(status: str) -> WahaCode:
    return _BY_STATUS.get(status, WahaCode.NOT_WORKING)
