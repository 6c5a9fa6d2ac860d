"""What keeps an index fast and honest: indexes brought up to date, files joined, versions pruned, rows checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Literal

from storage.ann import AnnPlan, needs_build, plan_sketch_index
from storage.errors import IndexUnusableError
from storage.heap import give_back
from storage.lance import Database, Table
from storage.lance_index import OpenIndex, inconsistent_paths
from storage.lance_tables import drop_unused_tables, index_chunks, index_files, index_vectors, open_index
from storage.layout import IndexFile, Layout
from storage.schema import CHUNK_FIELDS, chunk_checksum, chunks_from, vector_bytes, vector_checksum
from storage.store import Damage

_log = logging.getLogger(__name__)

# Rows that an index does not know are scanned by every search: the text index costs 7 ms per 1,000 of them, bringing it
# up to date 70 ms at 10,000 rows and 1.5 s at 100,000.
PENDING_ROWS = 1000

# Each save leaves a small file in each table. 32 of them cost a search under a millisecond, and joining them 50 ms.
SMALL_FRAGMENTS = 32

# Joining moves rows, so that every index is written again, in memory: 57 µs a row and 500 MB at 400,000 rows, however
# little there is to join. Above this, indexes are built anew from the rows instead (45 µs a row, 180 MB at any size)
# when one row in 200 is not in them (40 ms a search), and files are joined when there are many for so many rows.
JOINED_UP_TO = 20_000
PENDING_SHARE = 200
SKETCH_PENDING_SHARE = 20  # a scan of 5 % of a million sketches takes 12 ms, and building their index 14 s
ROWS_A_FRAGMENT = 2_000

_ROWS_AT_A_TIME = 1024


Guard = AbstractContextManager[object]
Upkeep = Literal["", "join", "index"]
Planner = Callable[[int, int], AnnPlan | None]  # of rows and dimension


def maintain_index(layout: Layout, file: IndexFile, one_writer: Guard, plan: Planner) -> None:
    """Bring everything up to date that pays; ``one_writer`` keeps other threads out where they would be in the way.

    Works on a connection of its own, closed at the end: bringing a text index up to date leaks 2 to 4 open files each
    time until then. Training a vector index takes up to minutes and leaves other writers free; the rest is short.
    """
    database = Database(layout.directory)
    try:
        index = open_index(database, file)
        _tidy(index.chunks, "terms", one_writer, index_chunks)
        _tidy(index.files, "path", one_writer, index_files)
        _maintain_sketch_index(layout, index, one_writer)
        if index.vectors is not None:
            _tidy(index.vectors, "id", one_writer, index_vectors)
            _maintain_vector_index(layout, index.file, index.vectors, one_writer, plan)
    finally:
        database.close()
        give_back()
    with one_writer:
        drop_unused_tables(layout, layout.read_index() or file)


def plan_upkeep(rows: int, pending: int, fragments: int) -> Upkeep:
    """What a table needs: ``pending`` of its ``rows`` are in no index, and it lies in ``fragments`` small files."""
    if fragments >= max(SMALL_FRAGMENTS, rows // ROWS_A_FRAGMENT):
        return "join"
    if pending >= max(PENDING_ROWS, rows // PENDING_SHARE) or 0 < pending == rows:
        return "index" if rows > JOINED_UP_TO else "join"
    return ""


def _tidy(table: Table, column: str, one_writer: Guard, index: Callable[[Table], None]) -> None:
    with one_writer:  # optimizing while rows are deleted fails, nearly always
        due = plan_upkeep(table.count(), table.unindexed(column) or 0, table.small_fragments())
        if due == "join":
            table.optimize()
        elif due == "index":
            index(table)
            table.drop_old_indexes()


def _maintain_sketch_index(layout: Layout, index: OpenIndex, one_writer: Guard) -> None:
    rows = index.chunks.count()
    wanted = plan_sketch_index(rows) if index.file.fingerprint.sketch_dim else None
    if wanted is None:
        return
    with one_writer:
        unindexed = index.chunks.unindexed("sketch")
        if unindexed is None or unindexed >= rows // SKETCH_PENDING_SHARE:
            index.chunks.index_sketches(wanted)
            now = layout.read_index()
            if now is not None and now.chunks == index.file.chunks:
                layout.write_index(replace(now, sketch_index_rows=rows))


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


def check_index(index: OpenIndex, stop: Callable[[], bool]) -> list[Damage]:
    """Hold every row against its checksum, and records against chunks; one finding a path, by path.

    ``stop`` ends it early, with what was found till then.
    """
    try:
        damaged = inconsistent_paths(index)
        damaged.update(dict.fromkeys(_damaged_vectors(index, stop), "has a vector that is damaged"))
        damaged.update(dict.fromkeys(_damaged_chunks(index, stop), "has a chunk that is damaged"))
    except IndexUnusableError as error:
        return [Damage("", str(error))]
    return [Damage(path, reason) for path, reason in sorted(damaged.items())]


def _damaged_chunks(index: OpenIndex, stop: Callable[[], bool]) -> Iterator[str]:
    for batch in index.chunks.stream([*CHUNK_FIELDS, "checksum"], _ROWS_AT_A_TIME):
        if stop():
            return
        checksums = batch.column("checksum").to_pylist()
        for chunk, checksum in zip(chunks_from(batch), checksums, strict=True):
            if chunk_checksum(chunk) != checksum:
                yield chunk.file_path


def _damaged_vectors(index: OpenIndex, stop: Callable[[], bool]) -> Iterator[str]:
    if index.vectors is None:
        return
    for batch in index.vectors.stream(["id", "file_path", "embedding", "checksum"], _ROWS_AT_A_TIME):
        if stop():
            return
        rows = zip(*(batch.column(name).to_pylist() for name in ("id", "file_path", "checksum")), strict=True)
        for (chunk_id, path, checksum), vector in zip(rows, vector_bytes(batch.column("embedding")), strict=True):
            if vector_checksum(chunk_id, vector) != checksum:
                yield path
