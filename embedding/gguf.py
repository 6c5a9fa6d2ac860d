"""What a GGUF file says about itself, read in bounded memory before llama.cpp sees the file.

llama.cpp trusts its input: a damaged file can end the process that loads it. Everything checked here is checked
against the length of the file, so a hostile count costs an error, never memory. The weights themselves are not read.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from embedding.errors import ModelInvalidError, ModelMissingError
from embedding.files.header import TOKENS, Array, GgufHeader, Scalar, Tensor
from embedding.files.soundness import objection
from embedding.model import ModelSpec

# Models have some 40 keys and, with 80 layers, 1,000 tensors; these limits are what keeps a hostile header under 4 MB.
MAX_KEYS = 512
MAX_TENSORS = 4096
MAX_TOKENS = 1 << 19  # the largest known vocabulary has 262,144
MAX_KEY_BYTES = 256
MAX_TENSOR_NAME_BYTES = 63  # ggml's
MAX_TEXT_BYTES = 1 << 24  # a chat template or a licence may be long; none is longer than this
KEPT_TEXT_BYTES = 1024  # of a text in the header; what is read of it are names
KEPT_NUMBERS = 8192  # of all lists together; llama.cpp runs up to 512 layers, and four lists have a number for each
MAX_LAYERS = 512
MAX_DIMENSIONS = 4
_BYTE = b"<0x00>"  # SentencePiece's token for the byte 0
_MARKS = 1 << 23  # bits; a vocabulary of 262,144 has some 4,000 tokens that share one with another

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9

# Tensor type -> (elements of a block, bytes of a block), from ggml/src/ggml.c.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip


def read_header(path: Path) -> GgufHeader:
    """The header and tensor table of the file at ``path``, checked against its length.

    Raises ModelMissingError where there is no such file, ModelInvalidError where it is not a whole GGUF file.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path).header()
    except FileNotFoundError:
        raise ModelMissingError(
            f"There is no model file at {path}; check the path or run 'codeloupe models'."
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelInvalidError(
            f"The model file {path} cannot be read: {reason}; mend that or name another."
        ) from error


class _Reader:
    """Reads forward through one file; every length is compared with what is left before anything is read."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        self._at = 0
        self._numbers_left = KEPT_NUMBERS

    def header(self) -> GgufHeader:
        version, tensor_count, key_count = self._preamble()
        values: dict[str, Scalar] = {}
        arrays: dict[str, Array] = {}
        for _ in range(key_count):
            self._pair(values, arrays)
        alignment = self._alignment(values)
        tensors = tuple(self._tensor() for _ in range(tensor_count))
        data_offset = -(-self._at // alignment) * alignment
        self._check_layout(tensors, data_offset, alignment)
        return GgufHeader(version, values, arrays, tensors, data_offset)

    def _refuse(self, cause: str) -> ModelInvalidError:
        return _refusal(self._path, cause)

    def _preamble(self) -> tuple[int, int, int]:
        if self._take(4) != b"GGUF":
            raise self._refuse("it does not begin with GGUF, so it is no GGUF file")
        (version,) = self._unpack("I")
        if version not in (2, 3):
            raise self._refuse(f"its GGUF version is {version}, and only 2 and 3 are understood")
        tensor_count, key_count = self._unpack("QQ")
        if tensor_count > MAX_TENSORS or key_count > MAX_KEYS:
            raise self._refuse(f"it claims {tensor_count} tensors and {key_count} keys, which is damage")
        return version, tensor_count, key_count

    def _take(self, count: int) -> bytes:
        self._reserve(count)
        data = self._file.read(count)
        if len(data) != count:
            raise self._refuse("it ends in the middle of its header, so it is not complete")
        return data

    def _skip(self, count: int) -> None:
        self._reserve(count)
        self._file.seek(count, os.SEEK_CUR)

    def _reserve(self, count: int) -> None:
        if count > self._size - self._at:
            raise self._refuse("it ends in the middle of its header, so it is not complete")
        self._at += count

    def _unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack("<" + layout, self._take(struct.calcsize("<" + layout)))

    def _text(self, limit: int, kept: int) -> str:
        (length,) = self._unpack("Q")
        if length > limit:
            raise self._refuse(f"a text in its header claims {length} bytes, which is damage")
        text = self._take(min(length, kept)).decode("utf-8", "replace")
        self._skip(max(0, length - kept))
        return text

    def _pair(self, values: dict[str, Scalar], arrays: dict[str, Array]) -> None:
        key = self._text(MAX_KEY_BYTES, MAX_KEY_BYTES)
        if not key or key in values or key in arrays:
            raise self._refuse(f"the key {key!r} stands there twice" if key else "a key in its header has no name")
        (kind,) = self._unpack("I")
        if kind == _TEXT:
            values[key] = self._text(MAX_TEXT_BYTES, KEPT_TEXT_BYTES)
        elif kind == _ARRAY:
            arrays[key] = self._array(key)
        elif kind in _SCALARS:
            (values[key],) = self._unpack(_SCALARS[kind])
        else:
            raise self._refuse(f"the key {key!r} has the unknown type {kind}")

    def _array(self, key: str) -> Array:
        kind, length = self._unpack("IQ")
        place = self._at
        numbers: tuple[int, ...] = ()
        if key == TOKENS:
            return self._vocabulary(kind, length)
        if kind == _TEXT:
            self._skip_texts(length)
        elif kind not in _SCALARS:
            raise self._refuse(f"it holds an array of the unknown type {kind}")
        elif length <= min(MAX_LAYERS, self._numbers_left):
            numbers = self._unpack(_SCALARS[kind] * length)
            self._numbers_left -= length
        else:
            self._skip(length * struct.calcsize("<" + _SCALARS[kind]))
        return Array(length, place, numbers)

    def _skip_texts(self, count: int) -> None:
        for _ in self._texts(count):
            pass

    def _texts(self, count: int) -> Iterator[bytes]:
        """The texts of a list, each cut where it is longer than a token can be."""
        if count * 8 > self._size - self._at:
            raise self._refuse(f"a list claims {count} texts, more than the file has room for")
        read, end = self._file.read, self._at
        for _ in range(count):  # vocabularies have up to 262,144: nothing is called here that need not be
            length = int.from_bytes(read(8), "little")
            end += 8 + length
            if end > self._size:
                break
            if length <= KEPT_TEXT_BYTES:
                yield read(length)
            else:
                yield read(KEPT_TEXT_BYTES)
                self._file.seek(length - KEPT_TEXT_BYTES, os.SEEK_CUR)
        self._reserve(end - self._at)

    def _vocabulary(self, kind: int, count: int) -> Array:
        """What llama.cpp does not survive in a vocabulary is found: a token that stands twice, bytes without tokens.

        Each token marks a bit by its hash; those that find theirs marked are looked for once more. 1 MB, not 20.
        """
        if kind != _TEXT or count > MAX_TOKENS:
            raise self._refuse(f"its vocabulary is a list of {count} values of type {kind}, which no model has")
        start, marks, again, spells_bytes = self._at, bytearray(_MARKS // 8), set(), False
        for token in self._texts(count):
            mark = hash(_as_read(token))
            place, bit = (mark % _MARKS) >> 3, 1 << (mark & 7)
            if marks[place] & bit:
                again.add(mark)
            marks[place] |= bit
            spells_bytes = spells_bytes or token == _BYTE
        self._file.seek(start)
        self._at = start
        return Array(count, start, repeated=self._twice(count, again), spells_bytes=spells_bytes)

    def _twice(self, count: int, suspected: set[int]) -> str:
        seen: set[int] = set()
        repeated = b""
        for token in map(_as_read, self._texts(count)):
            mark = hash(token)
            if mark in suspected and not repeated:
                repeated = token if mark in seen else b""  # nothing: llama.cpp gives each empty one a name of its own
                seen.add(mark)
        return repeated.decode("utf-8", "replace")[:32]

    def _alignment(self, values: dict[str, Scalar]) -> int:
        alignment = values.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 8 or alignment > 1 << 16 or alignment & (alignment - 1):
            raise self._refuse(f"its alignment is {alignment}, not a power of two")
        return alignment

    def _tensor(self) -> Tensor:
        name = self._text(MAX_TENSOR_NAME_BYTES, MAX_TENSOR_NAME_BYTES)
        (dimensions,) = self._unpack("I")
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise self._refuse(f"the tensor {name!r} claims {dimensions} dimensions")
        shape = self._unpack("Q" * dimensions)
        kind, offset = self._unpack("IQ")
        return Tensor(name, shape, kind, offset, self._tensor_size(name, shape, kind))

    def _tensor_size(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        if kind not in _BLOCKS:
            raise self._refuse(f"the tensor {name!r} has the unknown type {kind}")
        elements, size = _BLOCKS[kind]
        if 0 in shape or shape[0] % elements:
            raise self._refuse(f"the tensor {name!r} has the impossible shape {shape}")
        return math.prod(shape) // elements * size

    def _check_layout(self, tensors: tuple[Tensor, ...], data_offset: int, alignment: int) -> None:
        if not tensors:
            raise self._refuse("it holds no tensors, so it is a vocabulary without a model")
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise self._refuse("two of its tensors bear the same name")
        place = end = 0
        for tensor in tensors:  # one after the other, in the order of the table: llama.cpp takes no other
            if tensor.offset != place:
                raise self._refuse(f"the tensor {tensor.name!r} lies at a place where none can be")
            end = tensor.offset + tensor.size
            place = -(-end // alignment) * alignment
        if data_offset + end > self._size:
            missing = data_offset + end - self._size
            raise self._refuse(f"it is {missing:,} bytes shorter than its tensors, so it is not complete")


def _as_read(token: bytes) -> bytes:
    """A token as llama.cpp reads it: to its first zero."""
    return token.partition(b"\0")[0] if 0 in token else token


def _refusal(path: Path, cause: str) -> ModelInvalidError:
    return ModelInvalidError(
        f"The model file {path} was not loaded: {cause}; delete it and fetch it again, or name another."
    )


def complete_spec(spec: ModelSpec, header: GgufHeader, path: Path) -> ModelSpec:
    """``spec`` with what only the file knows filled in, and held against the file.

    Raises ModelInvalidError where the two disagree on the dimension, nobody says how to pool, layers are missing, or
    the header holds what llama.cpp would die of (embedding/files/soundness.py).
    """
    cause = objection(header)
    if cause:
        raise _refusal(path, cause)
    pooling = spec.pooling or header.pooling
    dim = spec.dim or header.embedding_length
    if dim != header.embedding_length:
        raise ModelInvalidError(
            f"The model file {path} gives vectors of {header.embedding_length} components where {spec.name} has "
            f"{spec.dim}; it is another model: name it by its path, or delete it and fetch {spec.name} again."
        )
    if pooling is None or not header.vocab_size:
        raise ModelInvalidError(
            f"The model file {path} says not how its token vectors are pooled, or has no vocabulary: it is no "
            "embedding model; name another."
        )
    missing = set(spec.needed_tensors) - {tensor.name for tensor in header.tensors}
    if missing:
        raise ModelInvalidError(
            f"The model file {path} lacks {', '.join(sorted(missing))} of {spec.name}: it is an early conversion that "
            f"gives other vectors; delete it and run 'codeloupe models pull'."
        )
    context = header.context_length
    name = spec.hub.full_name(path) if spec.hub else spec.name
    window = min(spec.window, context or spec.window)
    return replace(spec, name=name, dim=dim, pooling=pooling, window=window, context=spec.context or context)
