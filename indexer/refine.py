"""Vectors for the chunks that have none, those first that will serve first, while searches and edits go on.

Work is done in pieces of some tenths of a second, a piece a child of the model: so what a question asks for comes next
at once, and a stop waits for no piece: one under way ends in the vector cache, where a later run finds it. It waits for
upkeep of the tables, where that goes on: a vector index of a large tree takes minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from embedding.embedder import Embedder
from indexer.frontier import Frontier, Piece
from indexer.pipeline import Progress, Report, Stop
from indexer.priorities import Known, embedding_order
from storage.chunk import Chunk, FileRecord
from storage.store import ChunkStore, StoreStats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# What one child is given at once. A new question waits for the piece before it; between two pieces a child waits 1 to
# 5 ms for this process. The model deals more than 16,384 characters to several children itself.
PIECE_S = 0.4
FIRST_CHARACTERS, FEWEST_CHARACTERS, MOST_CHARACTERS = 2_048, 256, 16_384
_HEAR_S = 0.05  # how soon a stop or a question is heard while all children work
# A commit takes 10 to 25 ms, and readers then read again what they hold. So the first is made at once, and later ones
# ever more seldom, to half a minute; what was asked for is committed as soon as it is there.
_COMMIT_AFTER_S, _COMMIT_AT_LEAST_EVERY_S, _COMMIT_SHARE = 1.0, 30.0, 0.05
_COMMIT_VECTORS = 4_096
_COMMITS_PER_UPKEEP = 32  # each leaves a small file; so many are joined at once (storage/lance_upkeep.py)
_LOOKUP_CHUNKS = 1_024  # looked up in the cache at once: 20 ms where all are known, 10 where none is
_MOST_ASKED = 1_000

Clock = Callable[[], float]


class Refiner:
    """What refining keeps in mind from run to run of one process. ``ask`` may be called from any thread."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._asked: list[str] = []
        self._looked_up: set[str] = set()  # hashes of files whose chunks the cache was asked for

    def ask(self, ids: Sequence[str]) -> None:
        """Embed these chunks before all others, best first; the newest question goes before older ones."""
        if ids:
            with self._lock:
                self._asked = list(dict.fromkeys([*ids, *self._asked]))[:_MOST_ASKED]

    def taken(self) -> list[str]:
        """What was asked for, best first, for whoever sees to it from here on."""
        with self._lock:
            asked, self._asked = self._asked, []
        return asked

    def run(self, store: ChunkStore, embedder: Embedder, report: Report, stop: Stop, most: int | None = None) -> int:
        """Embed the chunks that have no vector, until there are none or ``stop`` says so; returns how many.

        Where more than ``most`` are missing, none is embedded: a search in a terminal must not wait for them.
        Raises EmbeddingError where the model fails; what was made before is kept.
        """
        stats = store.stats()
        waiting = store.vectorless() if stats.chunks else {}
        if not waiting or (most is not None and sum(waiting.values()) > most):
            return 0
        files = store.files()
        order = _order(store, waiting, files)
        run = _Run(store, embedder, Frontier(store, order, waiting), self._clock)
        say = _said(report, run, stats)
        with run.kept():
            self._work(run, self._unknown(store, order, waiting, files), stop, say)
        say()
        with self._lock:  # what a stop left unanswered comes after what was asked meanwhile
            self._asked = list(dict.fromkeys([*self._asked, *run.frontier.unanswered()]))[:_MOST_ASKED]
        return run.done

    def _work(self, run: _Run, unknown: Iterator[list[Chunk]], stop: Stop, say: Callable[[], None]) -> None:
        """Keep the children at work, and ask the cache for all that waits while they are."""
        while not stop():
            run.frontier.ask(self.taken())
            run.begin()
            chunks = next(unknown, None)
            if chunks is not None:
                run.fill(chunks)
            elif not run.busy:
                return
            run.gather(_HEAR_S if chunks is None else 0.0)
            say()

    def _unknown(
        self, store: ChunkStore, order: Sequence[str], waiting: Mapping[str, int], files: Mapping[str, FileRecord]
    ) -> Iterator[list[Chunk]]:
        """The chunks that wait, of files the cache was not asked for yet, some hundred at a time."""
        hashes = {path: files[path].file_hash for path in order if path in files}
        self._looked_up.intersection_update([record.file_hash for record in files.values()])
        paths = [path for path in hashes if hashes[path] not in self._looked_up]
        for group in _groups(paths, waiting):
            self._looked_up.update(hashes[path] for path in group)
            yield store.missing_vectors(sum(waiting[path] for path in group), paths=group)


