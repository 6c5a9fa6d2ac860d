"""One generation of an index in LanceDB: its three tables, created, opened, mended, and read as nouns.

``chunks`` has every field of Chunk, the terms for the text index and a checksum. ``vectors`` has a chunk's id and its
embedding; the two rows together are an embedded chunk. It is a table of its own so that embedding, which comes later,
rewrites no chunk and leaves the text index alone; rows whose id is no chunk's any more are ignored. ``files`` has every
field of FileRecord.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.ann import AnnQuery, plan_ann_query, plan_sketch_query
from storage.chunk import Candidate, Chunk, FileRecord
from storage.chunk_rows import ChunkRows
from storage.fingerprint import Fingerprint, require_sketch, require_vectors
from storage.held import Held
from storage.lance import Database, Table
from storage.layout import IndexFile, Layout
from storage.ranking.links import module_of
from storage.schema import (
    CHUNK_FIELDS,
    FILE_FIELDS,
    MOST_LINES,
    OUTLINE_FIELDS,
    chunk_schema,
    chunks_from,
    file_schema,
    files_from,
    label_rows,
    outlines_from,
    vector_schema,
)
from storage.sql import all_of, any_of
from storage.store import StoreStats
from storage.vector_scan import VectorScan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MOST_FILES = 1_000_000  # whose imports are counted

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """The tables in force, and what index.json says of them."""

    file: IndexFile
    chunks: Table
    rows: ChunkRows
    files: Table
    importers: Held[Mapping[str, int]]  # module -> how many files import it
    vectors: Table | None  # None where the index was made without a model
    scan: VectorScan | None  # None where there is an index over vectors, too
    sketches: VectorScan | None  # None where the index was made without a table

    def commits(self) -> int:
        """How many there have been to all tables together, ever."""
        tables = (self.chunks, self.files, self.vectors)
        return sum(table.newest() for table in tables if table is not None)

    def chunk_at(self, file_path: str, line: int) -> Chunk | None:
        """The first chunk of ``file_path`` that holds the 1-based ``line``."""
        if not 1 <= line <= MOST_LINES:
            return None
        holding = all_of(any_of("file_path", [file_path]), f"start_line <= {line}", f"end_line >= {line}")
        chunks = chunks_from(self.chunks.select(CHUNK_FIELDS, holding))
        return min(chunks, key=lambda chunk: chunk.chunk_index, default=None)

    def read_files(self) -> dict[str, FileRecord]:
        """Every record, by path."""
        return {record.path: record for record in files_from(self.files.select(FILE_FIELDS))}

    def near(self, vector: NDArray[np.float32], limit: int, where: str) -> list[Candidate]:
        """Chunks by cosine similarity, best first; asks for more as long as it gets vectors without a chunk."""
        if self.vectors is None:
            return []
        require_vectors(self.file.fingerprint, 1, vector[None])
        asked = limit
        while True:
            nearest = self._nearest(self.vectors, vector, asked, where)
            known = self.rows.outlines([chunk_id for chunk_id, _ in nearest])
            if len(known) >= limit or len(nearest) < asked:
                break
            asked *= 2
        # Rounded to what single precision knows: equal texts get equal scores, however they were compared.
        found = [Candidate(known[chunk_id], round(score, 6)) for chunk_id, score in nearest if chunk_id in known]
        return found[:limit]

    def alike(self, vector: NDArray[np.float32], limit: int, where: str) -> list[Candidate]:
        """Chunks by the cosine similarity of their sketches, best first."""
        if self.sketches is None:
            return []
        require_sketch(self.file.fingerprint, vector)
        if self.file.sketch_index_rows:  # so many that their rows are not kept: one read for both
            ask = plan_sketch_query(self.file.sketch_index_rows, limit)
            rows = self.chunks.alike(vector, OUTLINE_FIELDS, where, limit, ask)
            scores = (round(1 - distance, 6) for distance in rows.column("_distance").to_pylist())
            return list(map(Candidate, outlines_from(rows), scores))
        nearest = None if where else self.sketches.near(vector, limit)
        if nearest is None:
            rows = self.chunks.alike(vector, ["id"], where, limit, None)
            nearest = [(chunk_id, 1 - distance) for chunk_id, distance in _tuples(rows)]
        known = self.rows.outlines([chunk_id for chunk_id, _ in nearest])
        return [Candidate(known[chunk_id], round(score, 6)) for chunk_id, score in nearest if chunk_id in known]

    def _nearest(self, vectors: Table, vector: NDArray[np.float32], limit: int, where: str) -> list[tuple[str, float]]:
        if not where and self.scan is not None and (found := self.scan.near(vector, limit)) is not None:
            return found
        rows = vectors.near(vector, ["id"], where, limit, self._ask(limit))
        return [(chunk_id, 1 - distance) for chunk_id, distance in _tuples(rows)]

    def _ask(self, limit: int) -> AnnQuery | None:
        if self.file.vector_index == "exact":
            return None
        return plan_ann_query(self.file.vector_index_rows, limit)

    def in_order(self, where: str) -> Iterator[Chunk]:
        """Chunks by path and place, read as they are asked for.

        A common pattern is satisfied by the first few, so few are read at first; a rare one should not ask the table a
        thousand times; and neither should hold a repository in memory.
        """
        rows = self.chunks.select(["file_path", "chunk_index", "id"], where)
        places = sorted(_tuples(rows))
        start, size = 0, 256
        while start < len(places):
            ids = [chunk_id for _, _, chunk_id in places[start : start + size]]
            known = self.rows.chunks(ids)
            yield from (known[chunk_id] for chunk_id in ids if chunk_id in known)
            start, size = start + size, min(4096, size * 2)

    def replace_chunks(self, rows: pa.Table, paths: Collection[str]) -> None:
        """Put ``rows`` in place of all chunks of ``paths``, in one commit.

        Looking for what goes reads the whole table: half a second at a million rows. New files have nothing to go.
        """
        of_paths = any_of("file_path", paths)
        if self.chunks.count(of_paths):
            self.chunks.merge(rows, "id", where_gone=of_paths)
        else:
            self.chunks.add(rows)

    def settle_vectors(self, paths: Collection[str], chunks: Mapping[str, Chunk]) -> None:
        """Make the vectors of these paths agree with the ``chunks`` they have now, by id."""
        if self.vectors is None:
            return
        rows = self.vectors.select(["id", "language", "kind"], any_of("file_path", paths))
        stored = {chunk_id: labels for chunk_id, *labels in _tuples(rows)}
        if gone := stored.keys() - chunks.keys():
            self.vectors.delete(any_of("id", sorted(gone)))
        changed = [
            chunks[i] for i in stored.keys() & chunks.keys() if stored[i] != [chunks[i].language, chunks[i].kind]
        ]
        if changed:
            self.vectors.merge(label_rows(changed), "id")

    def stats(self, disk_bytes: int) -> StoreStats:
        """Counts and index kinds as of now."""
        chunks = self.chunks.count()
        skipped = self.files.select(["skipped"], "skipped != ''").column("skipped").to_pylist()
        scanned = self.chunks.unindexed("terms")
        return StoreStats(
            files=self.files.count(),
            chunks=chunks,
            vectors=self.vectors.count() if self.vectors else 0,
            sketches=chunks if self.sketches else 0,
            skipped=dict(Counter(skipped)),
            vector_index=self.file.vector_index,
            text_index="none" if scanned is None or scanned == chunks else "bm25",
            disk_bytes=disk_bytes,
        )

    def vectorless(self) -> dict[str, int]:
        """How many chunks of each path have no vector: .15 s at 900,000 chunks, beside reading their ids."""
        import pyarrow.compute as pc

        if self.vectors is None:
            return {}
        known = self.vectors.select(["id"]).column("id")
        rows = self.chunks.select(["id", "file_path"])
        lacking = pc.invert(pc.is_in(rows.column("id"), value_set=known))
        counts = pc.value_counts(rows.column("file_path").filter(lacking))
        return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))

    def embedded(self, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that have a vector."""
        if self.vectors is None or not ids:
            return set()
        return set(self.vectors.select(["id"], any_of("id", sorted(ids))).column("id").to_pylist())

    def missing_vectors(self, limit: int, where: str) -> list[Chunk]:
        """Up to ``limit`` chunks under ``where`` that have no vector, by path and place."""
        if self.vectors is None:
            return []
        places = sorted(_tuples(self.chunks.select(["file_path", "chunk_index", "id"], where)))
        known = set(self.vectors.select(["id"], where).column("id").to_pylist())
        lacking = [chunk_id for _, _, chunk_id in places if chunk_id not in known][:limit]
        chunks = self.rows.chunks(lacking)
        return [chunks[chunk_id] for chunk_id in lacking if chunk_id in chunks]


