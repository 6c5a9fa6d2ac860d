"""Single rows of a model's token table, read out of the GGUF file by seeking: no model is loaded.

A token that a lookup table lacks gets its vector from here. Reading is bounded: READ_BYTES at a time, and less than
10 MB of memory all told, whatever the size of the file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from embedding.errors import ModelInvalidError
from embedding.files.header import ROWS_TENSOR, GgufHeader, Tensor
from embedding.gguf import read_header
from embedding.tables.quantised import FORMATS

if TYPE_CHECKING:
    from numpy.typing import NDArray

READ_BYTES = 64 * 1024
_MARKED_ROWS = 32  # 1 ms
MAX_DIM = 1 << 16  # the largest known model has 12,288 components; more is damage, and would cost memory


class TokenRows:
    """The token table of one GGUF file. Thread-safe; a context manager."""

    def __init__(self, path: Path, header: GgufHeader | None = None) -> None:
        """Reads the header alone, where it is not given.

        Raises ModelMissingError where there is no such file, ModelInvalidError where it is no whole GGUF file, or has
        no token table in one of the formats of embedding/tables/quantised.py.
        """
        self._path = path
        header = header or read_header(path)
        self._table = self._find(header)
        self._format = FORMATS[self._table.type]
        self._start = header.data_offset + self._table.offset
        self._row_bytes = self.dim // self._format.elements * self._format.size
        self._lock = threading.Lock()
        self._file = path.open("rb", buffering=READ_BYTES)  # a neighbour costs no second read

    @property
    def dim(self) -> int:
        """Components of a row."""
        return self._table.shape[0]

    def __len__(self) -> int:
        """Tokens in the table."""
        return self._table.shape[1]

    def row(self, token: int) -> NDArray[np.float32]:
        """The vector of a token by its id, 0 to len - 1, shape (dim,), as stored: neither centred nor of norm 1.

        Raises IndexError where there is no such token, ModelInvalidError where the file has been cut or damaged.
        """
        if not 0 <= token < len(self):
            raise IndexError(f"There is no token {token}: {self._path} has {len(self)}.")
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            row = np.concatenate([self._format.decode(piece) for piece in self._pieces(token)])
        if not np.isfinite(row).all():
            raise self._refuse(f"the vector of its token {token} holds a number that is none")
        return row

    def mark(self) -> int:
        """64 bits that tell this table of tokens from others: by its type, its shape, and rows from all over it.

        Not by its first rows: models that were trained on from the same one share those of unused tokens.
        """
        digest = xxhash.xxh64(f"{self._table.type} {self._table.shape}".encode())
        with self._lock:
            for part in range(_MARKED_ROWS):
                for piece in self._pieces(len(self) * part // _MARKED_ROWS):
                    digest.update(piece)
        return digest.intdigest()

    def close(self) -> None:
        """Close the file; no row can be read afterwards."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> TokenRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find(self, header: GgufHeader) -> Tensor:
        table = next((tensor for tensor in header.tensors if tensor.name == ROWS_TENSOR), None)
        if table is None or len(table.shape) != 2:
            raise self._refuse(f"it has no table of tokens ({ROWS_TENSOR})")
        if table.type not in FORMATS:
            known = ", ".join(entry.name for entry in FORMATS.values())
            raise self._refuse(f"its table of tokens is stored as ggml's type {table.type}, and {known} can be read")
        if table.shape[0] > MAX_DIM:
            raise self._refuse(f"its tokens claim {table.shape[0]} components, which is damage")
        return table

    def _pieces(self, token: int) -> Iterator[bytes]:
        """The bytes of a row in whole blocks, at most READ_BYTES each."""
        piece = READ_BYTES // self._format.size * self._format.size
        self._file.seek(self._start + token * self._row_bytes)
        for begin in range(0, self._row_bytes, piece):
            yield self._read(min(piece, self._row_bytes - begin))

    def _read(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise self._refuse("it has become shorter since it was opened")
        return data

    def _refuse(self, cause: str) -> ModelInvalidError:
        return ModelInvalidError(
            f"No token vector was read from the model file {self._path}: {cause}; fetch it again, or name another."
        )
