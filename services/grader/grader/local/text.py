"""An answer, prepared once for everything that is looked for in it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.words import Clause, Word, clauses_of, prepared, words_of

WINDOW = 8
"""The words of a keyword may stand this far apart."""

_SHORT = 3
_LIST_SHARE, _LIST_LENGTH = 0.12, 4
_ITEM_SHARE, _ITEM_LENGTH = 0.8, 3
_ITEM_END = re.compile(r"[,;\n/|]+")

Hit = Sequence[Word]
"""The words of a text in which something was found."""


def is_same(said: Word, wanted: Word) -> bool:
    if len(wanted.folded) <= _SHORT:
        return said.folded == wanted.folded
    return said.stem == wanted.stem


@dataclass(frozen=True)
class Text:
    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    original: str

    @classmethod
    def of(cls, answer: str) -> "Text":
        return cls(words_of(answer), tuple(clauses_of(answer)), answer)

    @cached_property
    def is_keyword_list(self) -> bool:
        """Terms in a row: hardly a word that joins them, or only short items between commas."""
        if not self.may_be_list:
            return False
        glue = sum(not word.has_content for word in self.words)
        items = [words_of(item) for item in _ITEM_END.split(self.original)]
        short = sum(len(item) <= _ITEM_LENGTH for item in items)
        is_enumeration = len(items) >= _LIST_LENGTH and short / len(items) >= _ITEM_SHARE
        return is_enumeration or glue / len(self.words) < _LIST_SHARE

    @property
    def may_be_list(self) -> bool:
        return len(self.words) >= _LIST_LENGTH

    def occurrences(self, keyword: str) -> Sequence[Hit]:
        """Where the keyword stands, or, when it stands nowhere as it is, once where all words of it
        that carry something are near each other."""
        if keyword not in self._found:
            wanted = prepared(keyword)
            self._found[keyword] = [*self.word_for_word(wanted)] or [*self._scattered(wanted)]
        return self._found[keyword]

    def word_for_word(self, wanted: Sequence[Word]) -> Iterator[Hit]:
        for start in self.places_of(wanted[0]) if wanted else ():
            candidate = self.words[start : start + len(wanted)]
            if len(candidate) == len(wanted) and all(map(is_same, candidate, wanted)):
                yield candidate

    def places_of(self, wanted: Word) -> Sequence[int]:
        """The numbers of the words that are the same as `wanted`, ascending."""
        if len(wanted.folded) <= _SHORT:
            return self._by_letters.get(wanted.folded, ())
        return self._by_stem.get(wanted.stem, ())

    def clause_of(self, place: Word) -> Clause | None:
        before = bisect_right(self.clauses, place.start, key=_start)
        clause = self.clauses[before - 1] if before else None
        return clause if clause and place.start < clause.end else None

    def words_in(self, clause: Clause) -> list[Word]:
        return [w for w in self.words if clause.start <= w.start and w.end <= clause.end]

    def quote(self, clause: Clause) -> str:
        return self.original[clause.start : clause.end]

    def _scattered(self, wanted: Sequence[Word]) -> Iterator[Hit]:
        content = [word for word in wanted if word.has_content]
        places = [frozenset(self.places_of(word)) for word in content]
        if len(content) < 2 or not all(places):
            return
        known = sorted(frozenset().union(*places))
        for first, start in enumerate(known):
            near = known[first : bisect_left(known, start + WINDOW)]
            if not any(found.isdisjoint(near) for found in places):
                yield [self.words[place] for place in near]
                return

    @cached_property
    def _found(self) -> dict[str, Sequence[Hit]]:
        return {}

    @cached_property
    def _by_letters(self) -> dict[str, list[int]]:
        return _numbered(word.folded for word in self.words)

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        return _numbered(word.stem for word in self.words)


def _start(clause: Clause) -> int:
    return clause.start


def _numbered(keys: Iterator[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return places
