"""The grader process: settings, examiners, handlers."""

from functools import partial

from common.events import GradeAnswer, UserDeleted
from common.service import running
from common.topology import GRADER_FOLLOW, GRADER_GRADE
from grader.examiners import Board
from grader.handlers import Grader, forget_person, grade_answer, grade_waiting
from grader.local_examiner import LocalExaminer
from grader.settings import Settings
from grader.store import Store

PATIENCE = GRADER_GRADE.attempts - 1
"""With SABATINA_GRADER=openai: tries before the local examiner; one more is a dead letter."""


async def main() -> None:
    settings = Settings()
    async with running(settings) as service:
        database = service.use_database("grader")
        grader = Grader(database, board_for(settings), service.clock)
        grading = service.consume(GRADER_GRADE)
        grading.handle_free(GradeAnswer, partial(grade_answer, grader=grader))
        following = service.consume(GRADER_FOLLOW)
        following.handle(
            UserDeleted, lambda event, tx: forget_person(event, Store(tx), service.clock)
        )
        service.in_background("waiting answers", partial(grade_waiting, grader))
        await service.run()


def board_for(settings: Settings) -> Board:
    local = LocalExaminer()
    if not settings.has_llm:
        return Board(first=local, stand_in=local)
    from grader.openai_examiner import OpenAIExaminer

    examiner = OpenAIExaminer.from_settings(settings)
    return Board(examiner, local, patience=PATIENCE if settings.grader == "openai" else 1)
