"""Generations of an index: their tables created, opened, put in force, and dropped when another is.

``index.json`` names the tables in force. A new one has a number of its own, and the old ones go when it is in force: a
kill on the way leaves the index as it was.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from storage.chunk_rows import ChunkRows
from storage.fingerprint import Fingerprint
from storage.held import Held
from storage.lance import Database, Table
from storage.lance_index import OpenIndex
from storage.layout import IndexFile, Layout
from storage.ranking.links import module_of
from storage.schema import chunk_schema, file_schema, vector_schema
from storage.vector_scan import VectorScan

MOST_FILES = 1_000_000  # whose imports are counted


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