class _Run:
    """The pieces at work, and the vectors that are made and not committed."""

    def __init__(self, store: ChunkStore, embedder: Embedder, frontier: Frontier, clock: Clock) -> None:
        self.frontier = frontier
        self.done = 0
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._children = ThreadPoolExecutor(embedder.parallel, "refine")
        self._at_work: dict[Future[_Made], Piece] = {}
        self._characters = FIRST_CHARACTERS
        self._made: list[_Made] = []
        self._began = self._committed = clock()
        self._commits = 0
        self._upkeep = ThreadPoolExecutor(1, "upkeep")
        self._tidying: Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether any piece is at work."""
        return bool(self._at_work)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Commit at the end of the block what was made; pieces still at work end in the cache alone."""
        try:
            yield
        finally:
            self._children.shutdown(wait=False, cancel_futures=True)
            self._commit()
            self._upkeep.shutdown(wait=True)
        if self._tidying is not None:
            self._tidying.result()

    def begin(self) -> None:
        """Give every child that is free a piece."""
        while len(self._at_work) < self._embedder.parallel and (piece := self.frontier.next(self._characters)):
            self._at_work[self._children.submit(self._embed, piece)] = piece

    def fill(self, chunks: Sequence[Chunk]) -> None:
        """Commit what the cache knows of ``chunks``."""
        known = self._embedder.remembered([chunk.embedding_text() for chunk in chunks])
        vectors = {chunks[place].id: vector for place, vector in known.items()}
        if free := self.frontier.withdraw(vectors):
            self._made.append(_Made(tuple(free), [vectors[chunk_id] for chunk_id in free]))
            self._commit()

    def gather(self, longest_s: float) -> None:
        """Take what is made, after waiting for the first piece at most so long, and commit it when it is time."""
        finished, _ = wait(self._at_work, longest_s, FIRST_COMPLETED)
        asked = False
        for future in finished:
            asked |= self._at_work.pop(future).asked
            made = future.result()
            self._made.append(made)
            self._characters = next_size(self._characters, made.characters, made.seconds)
        if asked or self._is_due():
            self._commit()

    def _embed(self, piece: Piece) -> _Made:
        began = self._clock()
        texts = [chunk.embedding_text() for chunk in piece.chunks]
        vectors = self._embedder.embed_documents(texts)
        ids = tuple(chunk.id for chunk in piece.chunks)
        return _Made(ids, list(vectors), sum(map(len, texts)), self._clock() - began)

    def _is_due(self) -> bool:
        now = self._clock()
        return (
            not self._commits
            or sum(len(made.ids) for made in self._made) >= _COMMIT_VECTORS
            or now - self._committed >= commit_interval(now - self._began)
        )

    def _commit(self) -> None:
        import numpy as np

        if not self._made:
            return
        ids = [chunk_id for made in self._made for chunk_id in made.ids]
        self._store.add_vectors(ids, np.stack([vector for made in self._made for vector in made.vectors]))
        self.frontier.stored(ids)
        self.done += len(ids)
        self._made = []
        self._committed = self._clock()
        self._commits += 1
        if self._commits % _COMMITS_PER_UPKEEP == 0:
            self._tidy()

    def _tidy(self) -> None:
        """Join small files and index what is new, beside the work: building a vector index may take minutes."""
        if self._tidying is None or self._tidying.done():
            if self._tidying is not None:
                self._tidying.result()
            self._tidying = self._upkeep.submit(self._store.maintain)


@dataclass(frozen=True, slots=True)
class _Made:
    """Vectors, the characters they were made of and how long it took."""

    ids: tuple[str, ...]
    vectors: Sequence[Vectors]
    characters: int = 0
    seconds: float = 0.0


def next_size(size: int, characters: int, seconds: float) -> int:
    """Characters of the next piece, so that it takes PIECE_S, after ``characters`` of the last took ``seconds``.

    At most twice or a quarter of ``size``: the first piece waits for the model to load, and known texts take no time.
    """
    wanted = characters * PIECE_S / max(seconds, 1e-3)
    return round(min(max(wanted, size / 4, FEWEST_CHARACTERS), size * 2, MOST_CHARACTERS))


def commit_interval(elapsed_s: float) -> float:
    """Seconds between two commits of a run that has gone on for ``elapsed_s``."""
    return min(max(_COMMIT_AFTER_S, _COMMIT_SHARE * elapsed_s), _COMMIT_AT_LEAST_EVERY_S)


def _order(store: ChunkStore, waiting: Mapping[str, int], files: Mapping[str, FileRecord]) -> list[str]:
    written = {record.path: record.mtime_ns for record in files.values()}
    return embedding_order(waiting, Known(written, store.links(waiting), time.time_ns()))


def _groups(paths: Sequence[str], waiting: Mapping[str, int]) -> Iterator[list[str]]:
    """Paths with about so many chunks together as are looked up at once."""
    group: list[str] = []
    chunks = 0
    for path in paths:
        group.append(path)
        chunks += waiting[path]
        if chunks >= _LOOKUP_CHUNKS:
            yield group
            group, chunks = [], 0
    if group:
        yield group


def _said(report: Report, run: _Run, before: StoreStats) -> Callable[[], None]:
    """Reports how far ``run`` is, whenever that has changed."""
    said = -1

    def say() -> None:
        nonlocal said
        if run.done != said:
            said = run.done
            report(Progress("vectors", min(before.vectors + run.done, before.chunks), before.chunks))

    return say
