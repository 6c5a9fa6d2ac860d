"""Vectors for tokens that a lookup table lacks, out of the token table of the model that the table was made of.

A token is cut into the model's pieces, the rows of these are read out of its file and averaged, and the table's bridge
takes the average into the table's space. No model is loaded: less than 10 MB of memory, whatever the size of the file.
"""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedding.errors import EmbeddingError, LookupTableError
from embedding.gguf import read_header
from embedding.tables.pieces import read_pieces
from embedding.tables.table_file import Bridge
from embedding.tables.token_rows import TokenRows

_log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

KEPT_VECTORS = 2048  # of 256 components 2 MB; a row that is kept costs nothing, one that is read .1 ms


class ModelRows:
    """Rows of a model's token table by word instead of by id. Thread-safe; a context manager."""

    def __init__(self, path: Path) -> None:
        """Reads the header and the vocabulary.

        Raises ModelMissingError where there is no such file, ModelInvalidError where it is no whole GGUF file, or has
        no vocabulary or no token table that can be read.
        """
        header = read_header(path)
        self._pieces = read_pieces(path, header)
        self._rows = TokenRows(path, header)

    @property
    def dim(self) -> int:
        """Components of a row."""
        return self._rows.dim

    def mark(self) -> int:
        """64 bits that tell this model's rows from those of others, also of other quantisations."""
        return self._rows.mark()

    def row(self, word: str) -> Floats | None:
        """The mean of the rows of the pieces of ``word``, shape (dim,); None where it cannot be cut into pieces.

        Raises ModelInvalidError where the file has been cut or damaged.
        """
        ids = self._ids(word)
        return np.asarray(np.mean([self._rows.row(token) for token in ids], axis=0), np.float32) if ids else None

    def cuts(self, word: str) -> bool:
        """Whether ``word`` can be cut into pieces that have rows."""
        return bool(self._ids(word))

    def _ids(self, word: str) -> list[int]:
        ids = self._pieces.cut(word)
        return ids if all(token < len(self._rows) for token in ids) else []

    def close(self) -> None:
        """Close the file; no row can be read afterwards."""
        self._rows.close()

    def __enter__(self) -> ModelRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RareTokens:
    """Vectors of tokens by way of a bridge. Thread-safe; nothing is read before the first token."""

    def __init__(self, path: Path, bridge: Bridge) -> None:
        self._path = path
        self._bridge = bridge
        self._lock = threading.Lock()
        self._rows: ModelRows | None = None
        self._given_up = False
        self._kept = lru_cache(maxsize=KEPT_VECTORS)(self._read)

    def vector(self, token: str) -> Floats | None:
        """The vector of ``token`` in the table's space, shape (dim,); None where the model's file does not give it.

        A file that is damaged, or of another model than the bridge, gives none for good, and that is logged once.
        """
        return self._kept(token)

    def _read(self, token: str) -> Floats | None:
        try:
            rows = self._open()
            row = rows.row(token) if rows else None
        except EmbeddingError as error:
            self._give_up(str(error))
            return None
        return row @ self._bridge.matrix[:-1] + self._bridge.matrix[-1] if row is not None else None

    def _open(self) -> ModelRows | None:
        with self._lock:
            if self._rows is None and not self._given_up:
                self._rows = self._checked(ModelRows(self._path))
            return self._rows

    def _checked(self, rows: ModelRows) -> ModelRows:
        if rows.mark() == self._bridge.model and rows.dim + 1 == len(self._bridge.matrix):
            return rows
        rows.close()
        raise LookupTableError(
            f"The lookup table was made of another model than {self._path}; make one of this: codeloupe models distil."
        )

    def _give_up(self, cause: str) -> None:
        with self._lock:
            if not self._given_up:
                _log.info("Words that the lookup table lacks stay unknown. %s", cause)
            self._given_up, self._rows = True, None