def create_index(layout: Layout, fingerprint: Fingerprint) -> None:
    """Make empty tables and put them in force; the ones before them go."""
    number = _next_number(layout.directory)
    vectors = f"vectors-{number}" if fingerprint.dim else ""
    file = IndexFile(fingerprint, f"chunks-{number}", vectors, f"files-{number}")
    database = Database(layout.directory)
    try:
        chunks = database.create(file.chunks, chunk_schema(fingerprint.sketch_dim), "id")
        index_chunks(chunks)
        index_files(database.create(file.files, file_schema(), "path"))
        _create_vectors(database, file)
    finally:
        database.close()
    _put_in_force(layout, file)


def index_chunks(chunks: Table) -> None:
    """Build every index of a table of chunks, in place of those there are."""
    chunks.index_keys("id", "file_path")
    chunks.index_labels("language", "kind")
    chunks.index_terms()


def index_files(files: Table) -> None:
    """Build the index of a table of files, in place of the one there is."""
    files.index_keys("path")


def index_vectors(vectors: Table) -> None:
    """Build what a table of vectors is looked up and filtered by, in place of what there is."""
    vectors.index_keys("id", "file_path")
    vectors.index_labels("language", "kind")


def create_vectors(layout: Layout, current: IndexFile, fingerprint: Fingerprint) -> None:
    """Make an empty table of vectors beside the tables in force, and put it in force."""
    name = f"vectors-{_next_number(layout.directory)}" if fingerprint.dim else ""
    file = replace(current, fingerprint=fingerprint, vectors=name, vector_index="exact", vector_index_rows=0)
    database = Database(layout.directory)
    try:
        _create_vectors(database, file)
    finally:
        database.close()
    _put_in_force(layout, file)


