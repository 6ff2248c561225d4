"""Speech to text as OpenAI's API has it, for voice notes that carry their words."""

from simulator.multipart import FormPart, parse_form
from simulator.voice import heard_in


class MissingPart(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: field required")


def transcribe(content_type: str, body: bytes) -> tuple[str, str]:
    """The text, and the response format that was asked for."""
    form = parse_form(content_type, body)
    audio = _required(form, "file")
    _required(form, "model")
    wanted = form.get("response_format")
    return heard_in(audio.data), wanted.text if wanted else "json"


def _required(form: dict[str, FormPart], name: str) -> FormPart:
    if name not in form:
        raise MissingPart(name)
    return form[name]
