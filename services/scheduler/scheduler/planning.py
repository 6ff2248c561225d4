"""When the next question is due, which one it is, and how a streak counts. No I/O, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

from common.events import Track
from common.ids import UserId

MAX_LATENESS = timedelta(hours=12)
"""A question that comes later than this after its time would come at night: it is left out."""

ONE_DAY = timedelta(days=1)

CONCEPT_PAUSE = 7
"""Assignments after which a person may meet the same concept again."""


def instant_of(on: date, at: time, zone: str) -> datetime:
    """The instant of a local time: in a gap as the clock would have run on, in an overlap the
    second one. PostgreSQL's `AT TIME ZONE` does the same."""
    local = datetime.combine(on, at, ZoneInfo(zone))
    return max(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def next_occurrence(after: datetime, at: time, zone: str) -> datetime:
    """The first instant strictly after `after` that is `at` on the clocks of `zone`."""
    today = local_date(after, zone)
    at_today = instant_of(today, at, zone)
    return at_today if at_today > after else instant_of(today + ONE_DAY, at, zone)


def local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def end_of_day(on: date, zone: str) -> datetime:
    return instant_of(on + ONE_DAY, time(), zone)


@dataclass(frozen=True)
class Streak:
    """Local dates in a row with an answer: graded, or given up with "I don't know"."""

    length: int = 0
    best: int = 0
    last_on: date | None = None

    def as_of(self, today: date) -> int:
        """It lives as long as yesterday or today has an answer."""
        is_alive = self.last_on is not None and today - self.last_on <= ONE_DAY
        return self.length if is_alive else 0

    def counting(self, on: date) -> "Streak":
        if self.last_on is not None and on <= self.last_on:
            return self
        length = self.as_of(on) + 1
        return Streak(length, max(self.best, length), on)


@dataclass(frozen=True)
class Candidate:
    """A published question, as far as its choice depends on it."""

    id: str
    version: int
    track: Track
    level: int
    concept: str | None = None


@dataclass(frozen=True)
class History:
    """The questions that a learner was asked, oldest first, each with its score."""

    question_ids: Sequence[str] = ()
    scores: Sequence[int | None] = ()


Ring = Sequence[Candidate]
LEVELS = (1, 2, 3)


@dataclass
class Library:
    """The published questions, ready to choose from."""

    candidates: Sequence[Candidate]
    track_of: Mapping[str, Track] = field(init=False)
    concept_of: Mapping[str, str | None] = field(init=False)
    _rings: dict[tuple[Track, int], list[Ring]] = field(init=False)

    def __post_init__(self) -> None:
        self.candidates = sorted(self.candidates, key=lambda candidate: candidate.id)
        self.track_of = {candidate.id: candidate.track for candidate in self.candidates}
        self.concept_of = {candidate.id: candidate.concept for candidate in self.candidates}
        tracks = set(self.track_of.values())
        self._rings = {
            (track, level): _by_distance([c for c in self.candidates if c.track == track], level)
            for track in tracks
            for level in LEVELS
        }

    def rings(self, track: Track, level: int) -> Sequence[Ring]:
        """The track's questions in groups, those nearest to `level` first."""
        return self._rings.get((track, level), ())


def _by_distance(candidates: Sequence[Candidate], level: int) -> list[Ring]:
    distances = sorted({abs(candidate.level - level) for candidate in candidates})
    return [[c for c in candidates if abs(c.level - level) == distance] for distance in distances]


def seed_of(user_id: UserId, on: date) -> int:
    return crc32(f"{user_id}{on}".encode())


def choose(
    library: Library, tracks: Sequence[Track], level: int, history: History, seed: int
) -> Candidate | None:
    """The learner's next question; None when their tracks have none at all.

    The track that was asked least recently goes first, and a question never seen before any that
    was; but one whose concept was asked lately only when there is no other. The same arguments
    give the same question on every replica.
    """
    last_asked = {question: place for place, question in enumerate(history.question_ids)}
    ordered = _least_recent_first(library, tracks, last_asked, seed)
    if not ordered:
        return None
    recent = _recent_concepts(library, history)
    other: Ring = ()
    for unseen in _unseen_rings(library, ordered, level, last_asked):
        if fresh := [c for c in unseen if c.concept not in recent]:
            return fresh[seed % len(fresh)]
        other = other or unseen
    if other:
        return other[seed % len(other)]
    return _worth_repeating(library, ordered[0], history, last_asked)


def _unseen_rings(
    library: Library, tracks: Sequence[Track], level: int, last_asked: Mapping[str, int]
) -> Iterator[Ring]:
    for track in tracks:
        for ring in library.rings(track, level):
            if unseen := [c for c in ring if c.id not in last_asked]:
                yield unseen


def _recent_concepts(library: Library, history: History) -> set[str]:
    lately = history.question_ids[-CONCEPT_PAUSE:]
    return {concept for question in lately if (concept := library.concept_of.get(question))}


def _least_recent_first(
    library: Library, tracks: Sequence[Track], last_asked: Mapping[str, int], seed: int
) -> list[Track]:
    stocked = [track for track in tracks if library.rings(track, LEVELS[0])]
    if len(stocked) < 2:
        return stocked
    place = dict.fromkeys(stocked, -1)
    for question, at in last_asked.items():
        track = library.track_of.get(question)
        if track in place:
            place[track] = max(place[track], at)
    turn = seed % len(stocked)
    return sorted(stocked[turn:] + stocked[:turn], key=lambda track: place[track])


def _worth_repeating(
    library: Library, track: Track, history: History, last_asked: Mapping[str, int]
) -> Candidate:
    """Of the half that was seen longest ago, the one that went worst."""
    candidates = [c for ring in library.rings(track, LEVELS[0]) for c in ring]
    candidates.sort(key=lambda candidate: last_asked[candidate.id])
    older_half = candidates[: (len(candidates) + 1) // 2]
    recent = _recent_concepts(library, history)
    older_half = [c for c in older_half if c.concept not in recent] or older_half
    return min(older_half, key=lambda candidate: history.scores[last_asked[candidate.id]] or 0)