def open_index(database: Database, file: IndexFile) -> OpenIndex:
    """Open the tables in force. Raises IndexUnusableError where one does not open."""
    vectors = database.open(file.vectors) if file.vectors else None
    exact = vectors is not None and file.vector_index == "exact"
    chunks = database.open(file.chunks)
    files = database.open(file.files)
    fingerprint = file.fingerprint
    return OpenIndex(
        file,
        chunks,
        ChunkRows(chunks),
        files,
        Held(files, _importers, MOST_FILES, asked=1),
        vectors,
        VectorScan(vectors, "embedding", fingerprint.dim) if vectors and exact else None,
        VectorScan(chunks, "sketch", fingerprint.sketch_dim) if fingerprint.sketch_dim else None,
    )


def _importers(files: Table) -> Mapping[str, int]:
    """How many files import each module there is: 150 ms for 60,000 files with 20 imports each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = files.select(["path", "imports"])
    modules = pa.array(list(set(map(module_of, rows.column("path").to_pylist()))), pa.string())
    named = pc.list_flatten(rows.column("imports"))
    counts = pc.value_counts(named.filter(pc.is_in(named, modules)))  # most of what is named is no file here
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def drop_unused_tables(layout: Layout, file: IndexFile) -> None:
    """Remove what no index needs any more. What another process still has open on Windows stays until the next time."""
    for path in layout.directory.glob("*.lance"):
        if path.stem not in (file.chunks, file.vectors, file.files):
            shutil.rmtree(path, ignore_errors=True)


def inconsistent_paths(index: OpenIndex) -> dict[str, str]:
    """Paths whose record and chunks tell different stories, and how."""
    rows = index.chunks.select(["file_path", "file_hash"])
    stored: dict[str, list[str]] = {}
    for path, file_hash in zip(rows["file_path"].to_pylist(), rows["file_hash"].to_pylist(), strict=True):
        stored.setdefault(path, []).append(file_hash)
    records = index.read_files()
    reasons = {path: _disagreement(record, stored.get(path, [])) for path, record in records.items()}
    reasons.update((path, "has chunks and no record") for path in stored.keys() - records.keys())
    return {path: reason for path, reason in reasons.items() if reason}


def _disagreement(record: FileRecord, hashes: Sequence[str]) -> str:
    if len(hashes) != record.chunk_count:
        return f"has {len(hashes)} of {record.chunk_count} chunks"
    if any(file_hash != record.file_hash for file_hash in hashes):
        return "has chunks of another version of the file"
    return ""


def _create_vectors(database: Database, file: IndexFile) -> None:
    if file.vectors:
        index_vectors(database.create(file.vectors, vector_schema(file.fingerprint.dim), "id"))


def _put_in_force(layout: Layout, file: IndexFile) -> None:
    layout.write_index(file)
    drop_unused_tables(layout, file)


def _next_number(directory: Path) -> int:
    """One more than any table's number, so that what a killed writer left behind is never taken for a new table."""
    numbers = [int(found[1]) for path in directory.glob("*.lance") if (found := re.search(r"-(\d+)$", path.stem))]
    return max(numbers, default=0) + 1


def unfinished(path: str) -> FileRecord:
    """The record of a path whose change a kill interrupted: equal to no file's, so that it is done again."""
    return FileRecord(path, size=-1, mtime_ns=-1, file_hash="", language="", chunk_count=0)


def _tuples(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(rows.column(name).to_pylist() for name in rows.schema.names), strict=True)
