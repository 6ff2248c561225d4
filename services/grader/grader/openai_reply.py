"""What the model must reply, and what it is told when it did not."""

from pydantic import TypeAdapter, ValidationError

from common.events import QuestionSnapshot, Value
from grader.rubric import Mark, Verdict

# Written out, because strict mode wants every property required and none beside them.
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "verdict": {"type": "string", "enum": ["met", "partly", "missing", "wrong"]},
                    "quote": {"type": "string"},
                },
                "required": ["id", "verdict", "quote"],
                "additionalProperties": False,
            },
        },
        "next_step": {"type": "string"},
        "gradable": {"type": "boolean"},
        "contradictions": {"type": "array", "items": {"type": "string"}},
        "misconceptions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["id", "quote"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["points", "next_step", "gradable", "contradictions", "misconceptions"],
    "additionalProperties": False,
}


class ReplyPoint(Value):
    id: str
    verdict: Verdict
    quote: str = ""


class ReplyBelief(Value):
    id: str
    quote: str = ""


class Reply(Value):
    points: tuple[ReplyPoint, ...]
    next_step: str = ""
    gradable: bool = True
    contradictions: tuple[str, ...] = ()
    misconceptions: tuple[ReplyBelief, ...] = ()

    @property
    def stated_beliefs(self) -> list[tuple[str, str]]:
        return [(belief.id, belief.quote) for belief in self.misconceptions]

    @property
    def marks(self) -> list[Mark]:
        return [Mark(point_id=p.id, verdict=p.verdict, quote=p.quote) for p in self.points]


class PointsAreIncomplete(Exception):
    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"no verdict for the points {', '.join(missing)}")


_REPLY = TypeAdapter(Reply)


def read_reply(content: str, question: QuestionSnapshot) -> Reply:
    """Raises ValidationError or PointsAreIncomplete. Some servers fence the JSON as Markdown."""
    bare = content.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    reply = _REPLY.validate_json(bare)
    given = {point.id for point in reply.points}
    if missing := [point.id for point in question.points if point.id not in given]:
        raise PointsAreIncomplete(missing)
    return reply


def complaint_about(error: ValidationError | PointsAreIncomplete) -> str:
    """Names the fault without repeating the reply, which may quote the answer."""
    if isinstance(error, ValidationError):
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'reply'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)[:5]
        )
    else:
        faults = str(error)
    return f"Your previous reply could not be read ({faults}). Reply with the JSON object only."
