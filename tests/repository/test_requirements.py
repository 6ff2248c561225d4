"""The table of requirements is whole, honest in its form, and leads to what shows each row."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.reference import REQUIREMENTS

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "requirements.md"

LETTERED: dict[int, Sequence[str]] = {
    17: "abcd",
    50: "abc",
    52: "abcde",
    59: "abc",
    60: "ab",
    62: "abcd",
}
INTERVIEW = [f"I-{number:02}" for number in range(1, 92)]
CAREERS = [
    f"C-{number:02}{letter}" for number in range(1, 78) for letter in LETTERED.get(number, [""])
]
EXPECTED = INTERVIEW + CAREERS
STATES = ("shown", "partly", "open")

ROW = re.compile(r"^\| (?P<id>[IC]-\d\d[a-e]?) ", re.MULTILINE)
LINK = re.compile(r"\[(?P<label>[^\]]+)\]\((?P<target>[^)#\s]+)\)")
TEST_NAME = re.compile(r"`(test_\w+)`")


@dataclass(frozen=True)
class Row:
    id: str
    demand: str
    state: str
    where: str

    @property
    def links(self) -> list[tuple[str, Path]]:
        found = LINK.findall(self.where)
        return [(label, TABLE.parent / target) for label, target in found]


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if ROW.match(line)]
    return [Row(*(cell.strip() for cell in line.strip("|").split(" | "))) for line in lines]


def test_every_demand_has_one_row_in_order() -> None:
    assert [row.id for row in rows()] == EXPECTED
    assert all(row.demand for row in rows())


def test_every_state_is_one_of_three() -> None:
    assert {row.state for row in rows()} <= set(STATES)


def test_what_is_shown_even_partly_links_to_files_that_exist() -> None:
    unlinked = [row.id for row in rows() if row.state != "open" and not row.links]
    broken = [row.id for row in rows() for _, path in row.links if not path.is_file()]
    assert (unlinked, broken) == ([], [])


def test_what_is_partly_shown_says_what_is_missing_and_what_is_open_says_why() -> None:
    silent = [row.id for row in rows() if row.state == "partly" and "missing: " not in row.where]
    silent += [row.id for row in rows() if row.state == "open" and not row.where]
    overtaken = [row.id for row in rows() if row.state == "shown" and "missing: " in row.where]
    assert (silent, overtaken) == ([], [])


def test_every_test_that_is_named_exists_in_its_file() -> None:
    wrong = []
    for row in rows():
        linked = [(name, path) for label, path in row.links for name in TEST_NAME.findall(label)]
        assert len(linked) == len(TEST_NAME.findall(row.where)), f"{row.id} names without a link"
        wrong += [
            f"{row.id} {name}" for name, path in linked if f"def {name}(" not in path.read_text()
        ]
    assert wrong == []


def test_the_counts_are_true() -> None:
    count = Counter(row.state for row in rows())
    shown, partly, still_open = (count[state] for state in STATES)
    line = f"Of {len(EXPECTED)} demands {shown} are shown, {partly} partly and {still_open} open."
    assert line in TABLE.read_text("utf-8").splitlines()


@pytest.mark.skipif(
    not REQUIREMENTS.exists(), reason="the mission's own list is not part of a checkout"
)
def test_the_list_is_the_one_of_the_mission() -> None:
    assert sorted(ROW.findall(REQUIREMENTS.read_text("utf-8"))) == sorted(EXPECTED)
