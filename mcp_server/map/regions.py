"""What stands where on a map, in words: points close together, and what their names have that others' lack."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.ranking.terms import ASKING, split_identifier
from storage.ranking.words import stem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.chunk import Chunk

LEVELS = (12, 36, 110)  # regions; the page shows finer ones as it is enlarged
LEAST_POINTS = 12  # in the mean region of a level: fewer are read by their names
TOLD_BY = 0.08  # the least share of a region's points that have the word it is called by
HELD_BY = 0.5  # the least share in the directory that it is called by, where there is no such word
ROUNDS = 12
SEED = 20
_SAYS_LITTLE = ASKING | {"not", "one", "all", "new", "has", "main", "init", "self"}
_WORD = re.compile(r"[^\W_][\w]*")


@dataclass(frozen=True, slots=True)
class Region:
    """A label and its place; level 0 is shown first."""

    x: float
    y: float
    level: int
    label: str


@dataclass(frozen=True, slots=True)
class _Marks:
    """What each chunk has that it may be told by, and how many have it."""

    of: Sequence[frozenset[str]]
    totals: Counter[str]


def regions(places: NDArray[np.float32], chunks: Sequence[Chunk]) -> list[Region]:
    """Labels for ``places`` of shape (len(chunks), 2), the coarsest first; no word is used twice."""
    words, directories = (_marks(frozenset(told(chunk)) for chunk in chunks) for told in (_words, _directories))
    used: set[str] = set()
    found = []
    for level, count in enumerate(LEVELS):
        if len(chunks) < count * LEAST_POINTS:
            break
        for members in _clusters(places, count):
            label = _told(words, members, used) or _held(directories, members, used)
            if label:
                x, y = np.median(places[members], axis=0)
                found.append(Region(float(x), float(y), level, label))
    return found


def _marks(each: Iterable[frozenset[str]]) -> _Marks:
    marks = list(each)
    return _Marks(marks, Counter(mark for some in marks for mark in some))


def _words(chunk: Chunk) -> Iterable[str]:
    """The words of a chunk's names and of its file's."""
    file = chunk.file_path.rpartition("/")[2].partition(".")[0]
    for name in _WORD.findall(f"{file} {chunk.name_path}"):
        parts = split_identifier(name)
        yield from (
            part for part in (parts[:-1] or parts) if len(part) > 2 and part.isalpha() and part not in _SAYS_LITTLE
        )


def _directories(chunk: Chunk) -> Iterable[str]:
    """Every directory that the chunk's file is in."""
    parts = chunk.file_path.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _told(words: _Marks, members: NDArray[np.int64], used: set[str]) -> str:
    """One or two words that many of ``members`` have and few others; "" where there are none."""
    scores = {
        word: share * math.log(lift)
        for word, (share, lift) in _shares(words, members).items()
        if share >= TOLD_BY and word not in used
    }
    best = _different(sorted(scores, key=lambda word: (-scores[word], word)))[:2]
    telling = [word for word in best if scores[word] > 0.1 and scores[word] > scores[best[0]] / 2]
    stems = set(map(stem, telling))
    used.update(word for word in scores if stem(word) in stems)
    return " · ".join(telling)


def _held(directories: _Marks, members: NDArray[np.int64], used: set[str]) -> str:
    """The innermost directory that holds most of ``members`` and not nearly all chunks; "" where there is none."""
    holding = [
        directory
        for directory, (share, lift) in _shares(directories, members).items()
        if share >= HELD_BY and lift > 1.5 and directory not in used
    ]
    best = max(holding, key=lambda directory: (directory.count("/"), directory), default="")
    used.add(best)
    return "/".join(best.split("/")[-2:]) + "/" if best else ""


def _shares(marks: _Marks, members: NDArray[np.int64]) -> dict[str, tuple[float, float]]:
    """What some of ``members`` have: the share of them that has it, and how many times that of all."""
    here = Counter(mark for member in members for mark in marks.of[member])
    times = len(marks.of) / len(members)
    return {mark: (count / len(members), times * count / marks.totals[mark]) for mark, count in here.items()}


def _different(words: Sequence[str]) -> list[str]:
    """The first form of each of ``words``: "fields" or "field"."""
    forms: dict[str, str] = {}
    for word in words:
        forms.setdefault(stem(word), word)
    return list(forms.values())


def _clusters(places: NDArray[np.float32], count: int) -> list[NDArray[np.int64]]:
    """The members of each of ``count`` groups of near points (k-means), the largest first."""
    centres = _spread_out(places, count)
    for _ in range(ROUNDS):
        nearest = _nearest(places, centres)
        sizes = np.maximum(1, np.bincount(nearest, minlength=count))
        centres = np.stack([np.bincount(nearest, places[:, axis], count) / sizes for axis in (0, 1)], axis=1)
    members = [np.flatnonzero(nearest == one) for one in range(count)]
    return sorted((some for some in members if len(some)), key=len, reverse=True)


def _spread_out(places: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """``count`` of the places, each drawn the sooner the farther it is from those drawn before (k-means++)."""
    draw = np.random.default_rng(SEED)
    chosen = [int(draw.integers(len(places)))]
    apart = np.full(len(places), np.inf)
    for _ in range(count - 1):
        apart = np.minimum(apart, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        weight = apart.sum()
        chosen.append(int(draw.choice(len(places), p=apart / weight if weight > 0 else None)))
    return places[chosen].astype(np.float64)


def _nearest(places: NDArray[np.float32], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    products = places @ centres.T.astype(np.float32) - 0.5 * (centres**2).sum(axis=1).astype(np.float32)
    best: NDArray[np.int64] = products.argmax(axis=1)
    return best
