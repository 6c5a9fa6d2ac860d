"""The file of a lookup table: written aside and published whole, checked and mapped.

All numbers are little-endian, but for the mark, which reads EMBD. 64 bytes of header, then for each token, in the order
of the hashes:

    0  mark "EMBD" (0x454D4244)      24  rows of the bridge, u32; 0: there is none
    4  version of the format, u32    28  power of counts, f32
    8  hash algorithm of the tokens, 32  the bridge's model, u64 (TokenRows.mark)
       u32 (1: xxHash64)             40  nothing, 16 bytes
   12  tokens, u32                   56  xxHash64 of all other bytes, u64
   16  dimension, u32
   20  SIF constant, f32             64  hashes of the tokens, u64, ascending
                                         scales, f32: a component is its code times the scale
                                         frequencies, f32: the share of the token in all text
                                         codes, i8, tokens x dimension
                                         bridge, f16, rows x dimension
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import xxhash
from numpy.typing import NDArray

from embedding.errors import LookupTableError
from embedding.files.publish import publish
from embedding.tables.words import is_token, token_hash

Floats = NDArray[np.float32]

MAGIC = 0x454D4244
VERSION = 2
XXHASH64 = 1
# 117,000 tokens of 256 components. All of it may come to be resident, and the tier is to stay under 50 MB.
MAX_TABLE_BYTES = 32 << 20
MAX_BRIDGE = 6e4  # float16 ends at 65,504
MAX_COMPONENT = 1e6  # only directions count, and sums of these, squared, are far from float32's end
_HEADER = struct.Struct("<4sIIIIfIfQ16xQ")
_CHECKSUM = struct.Struct("<Q")  # the end of the header
_TOKEN_BYTES = 8 + 4 + 4  # beside the codes
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Bridge:
    """What takes a row of a model's token table into the space of a lookup table: ``row @ matrix[:-1] + matrix[-1]``.

    ``model`` tells which model's rows, as rare.py tells them apart; ``matrix`` has shape (width of a row + 1,
    dim).
    """

    model: int
    matrix: Floats


@dataclass(frozen=True, slots=True)
class TableContents:
    """What a table is made of.

    ``vectors`` has shape (tokens, dim); ``frequencies`` holds the share of each token in all text, 0 to 1. A token that
    stands n times in a text counts n ** ``power`` times its weight sif / (sif + frequency), after "A Simple but
    Tough-to-Beat Baseline for Sentence Embeddings" (Arora et al., 2017). With a ``bridge`` tokens that the table lacks
    get their vectors out of the model's file.
    """

    tokens: Sequence[str]
    vectors: Floats
    frequencies: Floats
    sif: float = 1e-3
    power: float = 1.0
    bridge: Bridge | None = None


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A checked table; the arrays look into the mapped file, which is let go with the last of them.

    ``bridge`` is float16, shape (rows, dim), of the model ``model``; without rows where the table carries none.
    """

    hashes: NDArray[np.uint64]
    scales: Floats
    frequencies: Floats
    codes: NDArray[np.int8]
    bridge: NDArray[np.float16]
    model: int
    sif: float
    power: float
    checksum: int


@dataclass(frozen=True, slots=True)
class _Header:
    entries: int
    dim: int
    sif: float
    bridge_rows: int
    power: float
    model: int
    checksum: int

    @property
    def file_bytes(self) -> int:
        return _HEADER.size + self.entries * (_TOKEN_BYTES + self.dim) + 2 * self.bridge_rows * self.dim

    def packed(self) -> bytes:
        mark = MAGIC.to_bytes(4, "big")
        shape = (self.entries, self.dim, self.sif, self.bridge_rows, self.power, self.model)
        return _HEADER.pack(mark, VERSION, XXHASH64, *shape, self.checksum)


