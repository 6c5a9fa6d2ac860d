"""What an index was made with, and whether it can serve what is wanted now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from storage.chunk import FileRows
from storage.errors import ForeignVectorsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Only what changes stored bytes: the row schema, how files are cut, the model and the table, their dimensions."""

    schema: str
    chunker: str
    model: str = ""  # "" while no model is there: text alone
    dim: int = 0
    sketch: str = ""  # "" where no table is there: no sketches
    sketch_dim: int = 0


class IndexState(StrEnum):
    """What stands in the way of using an index; ``CURRENT`` is the only one that serves everything."""

    MISSING = "missing"
    CURRENT = "current"
    STALE_SCHEMA = "stale_schema"
    STALE_CHUNKER = "stale_chunker"
    STALE_SKETCH = "stale_sketch"
    STALE_MODEL = "stale_model"  # text serves, vectors must be made again
    CORRUPT = "corrupt"


def compare(stored: Fingerprint | None, wanted: Fingerprint) -> IndexState:
    """The worst reason why ``stored`` cannot stand in for ``wanted``.

    An index without a model serves a search without one, and an index with one serves that too: vectors lie idle.
    """
    if stored is None:
        return IndexState.MISSING
    if stored.schema != wanted.schema:
        return IndexState.STALE_SCHEMA
    if stored.chunker != wanted.chunker:
        return IndexState.STALE_CHUNKER
    if (stored.sketch, stored.sketch_dim) != (wanted.sketch, wanted.sketch_dim):
        return IndexState.STALE_SKETCH
    if wanted.model and (stored.model, stored.dim) != (wanted.model, wanted.dim):
        return IndexState.STALE_MODEL
    return IndexState.CURRENT


def require_sketches(fingerprint: Fingerprint, files: Sequence[FileRows]) -> None:
    """Raise ForeignVectorsError unless each file's sketches, where there are any, fit its chunks and the index."""
    for rows in files:
        shape = (len(rows.chunks), fingerprint.sketch_dim)
        if rows.sketches is not None and rows.sketches.shape != shape:
            raise ForeignVectorsError(
                f"{rows.record.path} has sketches of shape {rows.sketches.shape}, and the index keeps {shape} "
                f"({fingerprint.sketch or 'no table'}); sketch its chunks with the table of the index."
            )


def require_sketch(fingerprint: Fingerprint, vector: NDArray[np.float32]) -> None:
    """Raise ForeignVectorsError unless ``vector`` is of the dimension of the index's sketches."""
    if vector.shape != (fingerprint.sketch_dim,):
        raise ForeignVectorsError(
            f"The index holds sketches of {fingerprint.sketch_dim} components ({fingerprint.sketch or 'no table'}), "
            f"not of shape {vector.shape}; sketch the query with the table of the index."
        )


def require_vectors(fingerprint: Fingerprint, count: int, vectors: NDArray[np.float32]) -> None:
    """Raise ForeignVectorsError unless ``vectors`` are ``count`` finite ones of the index's dimension."""
    import numpy as np

    if vectors.shape != (count, fingerprint.dim):
        raise ForeignVectorsError(
            f"The index holds vectors of {fingerprint.dim} components ({fingerprint.model or 'no model'}), not "
            f"an array of shape {vectors.shape} for {count}; make the vectors again with reset_vectors."
        )
    if not np.isfinite(vectors).all():
        raise ForeignVectorsError(
            "A vector holds a value that is no number; nothing was stored: embed the texts again."
        )
