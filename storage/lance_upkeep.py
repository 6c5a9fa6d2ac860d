"""What keeps an index fast and honest: indexes brought up to date, files joined, versions pruned, rows checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from storage.ann import AnnPlan, needs_build
from storage.errors import IndexUnusableError
from storage.lance import Database, Table
from storage.lance_index import OpenIndex, drop_unused_tables, inconsistent_paths, open_index
from storage.layout import IndexFile, Layout
from storage.schema import CHUNK_FIELDS, chunk_checksum, chunks_from, vector_bytes, vector_checksum
from storage.store import Damage

_log = logging.getLogger(__name__)

# Rows that an index does not know are scanned by every search: the text index costs 7 ms per 1,000 of them, bringing it
# up to date 70 ms at 10,000 rows and 1.5 s at 100,000.
PENDING_ROWS = 1000

# Each save leaves a small file in each table. 32 of them cost a search under a millisecond, and joining them 50 ms.
SMALL_FRAGMENTS = 32

_ROWS_AT_A_TIME = 1024


Guard = AbstractContextManager[object]
Planner = Callable[[int, int], AnnPlan | None]  # of rows and dimension


def maintain_index(layout: Layout, file: IndexFile, one_writer: Guard, plan: Planner) -> None:
    """Bring everything up to date that pays; ``one_writer`` keeps other threads out where they would be in the way.

    Works on a connection of its own, closed at the end: bringing a text index up to date leaks 2 to 4 open files each
    time until then. Training a vector index takes up to minutes and leaves other writers free; the rest is short.
    """
    database = Database(layout.directory)
    try:
        index = open_index(database, file)
        for table, column in ((index.chunks, "terms"), (index.files, "path")):
            _optimize_if_due(table, column, one_writer)
        if index.vectors is not None:
            _optimize_if_due(index.vectors, "id", one_writer)
            _maintain_vector_index(layout, index.file, index.vectors, one_writer, plan)
    finally:
        database.close()
    with one_writer:
        drop_unused_tables(layout, layout.read_index() or file)


def _optimize_if_due(table: Table, column: str, one_writer: Guard) -> None:
    with one_writer:  # optimizing while rows are deleted fails, nearly always
        pending, rows = table.unindexed(column) or 0, table.count()
        if pending >= PENDING_ROWS or 0 < pending == rows or table.small_fragments() >= SMALL_FRAGMENTS:
            table.optimize()


def _maintain_vector_index(layout: Layout, file: IndexFile, vectors: Table, one_writer: Guard, plan: Planner) -> None:
    rows = vectors.count()
    wanted = plan(rows, file.fingerprint.dim)
    if wanted is None:
        if file.vector_index != "exact":
            _announce(layout, file, one_writer, kind="exact", rows=0)
    elif needs_build(wanted, rows, file.vector_index, file.vector_index_rows):
        _log.info("Building the vector index: %s over %d vectors.", wanted.kind, rows)
        vectors.index_vectors(wanted)
        _announce(layout, file, one_writer, kind=wanted.kind, rows=rows)


def _announce(layout: Layout, file: IndexFile, one_writer: Guard, *, kind: str, rows: int) -> None:
    """Tell readers how to ask, unless the table it is about has been replaced meanwhile."""
    with one_writer:
        now = layout.read_index()
        if now is not None and now.vectors == file.vectors:
            layout.write_index(replace(now, vector_index=kind, vector_index_rows=rows))


def check_index(index: OpenIndex) -> list[Damage]:
    """Hold every row against its checksum, and records against chunks; one finding a path, by path."""
    try:
        damaged = inconsistent_paths(index)
        damaged.update(dict.fromkeys(_damaged_vectors(index), "has a vector that is damaged"))
        damaged.update(dict.fromkeys(_damaged_chunks(index), "has a chunk that is damaged"))
    except IndexUnusableError as error:
        return [Damage("", str(error))]
    return [Damage(path, reason) for path, reason in sorted(damaged.items())]


def _damaged_chunks(index: OpenIndex) -> Iterator[str]:
    for batch in index.chunks.stream([*CHUNK_FIELDS, "checksum"], _ROWS_AT_A_TIME):
        checksums = batch.column("checksum").to_pylist()
        for chunk, checksum in zip(chunks_from(batch), checksums, strict=True):
            if chunk_checksum(chunk) != checksum:
                yield chunk.file_path


def _damaged_vectors(index: OpenIndex) -> Iterator[str]:
    if index.vectors is None:
        return
    for batch in index.vectors.stream(["id", "file_path", "embedding", "checksum"], _ROWS_AT_A_TIME):
        rows = zip(*(batch.column(name).to_pylist() for name in ("id", "file_path", "checksum")), strict=True)
        for (chunk_id, path, checksum), vector in zip(rows, vector_bytes(batch.column("embedding")), strict=True):
            if vector_checksum(chunk_id, vector) != checksum:
                yield path
