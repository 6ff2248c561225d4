import json
import secrets

from simulator.meanings import meaning_of
from simulator.quirks import Quirks

HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
_TRANSIENT = {1, 2, 4, 131000, 131016, 131057, 133004}
_OAUTH_ONLY = {0, 3, 10, 190, 200}


class CloudError(Exception):
    """A refusal in the shape in which Meta answers it."""

    def __init__(self, code: int, details: str = "", subcode: int | None = None) -> None:
        self.code = code
        self.subcode = subcode
        self.meaning = meaning_of(code)
        self.http_status = self.meaning.http_status
        self.message = f"(#{code}) {self.meaning.title}"
        self.details = details or self.meaning.details
        super().__init__(self.message)

    def body(self, quirks: Quirks) -> bytes:
        error: dict[str, object] = {
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
        }
        if self.code not in _OAUTH_ONLY and quirks.error_data == "object":
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.code not in _OAUTH_ONLY and quirks.error_data == "string":
            error["error_data"] = self.details
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.code in _TRANSIENT:
            error["is_transient"] = True
        return _wrapped(error)


class MissingParameter(CloudError):
    def __init__(self, name: str) -> None:
        super().__init__(100, f"The parameter {name} is required.")
        self.message = f"(#100) The parameter {name} is required."


class InvalidParameter(CloudError):
    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(100, f"Param {parameter} {reason}")
        self.message = f"(#100) Param {parameter} {reason}"


class InvalidAccessToken(CloudError):
    def __init__(self) -> None:
        super().__init__(190)
        self.message = "Invalid OAuth access token - Cannot parse access token"


class UnknownObject(CloudError):
    """An id in the path that is not ours: Meta's code 100 with subcode 33."""

    def __init__(self, object_id: str, method: str = "POST") -> None:
        super().__init__(100)
        self.message = (
            f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
            "cannot be loaded due to missing permissions, or does not support this operation"
        )

    def body(self, quirks: Quirks) -> bytes:
        return _wrapped(
            {
                "message": self.message,
                "type": "GraphMethodException",
                "code": 100,
                "error_subcode": 33,
            }
        )


class ServerFailure(CloudError):
    """A bare HTTP failure, as from a broken or overloaded front end."""

    def __init__(self, http_status: int = 500) -> None:
        super().__init__(2)
        self.http_status = http_status
        self.message = "(#2) Service temporarily unavailable"


def _wrapped(error: dict[str, object]) -> bytes:
    return json.dumps({"error": error | {"fbtrace_id": secrets.token_urlsafe(8)}}).encode()
