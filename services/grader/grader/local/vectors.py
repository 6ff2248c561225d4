"""What words mean: static vectors of word pieces of Portuguese, English and Spanish.

Each piece was embedded once with multilingual-e5-small (MIT); a word is the mean of its pieces,
so that words that nobody listed have a vector too. The file is described in NOTICE.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

DATA = Path(__file__).parent / "data"
PIECES = DATA / "pieces.npz"

_WORD_START = "▁"
_UNKNOWN_SCORE = -25.0
_NEVER = -1e9
_KEPT_WORDS = 50_000


class WordVectors:
    """Loaded once a process: about 25 MB."""

    def __init__(self, path: Path = PIECES) -> None:
        with np.load(path) as table:
            self._vectors: NDArray[np.int8] = table["Z"]
            scores = table["S"].astype(np.float32).tolist()
            pieces = table["P"].tobytes().decode().split("\n")
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._scores: list[float] = scores
        self._longest = max(map(len, pieces))
        self.dimensions = self._vectors.shape[1]
        self.vector = lru_cache(maxsize=_KEPT_WORDS)(self._vector)

    def matrix(self, words: list[str]) -> NDArray[np.float32]:
        """One unit row a word, in lower case with its accents."""
        if not words:
            return np.zeros((0, self.dimensions), np.float32)
        return np.stack([self.vector(word) for word in words])

    def letters_a_piece(self, words: Sequence[str]) -> float:
        """Of words of a language it is 4 or so; what is typed at random falls into crumbs."""
        pieces = sum(len(self._pieces(word)) for word in words)
        return sum(map(len, words)) / pieces if pieces else 0.0

    def _vector(self, word: str) -> Vector:
        numbers = self._pieces(word)
        if not numbers:
            return np.zeros(self.dimensions, np.float32)
        rows = self._vectors[numbers].astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
        mean: Vector = rows.mean(axis=0)
        return mean / (np.linalg.norm(mean) + np.float32(1e-9))

    def _pieces(self, word: str) -> list[int]:
        """The likeliest cut of the word into pieces (Viterbi), as the vectors' model cuts it."""
        text = _WORD_START + word
        best = [0.0] + [_NEVER] * len(text)
        came: list[tuple[int, int | None]] = [(0, None)] * (len(text) + 1)
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + self._longest) + 1):
                number = self._numbers.get(text[start:end])
                if number is None and end > start + 1:
                    continue
                worth = best[start] + (_UNKNOWN_SCORE if number is None else self._scores[number])
                if worth > best[end]:
                    best[end], came[end] = worth, (start, number)
        found = []
        end = len(text)
        while end > 0:
            end, number = came[end]
            if number is not None:
                found.append(number)
        return found[::-1]
