"""What a registration must hold, and what to say to a person who got it wrong."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from common.events import Language, Preferences, RegisterUser, Track
from common.ids import UserId, new_id
from gateway.zones import zone_of_number

NAME_LIMIT = 80
ZONE_DESCRIPTION = "An IANA time zone. Left out, it is guessed from the number."

EXAMPLE: JsonDict = {
    "name": "Ana",
    "phone": "+5511987654321",
    "language": "pt",
    "tracks": ["python", "dsa"],
    "level": 2,
    "timezone": "America/Sao_Paulo",
    "time": "09:00",
    "consent": True,
}


class Registration(BaseModel):
    """Somebody who wants a question a day."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    name: Annotated[str | None, Field(max_length=NAME_LIMIT)] = None
    phone: str
    language: Language
    tracks: Annotated[list[Track], Field(min_length=1, max_length=4)]
    level: Annotated[int, Field(ge=1, le=3)] = 1
    timezone: Annotated[str | None, Field(description=ZONE_DESCRIPTION)] = None
    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "09:00"
    consent: Literal[True]

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str | None) -> str | None:
        """Control characters and markup have no place in a name."""
        if name is None:
            return None
        kept = "".join(character for character in name if character.isprintable())
        return kept.translate(str.maketrans("", "", "<>*_~`")).strip() or None

    @field_validator("phone")
    @classmethod
    def _e164(cls, phone: str) -> str:
        import phonenumbers

        try:
            number = phonenumbers.parse(phone, None)
        except phonenumbers.NumberParseException as error:
            raise ValueError("write it with + and the country code") from error
        if not phone.startswith("+") or not phonenumbers.is_possible_number(number):
            raise ValueError("write it with + and the country code")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str | None) -> str | None:
        if timezone is not None and timezone not in available_timezones():
            raise ValueError("not a known time zone")
        return timezone

    def command(self, consent_version: str, occurred_at: object) -> RegisterUser:
        return RegisterUser.model_validate(
            {
                "user_id": UserId(new_id()),
                "occurred_at": occurred_at,
                "name": self.name,
                "phone": self.phone,
                "language": self.language,
                "preferences": Preferences(
                    tracks=tuple(dict.fromkeys(self.tracks)),
                    level=self.level,
                    timezone=self.timezone or zone_of_number(self.phone),
                    time=self.time,
                ),
                "consent_version": consent_version,
            }
        )


FIELD_ADVICE = {
    "name": f"A name of at most {NAME_LIMIT} characters, or none.",
    "phone": "Your WhatsApp number with + and the country code, for example +5511987654321.",
    "language": "One of pt, en, es.",
    "tracks": "At least one of python, javascript, ruby, dsa.",
    "level": "1 (junior), 2 (mid-level) or 3 (senior).",
    "timezone": "An IANA time zone, for example America/Sao_Paulo or Europe/Lisbon.",
    "time": "A time of day as HH:MM, for example 09:00.",
    "consent": "We may only write to you when you agree: send true.",
}
