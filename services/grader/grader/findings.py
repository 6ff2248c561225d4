"""What is found out about an examiner: on graded answers, on our packs, and on answers that are
none."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.events import Language
from common.questions import Question
from grader.agreement import pearson, quadratic_weighted_kappa, rmse, spearman
from grader.anchors import LANGUAGES, AnchorFigures, Crossing, anchor_figures, crossings, mean
from grader.answer_text import LONGEST
from grader.bank_check import mark, score
from grader.candidates import Watched, each
from grader.evaluate import Row, predict
from grader.examiners import Examiner
from grader.robustness import Tally, cases_of, tallies
from grader.words import words_of

AT_ONCE = 8
LENGTHS = {
    "up to 10 words": range(11),
    "11 to 25": range(11, 26),
    "26 to 50": range(26, 51),
    "more": range(51, LONGEST),
}


@dataclass(frozen=True)
class Compared:
    """One answer, 0 to 1 by people and by the examiner."""

    language: Language
    words: int
    human: float
    ours: float


@dataclass(frozen=True)
class Group:
    """Answers that have something in common."""

    name: str
    count: int
    rmse: float
    bias: float
    """Above 0: more than people gave."""


@dataclass(frozen=True)
class Agreement:
    count: int
    pearson: float
    spearman: float
    rmse: float
    qwk: float


@dataclass(frozen=True, kw_only=True)
class Findings:
    name: str
    model: str
    prompt_version: str
    compared: tuple[Compared, ...]
    anchors: tuple[AnchorFigures, ...]
    language_gap: float
    """What the language of the question changes in the score of a good answer, on average."""
    robustness: tuple[Tally, ...]
    milliseconds: tuple[float, ...]
    cost_usd: Decimal | None
    failures: dict[str, int]


async def find_out(
    name: str, watched: Watched, rows: Sequence[Row], questions: Sequence[Question]
) -> Findings:
    """Answers at which a model failed are left out, and counted."""
    at_once = 1 if watched.name == "local" else AT_ONCE
    compared = [
        Compared(row.language, len(words_of(row.answer)), row.human, found.score)
        for row, found in await each(rows, lambda row: predict(row, watched), at_once)
    ]
    tasks = [(question, language) for question in questions for language in LANGUAGES]
    scored = await each(tasks, lambda task: score(*task, watched), at_once)
    answers = list(cases_of(questions))
    marked = await each(answers, lambda case: mark(case.question, case.answer, watched), at_once)
    gap = await language_gap(questions, watched, at_once)
    return Findings(
        name=name,
        model=watched.model,
        prompt_version=watched.prompt_version,
        compared=tuple(compared),
        anchors=tuple(anchor_figures([found for _, found in scored])),
        language_gap=gap,
        robustness=tuple(tallies(marked)),
        milliseconds=tuple(watched.milliseconds),
        cost_usd=watched.cost_usd,
        failures=dict(watched.failures),
    )


async def language_gap(
    questions: Sequence[Question], examiner: Examiner, at_once: int = 1
) -> float:
    chosen = list(crossings(questions))
    homes = {_home(c): c for c in chosen}.values()
    home = await each(homes, lambda c: mark(c.at_home, c.answer, examiner), at_once)
    abroad = await each(chosen, lambda c: mark(c.abroad, c.answer, examiner), at_once)
    at_home = {_home(c): given for c, given in home}
    return mean([abs(given - at_home[_home(c)]) for c, given in abroad if _home(c) in at_home])


def _home(crossing: Crossing) -> tuple[str, str]:
    return crossing.at_home.question_id, crossing.answer


def agreement(compared: Sequence[Compared]) -> Agreement:
    ours, human = [c.ours for c in compared], [c.human for c in compared]
    return Agreement(
        len(compared),
        pearson(ours, human),
        spearman(ours, human),
        rmse(ours, human),
        quadratic_weighted_kappa(ours, human),
    )


def by_language(compared: Sequence[Compared]) -> list[Group]:
    spoken = [(language, [c for c in compared if c.language == language]) for language in LANGUAGES]
    return [_group(language, chosen) for language, chosen in spoken if chosen]


def by_length(compared: Sequence[Compared]) -> list[Group]:
    sized = [(name, [c for c in compared if c.words in words]) for name, words in LENGTHS.items()]
    return [_group(name, chosen) for name, chosen in sized if chosen]


def _group(name: str, compared: Sequence[Compared]) -> Group:
    ours, human = [c.ours for c in compared], [c.human for c in compared]
    return Group(name, len(compared), rmse(ours, human), mean(ours) - mean(human))
