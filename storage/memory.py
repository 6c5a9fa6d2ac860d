"""MemoryStore: an index in this process's memory, exact in everything: the tests' oracle and the light backend."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from storage.chunk import Candidate, Chunk, FileRecord, FileRows, Filters, Sample
from storage.errors import IndexUnusableError
from storage.fingerprint import Fingerprint, IndexState, compare, require_sketch, require_sketches, require_vectors
from storage.matching import compile_pattern, first_matches, matched_lines
from storage.ranking.bm25 import Corpus, inverse_document_frequency, term_weight
from storage.ranking.globs import path_predicate
from storage.ranking.links import centralities, module_of
from storage.ranking.terms import index_terms
from storage.sampling import NOTHING, aligned, id_bound
from storage.store import Damage, Matches, Pattern, StoreStats

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class _Contents:
    """Everything of one index."""

    fingerprint: Fingerprint
    files: dict[str, FileRecord] = field(default_factory=dict)
    chunks: dict[str, Chunk] = field(default_factory=dict)
    by_path: dict[str, tuple[Chunk, ...]] = field(default_factory=dict)
    imports: dict[str, tuple[str, ...]] = field(default_factory=dict)  # path -> modules
    terms: dict[str, Counter[str]] = field(default_factory=dict)  # chunk id -> how often each term stands there
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    sketches: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class MemoryStore:
    """A ChunkStore that forgets at exit. One process has it, so the writer's lock is a thread's lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._contents: _Contents | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other threads out until the end of the block."""
        with self._lock:
            yield

    def state(self, wanted: Fingerprint) -> IndexState:
        """Whether what is held can serve ``wanted``."""
        return compare(self._contents.fingerprint if self._contents else None, wanted)

    def reset(self, fingerprint: Fingerprint) -> None:
        """Begin an empty index made with ``fingerprint``."""
        with self._lock:
            self._contents = _Contents(fingerprint)

    def reset_vectors(self, fingerprint: Fingerprint) -> None:
        """Drop the vectors alone."""
        with self._lock:
            contents = self._begun()
            contents.vectors.clear()
            contents.fingerprint = fingerprint

    def files(self) -> dict[str, FileRecord]:
        """Every file, by path."""
        with self._lock:
            return dict(self._contents.files) if self._contents else {}

    def replace_files(self, files: Sequence[FileRows]) -> None:
        """Put these files' rows in place of all earlier rows of the same paths."""
        with self._lock:
            contents = self._begun()
            require_sketches(contents.fingerprint, files)
            for rows in files:
                self._forget(contents, rows.record.path, kept={chunk.id for chunk in rows.chunks})
                contents.files[rows.record.path] = rows.record
                contents.by_path[rows.record.path] = rows.chunks
                contents.imports[rows.record.path] = rows.imports
                if rows.sketches is not None:
                    # With the precision an index on disk has, so that near ties have the same order in both.
                    kept = rows.sketches.astype("<f2").astype("<f4")
                    contents.sketches.update(zip((chunk.id for chunk in rows.chunks), kept, strict=True))
                for chunk in rows.chunks:
                    contents.chunks[chunk.id] = chunk
                    contents.terms[chunk.id] = Counter(index_terms(chunk).split())

    def refresh_records(self, records: Sequence[FileRecord]) -> None:
        """Put these records in place of those of the same paths."""
        with self._lock:
            known = self._begun().files
            known.update((record.path, record) for record in records if record.path in known)

    def delete_files(self, paths: Collection[str]) -> None:
        """Forget these paths."""
        with self._lock:
            contents = self._begun()
            for path in paths:
                self._forget(contents, path, kept=set())

    def vectorless(self) -> dict[str, int]:
        """How many chunks of each path have no vector."""
        with self._lock:
            return dict(Counter(chunk.file_path for chunk in self._without_vector(lambda _: True)))

    def missing_vectors(
        self, limit: int, *, paths: Collection[str] | None = None, ids: Collection[str] | None = None
    ) -> list[Chunk]:
        """Up to ``limit`` chunks without a vector, by path and place."""
        wanted_paths, wanted_ids = (None if wanted is None else frozenset(wanted) for wanted in (paths, ids))

        def passes(chunk: Chunk) -> bool:
            of_paths = wanted_paths is None or chunk.file_path in wanted_paths
            return of_paths and (wanted_ids is None or chunk.id in wanted_ids)

        with self._lock:
            return list(islice(self._without_vector(passes), limit))

    def _without_vector(self, passes: Callable[[Chunk], bool]) -> Iterator[Chunk]:
        contents = self._contents
        if contents is None:
            return iter(())
        return (chunk for chunk in _in_order(contents, passes) if chunk.id not in contents.vectors)

    def embedded(self, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that have a vector."""
        with self._lock:
            return {one for one in ids if one in self._contents.vectors} if self._contents else set()

    def add_vectors(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors of shape (len(ids), dim)."""
        with self._lock:
            contents = self._begun()
            require_vectors(contents.fingerprint, len(ids), vectors)
            for chunk_id, vector in zip(ids, vectors, strict=True):
                if chunk_id in contents.chunks:
                    contents.vectors.setdefault(chunk_id, np.array(vector, dtype=np.float32))

    def find_text(self, terms: Sequence[str], limit: int, filters: Filters) -> list[Candidate]:
        """BM25 over all chunks, best first."""
        passes = chunk_predicate(filters)
        with self._lock:
            contents = self._contents
            if contents is None or not terms:
                return []
            scores = _bm25(contents.terms, list(dict.fromkeys(terms)))
            found = [
                Candidate(chunk.outline, scores[chunk.id])
                for chunk in _in_order(contents, passes)
                if chunk.id in scores
            ]
            return _best(found, limit)

    def find_near(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """The cosine similarity to every vector, best first."""
        passes = chunk_predicate(filters)
        with self._lock:
            contents = self._contents
            if contents is None or not contents.vectors:
                return []
            require_vectors(contents.fingerprint, 1, vector[None])
            return _nearest(contents.vectors, _in_order(contents, passes), vector, limit)

    def find_sketch(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """The cosine similarity to every sketch, best first."""
        passes = chunk_predicate(filters)
        with self._lock:
            contents = self._contents
            if contents is None or not contents.sketches:
                return []
            require_sketch(contents.fingerprint, vector)
            return _nearest(contents.sketches, _in_order(contents, passes), vector, limit)

    def find_matches(self, pattern: Pattern, limit: int, filters: Filters) -> Matches:
        """Chunks with a line that matches, by path and place."""
        matcher, passes = compile_pattern(pattern), chunk_predicate(filters)
        with self._lock:
            chunks = list(_in_order(self._contents, passes)) if self._contents else []
        return first_matches(((chunk, matched_lines(matcher, chunk)) for chunk in chunks), limit)

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The chunks of these ids."""
        with self._lock:
            known = self._contents.chunks if self._contents else {}
            return {chunk_id: known[chunk_id] for chunk_id in ids if chunk_id in known}

    def shown(self, ids: Collection[str]) -> tuple[dict[str, Chunk], frozenset[str]]:
        """The chunks of these ids; memory is not damaged."""
        return self.chunks(ids), frozenset()

    def chunk_at(self, file_path: str, line: int) -> Chunk | None:
        """The chunk that holds the 1-based ``line``."""
        with self._lock:
            chunks = self._contents.by_path.get(file_path, ()) if self._contents else ()
            return next((chunk for chunk in chunks if chunk.start_line <= line <= chunk.end_line), None)

    def links(self, paths: Collection[str]) -> dict[str, float]:
        """How central these files are, 0 to 1."""
        with self._lock:
            imports = self._contents.imports if self._contents else {}
            modules = set(map(module_of, imports))
            importers = Counter(filter(modules.__contains__, chain.from_iterable(imports.values())))
        return centralities(paths, importers)

    def sample(self, most: int) -> Sample:
        """All chunks with their sketches and vectors, or about ``most``, drawn evenly."""
        with self._lock:
            if self._contents is None:
                return NOTHING
            contents, made_with = self._contents, self._contents.fingerprint
            bound = id_bound(most, len(contents.chunks))
            chunks = tuple(_in_order(contents, lambda chunk: not bound or chunk.id < bound))
            ids = [chunk.id for chunk in chunks]
            return Sample(
                chunks, _rows(contents.sketches, ids, made_with.sketch_dim), _rows(contents.vectors, ids, made_with.dim)
            )

    def stats(self) -> StoreStats:
        """Counts as of now; nothing is on disk."""
        with self._lock:
            if self._contents is None:
                return StoreStats(0, 0, 0)
            skipped = Counter(record.skipped for record in self._contents.files.values() if record.skipped)
            counts = len(self._contents.files), len(self._contents.chunks), len(self._contents.vectors)
            sketches = counts[1] if self._contents.fingerprint.sketch_dim else 0
            return StoreStats(*counts, sketches, skipped=dict(skipped), text_index="none")

    def maintain(self) -> None:
        """Nothing to do: every search looks at everything."""

    def mend(self, *, thorough: bool = False, stop: Callable[[], bool] = lambda: False) -> list[Damage]:  # noqa: ARG002 - there is nothing to look for
        """Nothing is damaged."""
        return []

    def check(self) -> list[Damage]:
        """Nothing to hold rows against: they have not left memory."""
        return []

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._contents = None

    def _begun(self) -> _Contents:
        if self._contents is None:
            raise IndexUnusableError("There is no index in memory yet; begin one with reset.")
        return self._contents

    @staticmethod
    def _forget(contents: _Contents, path: str, kept: set[str]) -> None:
        contents.files.pop(path, None)
        contents.imports.pop(path, None)
        for chunk in contents.by_path.pop(path, ()):
            contents.chunks.pop(chunk.id, None)
            contents.terms.pop(chunk.id, None)
            contents.sketches.pop(chunk.id, None)
            if chunk.id not in kept:
                contents.vectors.pop(chunk.id, None)


def _in_order(contents: _Contents, passes: Callable[[Chunk], bool]) -> Iterator[Chunk]:
    for path in sorted(contents.by_path):
        yield from filter(passes, contents.by_path[path])


def chunk_predicate(filters: Filters) -> Callable[[Chunk], bool]:
    """Whether a chunk may be in an answer."""
    on_path = path_predicate(filters)

    def passes(chunk: Chunk) -> bool:
        return (
            (not filters.languages or chunk.language in filters.languages)
            and (not filters.kinds or chunk.kind in filters.kinds)
            and on_path(chunk.file_path)
        )

    return passes


def _bm25(documents: dict[str, Counter[str]], terms: Sequence[str]) -> dict[str, float]:
    lengths = {chunk_id: counts.total() for chunk_id, counts in documents.items()}
    corpus = Corpus(len(documents), sum(lengths.values()) / max(1, len(lengths)))
    scores: dict[str, float] = {}
    for term in terms:
        holding = {chunk_id: counts[term] for chunk_id, counts in documents.items() if term in counts}
        telling = inverse_document_frequency(corpus, len(holding))
        for chunk_id, count in holding.items():
            scores[chunk_id] = scores.get(chunk_id, 0.0) + telling * term_weight(corpus, count, lengths[chunk_id])
    return scores


def _rows(known: Mapping[str, NDArray[np.float32]], ids: Sequence[str], dim: int) -> NDArray[np.float32]:
    some = np.stack(list(known.values())) if known else np.zeros((0, dim), np.float32)
    return aligned(ids, list(known), some)


def _nearest(
    rows: Mapping[str, NDArray[np.float32]], chunks: Iterator[Chunk], vector: NDArray[np.float32], limit: int
) -> list[Candidate]:
    known = [chunk for chunk in chunks if chunk.id in rows]
    if not known:
        return []
    scores = np.vecdot(np.stack([rows[chunk.id] for chunk in known]), vector)
    return _best([Candidate(chunk.outline, float(score)) for chunk, score in zip(known, scores, strict=True)], limit)


def _best(found: list[Candidate], limit: int) -> list[Candidate]:
    return sorted(found, key=lambda candidate: -candidate.score)[:limit]  # stable: ties stay by path and place