def write_table(path: Path, contents: TableContents) -> None:
    """Publish a table at ``path``: whole, or not at all. Components keep an accuracy of 1/254 of a row's largest.

    Raises LookupTableError where the contents are no table, or the file cannot be written; on Windows it cannot while
    an older table at ``path`` is mapped.
    """
    cause = _objection(contents)
    if cause:
        raise _unwritten(path, cause)
    body = _body(contents)
    start = _header_of(contents).packed()[: -_CHECKSUM.size]
    checksum = xxhash.xxh64_intdigest(start + body)
    try:
        publish(path, start + _CHECKSUM.pack(checksum) + body)
    except OSError as error:
        raise _unwritten(path, error.strerror or str(error)) from error


def map_table(path: Path) -> MappedTable:
    """The table at ``path``, every byte of it checked: 31 MB take 6 ms where the system has them cached.

    Raises LookupTableError where there is none, or it is not whole.
    """
    try:
        with path.open("rb") as file:
            return _mapped(file, path)
    except FileNotFoundError:
        raise LookupTableError(f"There is no lookup table at {path}; check the path, or make one there.") from None
    except OSError as error:
        raise _refused(path, f"it cannot be read: {error.strerror or error}") from error


def most_tokens(dim: int, bridge_rows: int) -> int:
    """How many tokens a file may hold beside a bridge of so many rows."""
    return (MAX_TABLE_BYTES - _HEADER.size - 2 * bridge_rows * dim) // (_TOKEN_BYTES + dim)


def _unwritten(path: Path, cause: str) -> LookupTableError:
    return LookupTableError(f"The lookup table {path} was not written: {cause}; mend that and make it again.")


def _refused(path: Path, cause: str) -> LookupTableError:
    return LookupTableError(f"The lookup table {path} was not opened: {cause}; delete it and make it again.")


def _header_of(contents: TableContents) -> _Header:
    entries, dim = contents.vectors.shape
    rows, model = (len(contents.bridge.matrix), contents.bridge.model) if contents.bridge else (0, 0)
    return _Header(entries, dim, contents.sif, rows, contents.power, model, 0)


def _objection(contents: TableContents) -> str:
    """Why these are no contents; empty where they are."""
    vectors, frequencies = contents.vectors, contents.frequencies
    if vectors.ndim != 2 or 0 in vectors.shape or len(contents.tokens) != len(vectors):
        return f"{len(contents.tokens)} tokens have vectors of shape {vectors.shape}"
    if frequencies.shape != (len(vectors),):
        return f"{len(vectors)} tokens have frequencies of shape {frequencies.shape}"
    if contents.bridge and (contents.bridge.matrix.ndim != 2 or contents.bridge.matrix.shape[1] != vectors.shape[1]):
        return f"vectors of {vectors.shape[1]} components have a bridge of shape {contents.bridge.matrix.shape}"
    if _header_of(contents).file_bytes > MAX_TABLE_BYTES:
        return f"it would take more than {MAX_TABLE_BYTES >> 20} MiB"
    if not (np.abs(vectors) <= MAX_COMPONENT).all():
        return f"a component of a vector is no number, or over {MAX_COMPONENT:g}"
    matrix = contents.bridge.matrix if contents.bridge else vectors[:0]
    return (
        _token_objection(contents.tokens)
        or _value_objection(frequencies, contents.sif, contents.power)
        or _bridge_objection(matrix)
    )


def _token_objection(tokens: Sequence[str]) -> str:
    strange = next((token for token in tokens if not is_token(token)), None)
    if strange is not None:
        return f"{strange!r} is no token as texts are split into them"
    if len(set(map(token_hash, tokens))) != len(tokens):
        return "two of its tokens are the same, or have the same hash"
    return ""


def _value_objection(frequencies: Floats, sif: float, power: float) -> str:
    if not ((frequencies >= 0) & (frequencies <= 1)).all():
        return "a frequency is not between 0 and 1"
    if not 0 < np.float32(sif) <= 1:
        return f"its SIF constant is {sif}, not between 0 and 1"
    if not 0 < np.float32(power) <= 1:
        return f"its power of counts is {power}, not between 0 and 1"
    return ""


def _bridge_objection(matrix: NDArray[np.floating]) -> str:
    return "" if (np.abs(matrix) <= MAX_BRIDGE).all() else f"a number of its bridge is none, or over {MAX_BRIDGE:g}"


