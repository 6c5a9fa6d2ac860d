"""LanceStore: a ChunkStore on disk, in LanceDB.

What a kill leaves. ``replace_files`` writes in this order: pending.json names the paths; the chunks of all of them are
replaced in one commit; vectors of ids that are gone are dropped; the records are replaced; pending.json forgets the
paths. ``delete_files`` does the same. Wherever it stops, a reader sees each file's chunks from before or after the one
commit. A path that pending.json still names has, for every reader of ``files``, a record that equals no file, so the
next run of the indexer does it again, or deletes it if it is gone from the disk: also where the file has gone back to
what the old record says. Vectors without a chunk are ignored by searches and dropped when their file is done again;
chunks without a vector are what ``missing_vectors`` is for.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from storage.ann import EXACT_UP_TO, Choice, plan_ann_index
from storage.chunk import Candidate, Chunk, FileRecord, FileRows, Filters
from storage.errors import IndexBusyError, IndexUnusableError
from storage.fingerprint import Fingerprint, IndexState, compare, require_sketches, require_vectors
from storage.lance_errors import translated
from storage.lance_force import IndexInForce
from storage.lance_index import OpenIndex, unfinished
from storage.lance_tables import create_index, create_vectors
from storage.lance_upkeep import maintain_index
from storage.layout import private_files
from storage.lock import WriterLock
from storage.matching import compile_pattern, first_matches, matched_lines
from storage.ranking.links import centralities
from storage.schema import chunk_rows, file_rows, record_rows, vector_rows
from storage.sql import all_of, any_of, containing, passing
from storage.store import Damage, Matches, Pattern, StoreStats

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from storage.chunk import Sample

T = TypeVar("T")


class LanceStore:
    """The index of one root in ``directory``. Opens at first use; light until then."""

    def __init__(self, directory: Path, vector_index: Choice = "auto", exact_up_to: int = EXACT_UP_TO) -> None:
        self._force = IndexInForce(directory)
        self._layout = self._force.layout
        self._plan = partial(plan_ann_index, kind=vector_index, exact_up_to=exact_up_to)
        self._process_lock = WriterLock(directory)
        self._one_writer = threading.RLock()

    # The index as a whole

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one writing process until the end of the block."""
        with contextlib.ExitStack() as until_the_end:
            with translated(f"The index in {self._layout.directory}", writing=True):
                self._layout.create()
                until_the_end.enter_context(self._process_lock.held())
            yield

    def state(self, wanted: Fingerprint) -> IndexState:
        """Whether what is stored can serve ``wanted``; what is damaged is mended first, if that is soon done."""
        try:
            index = self._force.current()
        except IndexUnusableError:
            index = self._mended()
            if index is None:
                return IndexState.CORRUPT
        if index is not None and "" in self._layout.suspects():
            return IndexState.CORRUPT
        return compare(index.file.fingerprint if index else None, wanted)

    def reset(self, fingerprint: Fingerprint) -> None:
        """Drop everything and begin an empty index made with ``fingerprint``."""
        with self._write():
            create_index(self._layout, fingerprint)
            self._layout.write_pending(())
            self._layout.trust()
            self._force.digests.prune()

    def reset_vectors(self, fingerprint: Fingerprint) -> None:
        """Drop the vectors alone: the model changed, the text did not."""
        with self._write():
            create_vectors(self._layout, self._begun().file, fingerprint)

    def close(self) -> None:
        """Let go of files and memory."""
        self._force.close()

    # Files and their chunks

    def files(self) -> dict[str, FileRecord]:
        """Every file, by path; what a killed writer left half done has a record that equals no file."""
        records: dict[str, FileRecord] = self._read(lambda index: index.read_files(), {})
        return records | {path: unfinished(path) for path in self._force.pending()}

    def replace_files(self, files: Sequence[FileRows]) -> None:
        """Publish these files' rows in place of all earlier rows of the same paths, in one commit."""
        if not files:
            return
        by_path = {rows.record.path: rows for rows in files}
        chunks = [chunk for rows in by_path.values() for chunk in rows.chunks]
        with self._changing(by_path.keys()) as index:
            require_sketches(index.file.fingerprint, files)
            if chunks:
                rows = chunk_rows(by_path.values(), index.file.fingerprint.sketch_dim)
                index.replace_chunks(rows, by_path)
            else:
                index.chunks.delete(any_of("file_path", by_path))
            index.settle_vectors(by_path.keys(), {chunk.id: chunk for chunk in chunks})
            index.files.merge(file_rows(by_path.values()), "path")

    def refresh_records(self, records: Sequence[FileRecord]) -> None:
        """Put these records in place of those of the same paths."""
        if records:
            with self._write():
                self._begun().files.merge(record_rows(records), "path")

    def delete_files(self, paths: Collection[str]) -> None:
        """Forget these paths; unknown ones are ignored."""
        if not paths:
            return
        with self._changing(paths) as index:
            index.chunks.delete(any_of("file_path", paths))
            index.settle_vectors(paths, {})
            index.files.delete(any_of("path", paths))

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The chunks of these ids; unknown ids are absent."""
        return self._read(lambda index: index.rows.chunks(ids), {})

    def shown(self, ids: Collection[str]) -> tuple[dict[str, Chunk], frozenset[str]]:
        """The chunks of these ids as they were written, and the paths of those that are damaged."""
        nothing: tuple[dict[str, Chunk], frozenset[str]] = {}, frozenset()
        chunks, damaged = self._read(lambda index: index.rows.shown(ids), nothing)
        if damaged:
            self._layout.suspect(damaged)
        return chunks, damaged

    def chunk_at(self, file_path: str, line: int) -> Chunk | None:
        """The chunk that holds the 1-based ``line``."""
        return self._read(lambda index: index.chunk_at(file_path, line), None)

    # Vectors

    def vectorless(self) -> dict[str, int]:
        """How many chunks of each path have no vector."""
        return self._read(lambda index: index.vectorless(), {})

    def missing_vectors(
        self, limit: int, *, paths: Collection[str] | None = None, ids: Collection[str] | None = None
    ) -> list[Chunk]:
        """Up to ``limit`` chunks that have no vector, by path and place."""
        where = all_of("" if paths is None else any_of("file_path", paths), "" if ids is None else any_of("id", ids))
        return self._read(lambda index: index.missing_vectors(limit, where), [])

    def embedded(self, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that have a vector."""
        return self._read(lambda index: index.embedded(ids), set())

    def add_vectors(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store vectors, shape (len(ids), dim), rows of norm 1; ids that are unknown or have one are ignored."""
        with self._write():
            index = self._begun()
            require_vectors(index.file.fingerprint, len(ids), vectors)
            if index.vectors is None or not ids:
                return
            present = set(index.vectors.select(["id"], any_of("id", ids)).column("id").to_pylist())
            known = index.rows.outlines(set(ids) - present)
            rows = {chunk_id: row for row, chunk_id in enumerate(ids) if chunk_id in known}
            if rows:
                index.vectors.add(vector_rows([known[chunk_id] for chunk_id in rows], vectors[list(rows.values())]))

    # Finding

    def find_text(self, terms: Sequence[str], limit: int, filters: Filters) -> list[Candidate]:
        """BM25 over split identifiers, best first."""
        where = passing(filters)
        asked = " ".join(dict.fromkeys(terms))
        return self._read(lambda index: index.rows.match(asked, limit, where), []) if asked and limit > 0 else []

    def find_sketch(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """Chunks by their sketches' cosine similarity, best first."""
        where = passing(filters)
        return self._read(lambda index: index.alike(vector, limit, where), []) if limit > 0 else []

    def find_near(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """Nearest chunks by cosine similarity, best first."""
        where = passing(filters)
        return self._read(lambda index: index.near(vector, limit, where), []) if limit > 0 else []

    def find_matches(self, pattern: Pattern, limit: int, filters: Filters) -> Matches:
        """Chunks with a line that matches, by path and place: a prefilter in the table, then every line here."""
        matcher = compile_pattern(pattern)
        where = all_of(passing(filters), containing(matcher.literal))

        def ask(index: OpenIndex) -> Matches:
            tried = ((chunk, matched_lines(matcher, chunk)) for chunk in index.in_order(where))
            return first_matches(tried, limit)

        return self._read(ask, Matches((), complete=True))

    def links(self, paths: Collection[str]) -> dict[str, float]:
        """How central these files are, 0 to 1."""
        return self._read(lambda index: centralities(paths, index.importers.current() or {}), {})

    def sample(self, most: int) -> Sample:
        """All chunks with their sketches and vectors, or about ``most``, drawn evenly."""
        from storage.sampling import NOTHING, read_sample  # for pictures alone

        return self._read(lambda index: read_sample(index, most), NOTHING)

    # Upkeep

    def stats(self) -> StoreStats:
        """Counts and index kinds as of now."""
        return self._read(lambda index: index.stats(self._layout.disk_bytes()), StoreStats(0, 0, 0))

    def maintain(self) -> None:
        """Bring indexes up to date, compact, prune old versions."""
        with self._process_writing():
            maintain_index(self._layout, self._begun().file, self._one_writer, self._plan)
            with self._one_writer:
                self._force.digests.note()
                self._force.digests.prune()

    def check(self, stop: Callable[[], bool] = lambda: False) -> list[Damage]:
        """Read every file and every row and hold them against their checksums; returns what to index again."""
        return self._force.check(stop)

    def mend(self, *, thorough: bool = False, stop: Callable[[], bool] = lambda: False) -> list[Damage]:
        """Bring back what is damaged; returns what was. Looks only where a search found something, or if ``thorough``.

        The files of damaged rows are forgotten, so that the next run reads them again. Where that is not enough, the
        index is corrupt afterwards. ``stop`` ends the looking early.
        """
        suspects = self._layout.suspects()
        if not suspects and not thorough:
            return []
        with self._write():
            try:
                self._force.current()
            except IndexUnusableError:
                self._force.mended()
            damages = self.check(stop)
            if not damages and not suspects:
                return []
            try:
                self._bring_back(damages, unreadable="" in suspects)
            except (IndexUnusableError, ValueError):
                self._layout.suspect([""])
            return damages

    def _bring_back(self, damages: Sequence[Damage], *, unreadable: bool) -> None:
        again = self._force.mend_files(unreadable=unreadable)
        self.delete_files(again | {damage.path for damage in damages if damage.path})
        if any(not damage.path for damage in self.check()):
            raise IndexUnusableError(f"The index in {self._layout.directory} is damaged: index again.")
        self._layout.trust()

    def _mended(self) -> OpenIndex | None:
        """The index without what is damaged; None where it is lost, or another process writes, which then mends it."""
        try:
            with self._write():
                return self._force.mended()
        except IndexBusyError:
            return None

    # Who may write

    @contextlib.contextmanager
    def _process_writing(self) -> Iterator[None]:
        with self.writing(), private_files(), translated(f"The index in {self._layout.directory}", writing=True):
            yield

    @contextlib.contextmanager
    def _write(self) -> Iterator[None]:
        """One writing call: other threads wait, other processes are refused."""
        with self._process_writing(), self._one_writer:
            yield
            self._force.digests.note()

    @contextlib.contextmanager
    def _changing(self, paths: Collection[str]) -> Iterator[OpenIndex]:
        """The index, while ``paths`` are announced as half done; they stay so where the block does not end well."""
        with self._write():
            index = self._begun()
            pending = self._force.pending()
            self._layout.write_pending(pending | set(paths))
            with self._force.suspecting():
                yield index
            self._layout.write_pending(pending - set(paths))

    def _read(self, ask: Callable[[OpenIndex], T], nothing: T) -> T:
        return self._force.read(ask, nothing)

    def _begun(self) -> OpenIndex:
        return self._force.begun()
