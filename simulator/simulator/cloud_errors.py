import json
import secrets
from typing import NamedTuple


class Meaning(NamedTuple):
    http_status: int
    title: str
    details: str


# Codes and meanings: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/
MEANINGS: dict[int, Meaning] = {
    2: Meaning(503, "API service", "Temporary, due to downtime or overload."),
    4: Meaning(400, "Too many API calls", "The app has reached its API call rate limit."),
    10: Meaning(403, "Permission denied", "Permission is not granted or has been removed."),
    33: Meaning(400, "Parameter value is not valid", "The business phone number was deleted."),
    100: Meaning(400, "Invalid parameter", "An unsupported or misspelled parameter."),
    190: Meaning(401, "Access token has expired", "The access token has expired."),
    368: Meaning(403, "Temporarily blocked", "The account violated a platform policy."),
    80007: Meaning(400, "Rate limit issues", "The business account reached its rate limit."),
    130429: Meaning(429, "Rate limit hit", "Cloud API message throughput has been reached."),
    130472: Meaning(400, "User is part of an experiment", "The message was not sent."),
    131000: Meaning(500, "Something went wrong", "Message failed due to an unknown error."),
    131005: Meaning(403, "Access denied", "Permission is not granted or has been removed."),
    131008: Meaning(400, "Required parameter is missing", "A required parameter is missing."),
    131009: Meaning(400, "Parameter value is not valid", "A parameter value is not valid."),
    131016: Meaning(503, "Service unavailable", "A service is temporarily unavailable."),
    131026: Meaning(400, "Message undeliverable", "Unable to deliver the message."),
    131031: Meaning(403, "Account has been locked", "The business account was locked."),
    131042: Meaning(400, "Business eligibility payment issue", "There is a payment problem."),
    131047: Meaning(
        400,
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last "
        "replied to this number.",
    ),
    131048: Meaning(400, "Spam rate limit hit", "Too many messages were blocked or reported."),
    131049: Meaning(
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: Meaning(400, "User has stopped marketing messages", "The user opted out."),
    131051: Meaning(400, "Message type unknown", "Message type is currently not supported."),
    131053: Meaning(400, "Media upload error", "Unable to upload the media of the message."),
    131056: Meaning(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number "
        "to the same phone number in a short period of time.",
    ),
    131057: Meaning(503, "Account in maintenance mode", "The account is in maintenance mode."),
    132000: Meaning(400, "Number of parameters does not match the expected number of params", ""),
    132001: Meaning(404, "Template name does not exist in the translation", ""),
    132005: Meaning(400, "Translated text too long", "The hydrated template is too long."),
    132012: Meaning(400, "Parameter format does not match format in the created template", ""),
    132015: Meaning(400, "Template is paused", "The template is paused due to low quality."),
    132016: Meaning(400, "Template is disabled", "The template was paused too many times."),
    132018: Meaning(400, "There is an issue with the parameters in your template", ""),
    133010: Meaning(400, "Account not registered", "The phone number is not registered."),
}

HELP = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
_TRANSIENT = {1, 2, 131000, 131016, 131057}
_OAUTH_ONLY = {10, 190}


def meaning_of(code: int) -> Meaning:
    return MEANINGS.get(code) or Meaning(400, "Simulated error", f"Simulated error {code}.")


class CloudError(Exception):
    """A refusal in the shape in which Meta answers it."""

    def __init__(self, code: int, details: str = "") -> None:
        self.code = code
        self.meaning = meaning_of(code)
        self.http_status = self.meaning.http_status
        self.message = f"(#{code}) {self.meaning.title}"
        self.details = details or self.meaning.details
        super().__init__(self.message)

    def body(self) -> bytes:
        error: dict[str, object] = {
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
        }
        if self.code not in _OAUTH_ONLY:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.code in _TRANSIENT:
            error["is_transient"] = True
        return _wrapped(error)


class MissingParameter(CloudError):
    def __init__(self, name: str) -> None:
        super().__init__(100, f"The parameter {name} is required.")
        self.message = f"(#100) The parameter {name} is required."


class InvalidAccessToken(CloudError):
    def __init__(self) -> None:
        super().__init__(190)
        self.message = "Invalid OAuth access token - Cannot parse access token"


class UnknownObject(CloudError):
    """An id in the path that is not ours: Meta's code 100 with subcode 33."""

    def __init__(self, object_id: str) -> None:
        super().__init__(100)
        self.message = (
            f"Unsupported post request. Object with ID '{object_id}' does not exist, cannot be "
            "loaded due to missing permissions, or does not support this operation"
        )

    def body(self) -> bytes:
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
