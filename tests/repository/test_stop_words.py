"""The words that stop the messages stand in two services, which cannot import each other."""

from scheduler.linting import STOP_WORDS
from users.keywords import HARD_STOPS


def test_the_linter_of_questions_knows_every_word_that_stops() -> None:
    assert STOP_WORDS == HARD_STOPS
