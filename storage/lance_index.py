"""One generation of an index in LanceDB: its three tables, written, and read as nouns.

``chunks`` has every field of Chunk, the terms for the text index and a checksum. ``vectors`` has a chunk's id and its
embedding; the two rows together are an embedded chunk. It is a table of its own so that embedding, which comes later,
rewrites no chunk and leaves the text index alone; rows whose id is no chunk's any more are ignored. ``files`` has every
field of FileRecord.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.ann import AnnQuery, plan_ann_query, plan_sketch_query
from storage.chunk import Candidate, Chunk, FileRecord
from storage.chunk_rows import ChunkRows
from storage.fingerprint import require_sketch, require_vectors
from storage.held import Held
from storage.lance import Table
from storage.layout import IndexFile
from storage.schema import (
    CHUNK_FIELDS,
    FILE_FIELDS,
    MOST_LINES,
    OUTLINE_FIELDS,
    chunks_from,
    files_from,
    label_rows,
    outlines_from,
)
from storage.sql import all_of, any_of
from storage.store import StoreStats
from storage.vector_scan import VectorScan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


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


def unfinished(path: str) -> FileRecord:
    """The record of a path whose change a kill interrupted: equal to no file's, so that it is done again."""
    return FileRecord(path, size=-1, mtime_ns=-1, file_hash="", language="", chunk_count=0)


def _tuples(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(rows.column(name).to_pylist() for name in rows.schema.names), strict=True)
