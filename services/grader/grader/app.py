"""The grader process: settings, examiners, handlers."""

from functools import partial

from common.events import DecideReview, DisputeGrade, GradeAnswer, ListReviews, UserDeleted
from common.service import Service, running
from common.topology import GRADER_DISPUTES, GRADER_FOLLOW, GRADER_GRADE
from grader.disputes import dispute_grade
from grader.examiners import Board
from grader.examining import Grader
from grader.handlers import forget_person, grade_answer, grade_waiting
from grader.local_examiner import LocalExaminer
from grader.measuring import measure_days
from grader.regrading import regrade_provisional
from grader.reviews import decide_review, list_reviews
from grader.settings import Settings
from grader.spending import Limits
from grader.store import Store

PATIENCE = GRADER_GRADE.attempts - 1
"""With SABATINA_GRADER=openai: tries before the local examiner; one more is a dead letter."""


async def main() -> None:
    settings = Settings()
    async with running(settings) as service:
        database = service.use_database("grader")
        limits, prices = Limits.from_settings(settings), settings.grader_prices
        board = board_for(settings)
        grader = Grader(database, board, service.clock, limits, prices)
        consume(service, grader)
        for name, job in (
            ("waiting answers", grade_waiting),
            ("provisional gradings", regrade_provisional),
            ("measures", measure_days),
        ):
            service.in_background(name, partial(job, grader))
        if settings.has_llm:
            watch_models_of(service, board)
        answer = partial(list_reviews, database=database)
        await service.publisher.serve(ListReviews, answer, group="grader")
        await service.run()


def consume(service: Service, grader: Grader) -> None:
    clock = grader.clock
    grading = service.consume(GRADER_GRADE)
    grading.handle_free(GradeAnswer, partial(grade_answer, grader=grader))
    disputes = service.consume(GRADER_DISPUTES)
    disputes.handle_free(DisputeGrade, partial(dispute_grade, grader=grader))
    disputes.handle(DecideReview, partial(decide_review, clock=clock))
    following = service.consume(GRADER_FOLLOW)
    following.handle(UserDeleted, lambda event, tx: forget_person(event, Store(tx), clock))


def watch_models_of(service: Service, board: Board) -> None:
    from grader.model_watch import watch_models
    from grader.openai_examiner import OpenAIExaminer

    models = [one for one in (board.first, board.second) if isinstance(one, OpenAIExaminer)]
    service.in_background("models", partial(watch_models, models, service.clock))


def board_for(settings: Settings) -> Board:
    local = LocalExaminer()
    if not settings.has_llm:
        return Board(first=local, stand_in=local)
    from grader.exam import PROMPT_VERSION
    from grader.openai_examiner import OpenAIExaminer

    second = settings.grader_second_model
    return Board(
        OpenAIExaminer.from_settings(settings),
        local,
        patience=PATIENCE if settings.grader == "openai" else 1,
        second=OpenAIExaminer.from_settings(settings, second) if second else None,
        recipe=f"{PROMPT_VERSION}/{settings.grader_effort}",
    )
