"""Chunks and outlines out of a table of chunks, by id or by terms, as narrow as can be read.

A table's read costs by the column more than by the row: of 10,000 chunks, 10 by id take 1.4 ms for their ids, 1.5 with
content and context, 2.5 with all fields. So all but the texts is kept in memory while the table does not change (50
outlines then take .1 ms), and the table gives ids, scores and the texts of the few that are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from storage.chunk import Candidate, Chunk, Outline
from storage.held import Held
from storage.schema import CHUNK_FIELDS, OUTLINE_FIELDS, chunks_from, outlines_from
from storage.sql import any_of

if TYPE_CHECKING:
    import pyarrow as pa

    from storage.lance import Table

ROWS_PER_LOOKUP = 1000  # ids in one condition: 50 take 3 ms at 10,000 rows, 1,000 take 20
MOST_ROWS = 30_000  # kept in memory, at 420 bytes each: 12 MB in a server that is to stay under 300
# A search asks two or three times: one that comes between two commits, while files are indexed, keeps nothing.
_ASKED = 4

_TEXT_FIELDS = ("id", "content", "context")
_NARROW_FIELDS = tuple(name for name in CHUNK_FIELDS if name not in _TEXT_FIELDS[1:])


class ChunkRows:
    """A table of chunks, read as nouns; rows of the newest commit, or of one just before it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._held = Held(table, _NarrowRows, MOST_ROWS, _ASKED)

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The chunks of these ids; unknown ids are absent."""
        narrow, wanted = self._held.current(), set(ids)
        found: list[Chunk] = []
        if narrow is not None:
            held = narrow.known(wanted)
            for rows in self._lookup(held, _TEXT_FIELDS):
                found += narrow.chunks(rows)
            wanted -= held
        for rows in self._lookup(wanted, CHUNK_FIELDS):
            found += chunks_from(rows)
        return {chunk.id: chunk for chunk in found}

    def outlines(self, ids: Collection[str]) -> dict[str, Outline]:
        """The outlines of these ids; unknown ids are absent."""
        return self._outlines(ids, self._held.current())

    def match(self, terms: str, limit: int, where: str) -> list[Candidate]:
        """Chunks by BM25, best first."""
        narrow = self._held.current()
        rows = self._table.match(terms, OUTLINE_FIELDS if narrow is None else ["id"], where, limit)
        scores = rows.column("_score").to_pylist()
        if narrow is None:
            return list(map(Candidate, outlines_from(rows), scores))
        ids = rows.column("id").to_pylist()
        known = self._outlines(ids, narrow)
        return [
            Candidate(known[chunk_id], score) for chunk_id, score in zip(ids, scores, strict=True) if chunk_id in known
        ]

    def _outlines(self, ids: Collection[str], narrow: _NarrowRows | None) -> dict[str, Outline]:
        wanted, found = set(ids), list[Outline]()
        if narrow is not None:
            held = narrow.known(wanted)
            found += narrow.outlines(held)
            wanted -= held
        for rows in self._lookup(wanted, OUTLINE_FIELDS):
            found += outlines_from(rows)
        return {outline.id: outline for outline in found}

    def _lookup(self, ids: Collection[str], fields: Sequence[str]) -> Iterator[pa.Table]:
        ordered = sorted(ids)
        for start in range(0, len(ordered), ROWS_PER_LOOKUP):
            yield self._table.select(fields, any_of("id", ordered[start : start + ROWS_PER_LOOKUP]))


class _NarrowRows:
    """All rows of one commit but their ``content`` and ``context``."""

    def __init__(self, table: Table) -> None:
        import pyarrow as pa

        rows = table.select(_NARROW_FIELDS)
        self._rows = pa.RecordBatch.from_arrays(
            [column.combine_chunks() for column in rows.columns], schema=rows.schema
        )
        self._outlines = self._rows.select(list(OUTLINE_FIELDS))
        self._row_of = {chunk_id: row for row, chunk_id in enumerate(self._rows.column("id").to_pylist())}

    def known(self, ids: set[str]) -> set[str]:
        """Those of ``ids`` that are here."""
        return {chunk_id for chunk_id in ids if chunk_id in self._row_of}

    def outlines(self, ids: Collection[str]) -> list[Outline]:
        """The outlines of ``ids``, all of them known."""
        return outlines_from(self._taken(self._outlines, ids))

    def chunks(self, texts: pa.Table) -> list[Chunk]:
        """The chunks of rows with _TEXT_FIELDS, all of them known."""
        import pyarrow as pa

        narrow = self._taken(self._rows, texts.column("id").to_pylist())
        columns = {name: (texts if name in _TEXT_FIELDS else narrow).column(name) for name in CHUNK_FIELDS}
        return chunks_from(pa.table(columns))

    def _taken(self, rows: pa.RecordBatch, ids: Collection[str]) -> pa.RecordBatch:
        import pyarrow as pa

        return rows.take(pa.array([self._row_of[chunk_id] for chunk_id in ids], pa.int32()))
