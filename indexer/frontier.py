"""Which chunks get their vectors next: those that were asked for, then the rest of their files, then by an order.

Chunks are read from the store a window at a time, so that an index of any size costs the memory of its paths.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from storage.chunk import Chunk
from storage.store import ChunkStore

# Read at once: 5 to 10 ms for some seconds of work. What a question says of files is heeded at the next window.
WINDOW_CHUNKS = 256
_WINDOW_PATHS = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """Chunks that are embedded by one call; ``asked`` where a question waits for them."""

    chunks: tuple[Chunk, ...]
    asked: bool


class Frontier:
    """The chunks of ``store`` that wait for a vector. Each is given out once, however often it is asked for."""

    def __init__(self, store: ChunkStore, order: Sequence[str], waiting: Mapping[str, int]) -> None:
        """``order`` is of all paths in ``waiting``, which says how many chunks of each have no vector."""
        self._store = store
        self._paths = deque(order)
        self._waiting = dict(waiting)
        self._asked: deque[Chunk] = deque()
        self._asked_paths: deque[str] = deque()
        self._window: deque[Chunk] = deque()
        self._given: set[str] = set()  # ids; those the store knows to have a vector are dropped with each window
        self._stored: set[str] = set()

    def ask(self, ids: Sequence[str]) -> None:
        """Give out these chunks next, best first, and then the files they are of; those that have a vector are left."""
        if not ids:
            return
        found = {chunk.id: chunk for chunk in self._store.missing_vectors(len(ids), ids=ids)}
        chunks = [found[chunk_id] for chunk_id in dict.fromkeys(ids) if chunk_id in found]
        self._asked.extendleft(reversed(chunks))
        self._asked_paths.extendleft(reversed(list(dict.fromkeys(chunk.file_path for chunk in chunks))))

    def next(self, characters: int) -> Piece | None:
        """Chunks of about so many characters, at least one; None where no chunk waits any more."""
        if chunks := self._taken(self._asked, characters):
            return Piece(chunks, asked=True)
        while self._window or self._read_window():
            if chunks := self._taken(self._window, characters):
                return Piece(chunks, asked=False)
        return None

    def withdraw(self, ids: Iterable[str]) -> set[str]:
        """Those of ``ids`` that were not given out; they will not be any more."""
        free = set(ids) - self._given
        self._given |= free
        return free

    def stored(self, ids: Iterable[str]) -> None:
        """These, given out or withdrawn, have a vector now."""
        self._stored.update(ids)

    def unanswered(self) -> list[str]:
        """Ids that were asked for and not given out."""
        return [chunk.id for chunk in self._asked if chunk.id not in self._given]

    def _taken(self, queue: deque[Chunk], characters: int) -> tuple[Chunk, ...]:
        taken: list[Chunk] = []
        while queue and characters > 0:
            chunk = queue.popleft()
            if chunk.id not in self._given:
                self._given.add(chunk.id)
                taken.append(chunk)
                characters -= len(chunk.content) + len(chunk.context)
        return tuple(taken)

    def _read_window(self) -> bool:
        """Fill the window from the next paths; whether there were any."""
        paths = self._next_paths()
        if not paths:
            return False
        self._given -= self._stored
        self._stored.clear()
        limit = WINDOW_CHUNKS + len(self._given)
        found = self._store.missing_vectors(limit, paths=paths)
        if len(found) == limit:  # they have more
            self._waiting.update(dict.fromkeys(paths, WINDOW_CHUNKS))
            self._asked_paths.extendleft(reversed(paths))
        place = {path: place for place, path in enumerate(paths)}
        self._window.extend(sorted(found, key=lambda chunk: place[chunk.file_path]))
        return True

    def _next_paths(self) -> list[str]:
        paths: list[str] = []
        chunks = 0
        while chunks < WINDOW_CHUNKS and len(paths) < _WINDOW_PATHS and (path := self._next_path()):
            paths.append(path)
            chunks += self._waiting.pop(path)
        return paths

    def _next_path(self) -> str | None:
        for paths in (self._asked_paths, self._paths):
            while paths:
                path = paths.popleft()
                if path in self._waiting:
                    return path
        return None
