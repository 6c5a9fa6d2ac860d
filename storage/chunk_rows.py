"""Chunks and outlines out of a table of chunks, by id or by terms.

A table's read costs by the query and by the column more than by the row: of 10,000 chunks, 10 by id take 1.4 ms for
their ids, 2.5 with all fields; 50 by their terms 1.3 and 3.1. So the rows of a small table are kept in memory while it
does not change (50 outlines then take .1 ms): the table says which, and memory what they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.chunk import Candidate, Chunk, Outline
from storage.held import Held
from storage.schema import CHUNK_FIELDS, OUTLINE_FIELDS, chunk_checksum, chunks_from, ids_from, outlines_from
from storage.sql import any_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from storage.lance import Table

ROWS_PER_LOOKUP = 1000  # ids in one condition: 50 take 3 ms at 10,000 rows, 1,000 take 20
# What is kept: 750 bytes a row of PHP, 8 MB at 10,000 rows, where a server is to stay under 300. At 15,000 rows a warm
# query through the server takes .8 of the time it takes without.
MOST_ROWS = 60_000
MOST_BYTES = 60 << 20
# A search asks two or three times: one that comes between two commits, while files are indexed, keeps nothing.
_ASKED = 4
_STORED = (*CHUNK_FIELDS, "checksum")


class ChunkRows:
    """A table of chunks, read as nouns; rows of the newest commit, or of one just before it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._held = Held(table, _small_enough, MOST_ROWS, _ASKED)

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The chunks of these ids; unknown ids are absent."""
        found = self._rows(ids, CHUNK_FIELDS, self._held.current())
        return {chunk.id: chunk for rows in found for chunk in chunks_from(rows)}

    def shown(self, ids: Collection[str]) -> tuple[dict[str, Chunk], frozenset[str]]:
        """The chunks of these ids whose checksum holds, and the paths of the others. 10 µs a chunk more."""
        whole: dict[str, Chunk] = {}
        damaged = set()
        for rows in self._rows(ids, _STORED, self._held.current()):
            for chunk, checksum in zip(chunks_from(rows), rows.column("checksum").to_pylist(), strict=True):
                if chunk_checksum(chunk) == checksum:
                    whole[chunk.id] = chunk
                else:
                    damaged.add(chunk.file_path)
        return whole, frozenset(damaged)

    def outlines(self, ids: Collection[str]) -> dict[str, Outline]:
        """The outlines of these ids; unknown ids are absent."""
        return self._outlines(ids, self._held.current())

    def match(self, terms: str, limit: int, where: str) -> list[Candidate]:
        """Chunks by BM25, best first."""
        held = self._held.current()
        rows = self._table.match(terms, OUTLINE_FIELDS if held is None else ["id"], where, limit)
        scores = rows.column("_score").to_pylist()
        if held is None:
            return list(map(Candidate, outlines_from(rows), scores))
        scored = dict(zip(rows.column("id").to_pylist(), scores, strict=True))
        known = self._outlines(scored.keys(), held)
        return [Candidate(known[chunk_id], score) for chunk_id, score in scored.items() if chunk_id in known]

    def _outlines(self, ids: Collection[str], held: _HeldRows | None) -> dict[str, Outline]:
        found = self._rows(ids, OUTLINE_FIELDS, held)
        return {outline.id: outline for rows in found for outline in outlines_from(rows)}

    def _rows(
        self, ids: Collection[str], fields: Sequence[str], held: _HeldRows | None
    ) -> Iterator[pa.RecordBatch | pa.Table]:
        known = held.places.of(set(ids)) if held else {}
        if held and known:
            yield held.take(known.values(), fields)
        unknown = sorted(set(ids).difference(known))
        for start in range(0, len(unknown), ROWS_PER_LOOKUP):
            yield self._table.select(fields, any_of("id", unknown[start : start + ROWS_PER_LOOKUP]))


@dataclass(frozen=True, slots=True)
class _Places:
    """Which row has which id: 36 bytes a row, where a dictionary takes 190."""

    ids: NDArray[np.bytes_]  # shape (rows,), sorted
    rows: NDArray[np.int32]  # shape (rows,), where each of them stands

    def of(self, ids: Collection[str]) -> dict[str, int]:
        """The rows of those ``ids`` that are there."""
        import numpy as np

        asked = list(ids)
        wanted = np.array([chunk_id.encode() for chunk_id in asked], dtype=np.bytes_)
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        there = np.flatnonzero(self.ids[at] == wanted).tolist()
        return {asked[one]: int(self.rows[at[one]]) for one in there}


@dataclass(frozen=True, slots=True)
class _HeldRows:
    """All rows of one commit, with CHUNK_FIELDS and their checksums; there is one at least."""

    rows: pa.RecordBatch
    places: _Places

    def take(self, places: Collection[int], fields: Sequence[str]) -> pa.RecordBatch:
        import pyarrow as pa

        return self.rows.select(list(fields)).take(pa.array(places, pa.int32()))


def _small_enough(table: Table) -> _HeldRows | None:
    """The rows of ``table``, unless there are none or they are long."""
    import numpy as np
    import pyarrow as pa

    rows = table.select(_STORED)
    if not 0 < rows.nbytes <= MOST_BYTES:
        return None
    # One batch, of which rows are taken in a quarter of the time; from the system, which gives what is asked for,
    # where the library's own pool takes 8 MB for 2.
    rows = rows.combine_chunks(memory_pool=pa.system_memory_pool())
    batch = pa.RecordBatch.from_arrays([column.chunk(0) for column in rows.columns], schema=rows.schema)
    ids = ids_from(batch.column("id"))
    order = np.argsort(ids).astype(np.int32)
    return _HeldRows(batch, _Places(ids[order], order))
