"""From a model's vectors of texts to the file of a lookup table: distil, build the bridge, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedding.bags import mine_vocabulary
from embedding.bridge import FittedBridge, fit_bridge
from embedding.errors import EmbeddingError
from embedding.rare import ModelRows
from embedding.table_file import TableContents, most_tokens, write_table
from embedding.teaching import POWER, SIF, Lesson, teach

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

DIM = 256
MAX_BRIDGE_ROWS = 8193  # of 256 components 4 MB; the widest rows of a model here have 3,584


@dataclass(frozen=True, slots=True)
class MadeTable:
    """A table that was written, and how far from its model's its vectors are: means of 1 - cosine, 0 to 2.

    ``bridge_error`` is that of words that only the model knows; None where its rows cannot be read, and
    ``no_bridge`` says why.
    """

    tokens: int
    dim: int
    size: int  # bytes of the file
    trained_error: float
    held_out_error: float
    bridge_error: float | None
    no_bridge: str = ""


def make_table(
    path: Path,
    texts: Sequence[str],
    vectors: Floats,
    model_file: Path,
    alone: Callable[[Sequence[str]], Floats] | None = None,
) -> MadeTable:
    """Write the table that comes nearest to a model's ``vectors`` of ``texts``, shape (len(texts), any), at ``path``.

    ``model_file`` is the model's GGUF file, for the bridge. ``alone`` gives the model's vectors of single words, where
    it says something of them (encoders do); rare words start from these.
    Raises LookupTableError where nothing can be learned from so few texts, or the file cannot be written.
    """
    dim = min(DIM, vectors.shape[1])
    vocabulary = mine_vocabulary(texts, most_tokens(dim, MAX_BRIDGE_ROWS))
    words = alone(vocabulary.tokens) if alone else None
    fit = teach(vocabulary, Lesson(texts, vectors, words), dim)
    bridge, no_bridge = _bridge(model_file, vocabulary.tokens, fit.vectors)
    matrix = bridge.bridge if bridge else None
    write_table(path, TableContents(vocabulary.tokens, fit.vectors, vocabulary.frequencies, SIF, POWER, matrix))
    return MadeTable(
        len(vocabulary.tokens),
        dim,
        path.stat().st_size,
        fit.trained_error,
        fit.held_out_error,
        bridge.held_out_error if bridge else None,
        no_bridge,
    )


def _bridge(model_file: Path, tokens: Sequence[str], vectors: Floats) -> tuple[FittedBridge | None, str]:
    """The bridge, or why there is none: a table without one is as good for all words that it knows."""
    try:
        with ModelRows(model_file) as rows:
            if rows.dim >= MAX_BRIDGE_ROWS:
                return None, f"The rows of {model_file} have {rows.dim} components, more than a table has room for."
            return fit_bridge(rows, tokens, vectors), ""
    except EmbeddingError as error:
        return None, str(error)
