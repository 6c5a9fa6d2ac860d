"""The paths of what is indexed, for whoever types one: found by what they begin with, hold, or are made of."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic

from storage.held import let_go_with

PATHS_A_BLOCK = 4_000  # some 200 KB: an expression holds other threads up for one block and no longer, some 10 ms
LEAST_AGE_S = 2.0  # how old a list may be while somebody types
REST_FACTOR = 20  # a list is made after 20 times as long as that took: a twentieth of a core, for trees of any size
LONGEST = 200  # characters of what is typed that are looked for

Blocks = tuple[bytes, ...]  # paths, each behind a zero byte


@dataclass(frozen=True, slots=True)
class Fitting:
    """The best of what fits, and how many there are."""

    values: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What there is. 60,000 paths are 3 MB so, and 7 as strings."""

    blocks: Blocks
    languages: tuple[str, ...]  # the most frequent first


def packed(paths: Iterable[str]) -> Blocks:
    """The paths, those near the root first."""
    ordered = sorted(paths, key=lambda path: (path.count("/"), path))
    starts = range(0, len(ordered), PATHS_A_BLOCK)
    return tuple(b"\0" + "\0".join(ordered[at : at + PATHS_A_BLOCK]).encode() for at in starts)


def fitting(blocks: Blocks, typed: str, most: int) -> Fitting:
    """At most ``most`` paths for what was ``typed``, letters of ASCII in any case. Pure.

    First those that begin with it, then those whose file is called so, or a directory of theirs, then those that hold
    it anywhere, then those that have its letters in that order.
    """
    wanted = typed[:LONGEST].strip()
    if "\0" in wanted:  # no path has it, and it stands between two of them here
        return Fitting((), 0)
    scattered = _scattered(wanted)
    best: dict[bytes, None] = {}
    for path in chain.from_iterable(_matches(one, blocks) for one in (*_whole(wanted), scattered)):
        best.setdefault(path)
        if len(best) == most:
            break
    total = len(best) if len(best) < most else sum(1 for _ in _matches(scattered, blocks))
    return Fitting(tuple(path.decode() for path in best), total)


class PathList:
    """What ``read`` tells of paths and their languages, kept while somebody types, let go of when the server rests."""

    def __init__(self, read: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._kept: Listed | None = None
        self._until = 0.0
        let_go_with(self)

    def current(self) -> Listed:
        """All there is, or was some seconds ago where it is asked again and again. Raises what ``read`` does."""
        with self._lock:
            began = monotonic()
            if self._kept is None or began >= self._until:
                self._kept = _listed(self._read())
                now = monotonic()
                self._until = now + max(LEAST_AGE_S, REST_FACTOR * (now - began))
            return self._kept

    def forget(self) -> None:
        """Let go of what is kept."""
        with self._lock:
            self._kept = None


def _listed(read: Iterable[tuple[str, str]]) -> Listed:
    languages: Counter[str] = Counter()
    paths = []
    for path, language in read:
        paths.append(path)
        languages[language] += 1
    return Listed(packed(paths), tuple(language for language, _ in languages.most_common()))


def _matches(expression: re.Pattern[bytes], blocks: Blocks) -> Iterator[bytes]:
    return (match[1] for block in blocks for match in expression.finditer(block))


def _whole(wanted: str) -> Iterator[re.Pattern[bytes]]:
    """Paths that hold ``wanted`` as it is, the most telling place first."""
    word = re.escape(wanted.encode())
    for expression in (
        rb"\x00(%b[^\x00]*+)",
        rb"\x00([^\x00]*/%b[^\x00/]*+)(?![^\x00])",
        rb"\x00([^\x00]*/%b[^\x00]*+)",
        rb"\x00([^\x00]*%b[^\x00]*+)",
    ):
        yield re.compile(expression % word, re.IGNORECASE)


def _scattered(wanted: str) -> re.Pattern[bytes]:
    """Paths that have the characters of ``wanted`` one after the other, blanks left out; looks at each byte once."""
    signs = [re.escape(bytes([byte])) for byte in "".join(wanted.split()).encode()]
    steps = b"".join(rb"[^\x00%b]*+%b" % (sign, sign) for sign in signs)
    return re.compile(rb"\x00(%b[^\x00]*+)" % steps, re.IGNORECASE)
