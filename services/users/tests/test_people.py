from dataclasses import replace
from typing import get_args

import pytest

from common.events import UserState
from common.ids import UserId, new_id
from users.errors import StateMoveForbidden
from users.people import BY_PROGRESS, MOVES, NAME_LENGTH, Person, clean_name, deleted, moved

from .conftest import NOW

STATES: tuple[UserState, ...] = get_args(UserState)
ALLOWED: set[tuple[UserState, UserState]] = {
    ("unknown", "onboarding"), ("unknown", "pending"), ("unknown", "opted_out"),
    ("onboarding", "active"), ("onboarding", "pending"), ("onboarding", "declined"),
    ("onboarding", "opted_out"), ("pending", "active"), ("pending", "opted_out"),
    ("active", "paused"), ("active", "opted_out"), ("paused", "active"), ("paused", "opted_out"),
    ("declined", "onboarding"), ("opted_out", "active"), ("opted_out", "onboarding"),
}  # fmt: skip


def person(state: UserState) -> Person:
    return Person(UserId(new_id()), state, "pt", NOW, NOW, name="Ana", address="5511987654321")


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_person_moves_only_as_the_table_says(before: UserState, after: UserState) -> None:
    is_allowed = before == after or (before, after) in ALLOWED
    is_about_a_merge = "merged" in (before, after)
    if is_allowed or (before != "deleted" and (after == "deleted" or is_about_a_merge)):
        assert moved(person(before), after).state == after
    else:
        with pytest.raises(StateMoveForbidden):
            moved(person(before), after)


def test_every_state_is_in_the_tables() -> None:
    assert set(MOVES) == set(BY_PROGRESS) == set(STATES)


def test_deletion_keeps_nothing_but_the_revision() -> None:
    left = deleted(replace(person("active"), revision=7, level=2, tracks=("ruby",)))
    assert (left.state, left.revision) == ("deleted", 7)
    assert (left.name, left.address, left.tracks, left.preferences) == (None, None, (), None)


@pytest.mark.parametrize(
    ("name", "kept"),
    [(" Ana\n\tB ", "Ana B"), ("", None), (None, None), ("\u202e", None), ("x" * 500, "x" * 100)],
)
def test_a_name_is_one_short_line(name: str | None, kept: str | None) -> None:
    assert clean_name(name) == kept
    assert len(kept or "") <= NAME_LENGTH
