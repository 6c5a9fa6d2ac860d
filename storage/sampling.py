"""Chunks with their places in the spaces of meaning, drawn evenly where there are many: to be looked at as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from storage.chunk import Sample
from storage.schema import CHUNK_FIELDS, chunks_from, matrix_from

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from storage.lance_index import OpenIndex

_IDS = 1 << 128  # as many as there can be


NOTHING = Sample((), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))


def id_bound(most: int, total: int) -> str:
    """What the ids of about ``most`` of ``total`` chunks are below; "" where all are wanted.

    An id is a hash of its chunk, so the draw is even, and the same one as long as the chunks are.
    """
    return f"{_IDS * most // total:032x}" if total > most else ""


def aligned(ids: Sequence[str], known: Sequence[str], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ``rows`` of ``known`` ids, shape (len(known), dim), in the order of ``ids``; zeros for those unknown."""
    at = {chunk_id: place for place, chunk_id in enumerate(known)}
    found = [(place, at[chunk_id]) for place, chunk_id in enumerate(ids) if chunk_id in at]
    placed = np.zeros((len(ids), rows.shape[1]), np.float32)
    if found:
        here, there = zip(*found, strict=True)
        placed[list(here)] = rows[list(there)]
    return placed


def read_sample(index: OpenIndex, most: int) -> Sample:
    """About ``most`` chunks of an index on disk: a second for 60,000."""
    bound = id_bound(most, index.chunks.count())
    where = f"id < '{bound}'" if bound else ""
    rows = index.chunks.select([*CHUNK_FIELDS, *(["sketch"] if index.sketches else [])], where)
    rows = rows.sort_by([("file_path", "ascending"), ("chunk_index", "ascending")])
    chunks = tuple(chunks_from(rows))
    sketches = _matrix(rows, "sketch", index.file.fingerprint.sketch_dim)
    if index.vectors is None:
        return Sample(chunks, sketches, np.zeros((len(chunks), 0), np.float32))
    made = index.vectors.select(["id", "embedding"], where)
    vectors = _matrix(made, "embedding", index.file.fingerprint.dim)
    ids = [chunk.id for chunk in chunks]
    return Sample(chunks, sketches, aligned(ids, made.column("id").to_pylist(), vectors))


def _matrix(rows: pa.Table, column: str, dim: int) -> NDArray[np.float32]:
    return matrix_from(rows.column(column)) if dim else np.zeros((len(rows), dim), np.float32)
