"""What can go wrong here, each with its own policy."""

from datetime import timedelta

from common.errors import RetryableError, SabatinaError
from common.ids import UserId


class QuestionNotFound(SabatinaError):
    def __init__(self, question_id: str, version: int) -> None:
        super().__init__(f"there is no question {question_id} version {version}")


class QuestionChanged(SabatinaError):
    def __init__(self, question_id: str, version: int) -> None:
        super().__init__(
            f"question {question_id} version {version} was published with another text;"
            f" give the changed question version {version + 1}"
        )


class PackInvalid(SabatinaError):
    """A question file cannot be read; the message names it."""


class ContentNotFound(SabatinaError):
    """There is no folder of question packs; the message tells how to name one."""


class LearnerNotKnownYet(RetryableError):
    """The reply overtook the news that the person is active."""

    FIRST_PAUSE = timedelta(seconds=0.2)
    LONGEST_PAUSE = timedelta(seconds=5)

    def __init__(self, user_id: UserId, waited: timedelta) -> None:
        pause = min(max(self.FIRST_PAUSE, 2 * waited), self.LONGEST_PAUSE)
        super().__init__(f"learner {user_id} is not known yet", retry_after=pause)