def _body(contents: TableContents) -> bytes:
    hashes = np.fromiter(map(token_hash, contents.tokens), "<u8", len(contents.tokens))
    order = np.argsort(hashes)
    vectors = contents.vectors[order]
    scales = (np.abs(vectors).max(axis=1) / 127).astype("<f4")
    codes = np.rint(vectors / np.where(scales > 0, scales, 1)[:, None]).clip(-127, 127).astype(np.int8)
    frequencies = contents.frequencies[order].astype("<f4")
    bridge = (contents.bridge.matrix if contents.bridge else vectors[:0]).astype("<f2")
    return b"".join(part.tobytes() for part in (hashes[order], scales, frequencies, codes, bridge))


def _mapped(file: BinaryIO, path: Path) -> MappedTable:
    header = _checked_header(file, path)
    if _checksum_of(file) != header.checksum:
        raise _refused(path, "its checksum is wrong, so it is damaged")
    table = _arrays(mmap.mmap(file.fileno(), header.file_bytes, access=mmap.ACCESS_READ), header)
    cause = _table_objection(table)
    if cause:
        raise _refused(path, cause)
    return table


def _checked_header(file: BinaryIO, path: Path) -> _Header:
    start = file.read(_HEADER.size)
    if start[:4] != MAGIC.to_bytes(4, "big"):
        raise _refused(path, "it does not begin with EMBD, so it is no lookup table")
    if len(start) < _HEADER.size:
        raise _refused(path, "it ends in the middle of its header, so it is not complete")
    _, version, algorithm, *rest = _HEADER.unpack(start)
    if version != VERSION:
        raise _refused(path, f"its version is {version}, and only {VERSION} is understood")
    if algorithm != XXHASH64:
        raise _refused(path, f"its tokens are hashed by algorithm {algorithm}, and only {XXHASH64} is understood")
    header = _Header(*rest)
    _check_size(header, os.fstat(file.fileno()).st_size, path)
    return header


def _check_size(header: _Header, size: int, path: Path) -> None:
    if not header.entries or not header.dim:
        raise _refused(path, f"it claims {header.entries} tokens of {header.dim} components")
    if size != header.file_bytes:
        raise _refused(path, f"it has {size:,} bytes where its header tells of {header.file_bytes:,}")
    if size > MAX_TABLE_BYTES:
        raise _refused(path, f"it has more than {MAX_TABLE_BYTES >> 20} MiB")


def _checksum_of(file: BinaryIO) -> int:
    """Read, not mapped, so that the pages count as nobody's memory."""
    file.seek(0)
    checksum = xxhash.xxh64(file.read(_HEADER.size)[: -_CHECKSUM.size])
    while piece := file.read(_READ_BYTES):
        checksum.update(piece)
    return checksum.intdigest()


def _arrays(data: mmap.mmap, header: _Header) -> MappedTable:
    n, at = header.entries, _HEADER.size
    hashes = np.frombuffer(data, "<u8", n, at)
    scales = np.frombuffer(data, "<f4", n, at + 8 * n)
    frequencies = np.frombuffer(data, "<f4", n, at + 12 * n)
    codes = np.frombuffer(data, np.int8, n * header.dim, at + _TOKEN_BYTES * n).reshape(n, header.dim)
    after = at + (_TOKEN_BYTES + header.dim) * n
    bridge = np.frombuffer(data, "<f2", header.bridge_rows * header.dim, after).reshape(header.bridge_rows, header.dim)
    return MappedTable(
        hashes, scales, frequencies, codes, bridge, header.model, header.sif, header.power, header.checksum
    )


def _table_objection(table: MappedTable) -> str:
    """What is wrong with a file whose checksum is right: somebody else's writing. Empty where nothing is."""
    if not (table.hashes[1:] > table.hashes[:-1]).all():
        return "the hashes of its tokens do not ascend"
    if not ((table.scales >= 0) & (table.scales <= MAX_COMPONENT)).all():
        return f"the scale of a vector is not between 0 and {MAX_COMPONENT:g}"
    return _value_objection(table.frequencies, table.sif, table.power) or _bridge_objection(table.bridge)
