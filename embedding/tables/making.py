"""From a model's vectors of texts to the file of a lookup table: words, recipe, bridge, file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedding.errors import EmbeddingError
from embedding.gguf import complete_spec, read_header
from embedding.model import ModelSpec, Pooling
from embedding.tables.bags import Vocabulary, mine_vocabulary
from embedding.tables.bridge import FittedBridge, fit_bridge
from embedding.tables.rare import ModelRows
from embedding.tables.table_file import TableContents, most_tokens, write_table
from embedding.tables.teaching import POWER, SIF, Lesson, teach

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


def says_much_of_words(spec: ModelSpec, model_file: Path) -> bool:
    """Whether a model's vectors of single words are worth asking for: an encoder's are.

    A decoder's hardly are: a table of those alone found .41 where one of an encoder's found .74 (nDCG@10).
    Raises ModelMissingError, ModelInvalidError as reading the file does.
    """
    return complete_spec(spec, read_header(model_file), model_file).pooling is not Pooling.LAST


def vocabulary_for(texts: Sequence[str]) -> Vocabulary:
    """The words of ``texts`` that a table of them is to hold."""
    return mine_vocabulary(texts, most_tokens(DIM, MAX_BRIDGE_ROWS))


def make_table(path: Path, vocabulary: Vocabulary, lesson: Lesson, model_file: Path) -> MadeTable:
    """Write at ``path`` the table of this vocabulary that the lesson teaches; ``model_file`` is the teacher's.

    Raises LookupTableError where there is too little to learn from, or the file cannot be written.
    """
    fit = teach(vocabulary, lesson, min(DIM, lesson.vectors.shape[1]))
    bridge, no_bridge = _bridge(model_file, vocabulary.tokens, fit.vectors)
    crossing = bridge.bridge if bridge else None
    write_table(path, TableContents(vocabulary.tokens, fit.vectors, vocabulary.frequencies, SIF, POWER, crossing))
    return MadeTable(
        len(vocabulary.tokens),
        fit.vectors.shape[1],
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
