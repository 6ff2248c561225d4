"""A question file: these models are its schema, and the only way a question is read. The scheduler
asks it; the grader checks its answers and learns from them."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from common.events import (
    Anchor,
    Language,
    Misconception,
    QuestionSnapshot,
    RubricPoint,
    Track,
)

AnchorName = Literal["weak", "fair", "strong"]
ANCHOR_SCORES: dict[AnchorName, int] = {"weak": 3, "fair": 6, "strong": 9}
"""What people agreed that the anchor answers deserve, within a point."""

AnswerText = Annotated[str, Field(min_length=1, max_length=900)]

ShortText = Annotated[str, Field(min_length=1, max_length=160)]
Hint = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Point(Strict):
    """One thing that a good answer says."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    weight: Annotated[int, Field(strict=True, ge=1, le=3)]
    required: Annotated[bool, Field(strict=True)]


class PointText(Strict):
    text: ShortText
    keywords: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """Words by which an answer shows that it makes the point."""


class WrongBelief(Strict):
    """Something wrong that people believe. An answer that states it gets at most `cap`."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    cap: Annotated[int, Field(strict=True, ge=2, le=7)]


class WrongBeliefText(Strict):
    text: ShortText
    phrases: Annotated[tuple[Annotated[str, Field(min_length=6)], ...], Field(min_length=2)]
    """Ways to state it, each long enough to be nothing but this belief."""


class Translation(Strict):
    topic: Annotated[str, Field(min_length=1, max_length=60)]
    question: Annotated[str, Field(min_length=1, max_length=500)]
    points: dict[str, PointText]
    reference: AnswerText
    """Says every point; what the examiner compares with."""
    model_answer: AnswerText | None = None
    """Shown to people: what a good candidate says, with an example or a reason."""
    misconceptions: dict[str, WrongBeliefText] = {}
    anchors: dict[AnchorName, AnswerText] = {}
    hints: Annotated[tuple[Hint, ...], Field(min_length=3, max_length=3)]


class Translations(Strict):
    pt: Translation
    en: Translation
    es: Translation

    def of(self, language: Language) -> Translation:
        found: Translation = getattr(self, language)
        return found


class Question(Strict):
    """Any change of a published question needs a higher version."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Annotated[int, Field(strict=True, ge=1)]
    track: Track
    level: Annotated[int, Field(strict=True, ge=1, le=3)]
    topic: Annotated[str, Field(min_length=1)]
    concept: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    """The one idea that it is about: questions of one concept are not asked close together."""
    reviewed_on: date | None = None
    minutes: Annotated[int, Field(strict=True, ge=1, le=30)]
    points: Annotated[tuple[Point, ...], Field(min_length=3, max_length=6)]
    misconceptions: Annotated[tuple[WrongBelief, ...], Field(max_length=3)] = ()
    languages: Translations

    def snapshot(self, language: Language) -> QuestionSnapshot:
        """Raises KeyError when a language lacks a point: the linter refuses such a file."""
        others = tuple(self._said_in(other) for other in get_args(Language) if other != language)
        return self._said_in(language).model_copy(update={"translations": others})

    def _said_in(self, language: Language) -> QuestionSnapshot:
        said = self.languages.of(language)
        return QuestionSnapshot(
            question_id=self.id,
            version=self.version,
            track=self.track,
            level=self.level,
            topic=self.topic,
            language=language,
            text=said.question,
            points=tuple(
                RubricPoint(
                    id=point.id,
                    text=said.points[point.id].text,
                    keywords=said.points[point.id].keywords,
                    weight=point.weight,
                    required=point.required,
                )
                for point in self.points
            ),
            reference=said.reference,
            misconceptions=tuple(
                Misconception(
                    id=belief.id,
                    text=said.misconceptions[belief.id].text,
                    phrases=said.misconceptions[belief.id].phrases,
                    cap=belief.cap,
                )
                for belief in self.misconceptions
            ),
            anchors=tuple(
                Anchor(score=ANCHOR_SCORES[name], text=text) for name, text in said.anchors.items()
            ),
        )
