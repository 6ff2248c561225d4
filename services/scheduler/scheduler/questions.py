"""A question file: these models are its schema, and the only way a question is read."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from common.events import Language, QuestionSnapshot, RubricPoint, Track

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


class Translation(Strict):
    topic: Annotated[str, Field(min_length=1, max_length=60)]
    question: Annotated[str, Field(min_length=1, max_length=500)]
    points: dict[str, PointText]
    reference: Annotated[str, Field(min_length=1)]
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
    minutes: Annotated[int, Field(strict=True, ge=1, le=30)]
    points: Annotated[tuple[Point, ...], Field(min_length=3, max_length=6)]
    languages: Translations

    def snapshot(self, language: Language) -> QuestionSnapshot:
        """Raises KeyError when a language lacks a point: the linter refuses such a file."""
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
        )
