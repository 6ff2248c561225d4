"""What Meta's error codes mean, in our own words.

Codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/
"""

from typing import NamedTuple


class Meaning(NamedTuple):
    http_status: int
    title: str
    details: str


_PERMISSION = "Permission is not granted or has been removed."
_TEMPLATE_CREATE = "The template cannot be created as it is."

MEANINGS: dict[int, Meaning] = {
    0: Meaning(401, "AuthException", "The app user could not be authenticated."),
    1: Meaning(400, "API Unknown", "Invalid request or possible server error."),
    2: Meaning(503, "API service", "Temporary, due to downtime or overload."),
    3: Meaning(403, "API Method", "The app lacks the capability for this call."),
    4: Meaning(400, "Too many API calls", "The app has reached its API call rate limit."),
    10: Meaning(403, "Permission denied", _PERMISSION),
    17: Meaning(400, "User request limit reached", "The user has made too many calls."),
    33: Meaning(400, "Parameter value is not valid", "The business phone number was deleted."),
    100: Meaning(400, "Invalid parameter", "An unsupported or misspelled parameter."),
    190: Meaning(401, "Access token has expired", "The access token has expired."),
    200: Meaning(403, "API Permission", _PERMISSION),
    368: Meaning(403, "Temporarily blocked", "The account violated a platform policy."),
    613: Meaning(400, "Calls to this api have exceeded the rate limit", "Too many calls."),
    80007: Meaning(400, "Rate limit issues", "The business account reached its rate limit."),
    130429: Meaning(429, "Rate limit hit", "Cloud API message throughput has been reached."),
    130472: Meaning(400, "User is part of an experiment", "The message was not sent."),
    130497: Meaning(403, "Business account is restricted", "Not allowed in the user's country."),
    131000: Meaning(500, "Something went wrong", "Message failed due to an unknown error."),
    131005: Meaning(403, "Access denied", _PERMISSION),
    131008: Meaning(400, "Required parameter is missing", "A required parameter is missing."),
    131009: Meaning(400, "Parameter value is not valid", "A parameter value is not valid."),
    131016: Meaning(503, "Service unavailable", "A service is temporarily unavailable."),
    131021: Meaning(400, "Recipient cannot be sender", "Sender and recipient are the same."),
    131026: Meaning(400, "Message undeliverable", "Unable to deliver the message."),
    131030: Meaning(400, "Recipient not in allowed list", "Add the number to the allowed list."),
    131031: Meaning(403, "Account has been locked", "The business account was locked."),
    131037: Meaning(400, "Display name approval needed", "The display name is not approved."),
    131042: Meaning(400, "Business eligibility payment issue", "There is a payment problem."),
    131044: Meaning(400, "Business eligibility payment issue", "The payment account is missing."),
    131045: Meaning(500, "Incorrect certificate", "The phone number could not be registered."),
    131047: Meaning(
        400,
        "Re-engagement message",
        "More than 24 hours have passed since the person last wrote to this number.",
    ),
    131048: Meaning(400, "Spam rate limit hit", "Too many messages were blocked or reported."),
    131049: Meaning(
        400,
        "Message not delivered to maintain healthy ecosystem engagement",
        "WhatsApp chose not to deliver this message to this person.",
    ),
    131050: Meaning(400, "User has stopped marketing messages", "The user opted out."),
    131051: Meaning(400, "Message type unknown", "Message type is currently not supported."),
    131052: Meaning(400, "Media download error", "The media could not be downloaded."),
    131053: Meaning(400, "Media upload error", "Unable to upload the media of the message."),
    131056: Meaning(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "Too many messages from this number to the same person in a short time.",
    ),
    131057: Meaning(503, "Account in maintenance mode", "The account is in maintenance mode."),
    131060: Meaning(400, "This message is unavailable", "The message can no longer be had."),
    131062: Meaning(400, "User id not supported", "This message needs the person's number."),
    131063: Meaning(400, "Marketing templates disabled", "Not on Cloud API for this account."),
    131064: Meaning(400, "Classification limit hit", "Templates were put in a wrong category."),
    132000: Meaning(400, "Number of parameters does not match the expected number of params", ""),
    132001: Meaning(404, "Template name does not exist in the translation", ""),
    132005: Meaning(400, "Translated text too long", "The hydrated template is too long."),
    132007: Meaning(400, "Template format character policy violated", "The content is refused."),
    132008: Meaning(400, "Template parameter format mismatch", "A parameter has another format."),
    132012: Meaning(400, "Parameter format does not match format in the created template", ""),
    132015: Meaning(400, "Template is paused", "The template is paused due to low quality."),
    132016: Meaning(400, "Template is disabled", "The template was paused too many times."),
    132018: Meaning(400, "There is an issue with the parameters in your template", ""),
    132068: Meaning(400, "Flow is blocked", "The flow is in a blocked state."),
    132069: Meaning(400, "Flow is throttled", "The flow has reached its hourly limit."),
    133000: Meaning(500, "Incomplete deregistration", "An earlier deregistration failed."),
    133004: Meaning(503, "Server temporarily unavailable", "Try again later."),
    133005: Meaning(400, "Two step verification PIN mismatch", "The PIN is wrong."),
    133006: Meaning(400, "Phone number re-verification needed", "Verify the number again."),
    133008: Meaning(400, "Too many two step verification PIN guesses", "Wait, then try again."),
    133009: Meaning(400, "Two step verification PIN guessed too fast", "Wait, then try again."),
    133010: Meaning(400, "Account not registered", "The phone number is not registered."),
    133015: Meaning(400, "Please wait a few minutes", "The number was just deregistered."),
    133016: Meaning(400, "Account register deregister rate limit exceeded", "Wait 72 hours."),
    134011: Meaning(400, "Payments terms of service", "They have not been accepted."),
    135000: Meaning(400, "Generic user error", "The message could not be sent."),
    137000: Meaning(400, "Identity key mismatch", "The person's identity key has changed."),
    2388023: Meaning(400, "Template language is being deleted", _TEMPLATE_CREATE),
    2388024: Meaning(400, "Content in this language already exists", _TEMPLATE_CREATE),
}


def meaning_of(code: int) -> Meaning:
    return MEANINGS.get(code) or Meaning(400, "Simulated error", f"Simulated error {code}.")
