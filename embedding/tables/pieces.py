"""Words cut into the pieces of a model's vocabulary, for the ids of these pieces.

Not the model's own tokenizer: the longest piece that fits is taken from left to right. That is WordPiece, but for a
word it does not know, which is cut by inner pieces or without its accents; for vocabularies of byte pairs and of
SentencePiece it comes close, and is enough to find rows for a rare word. Words are in lower case (words.py),
so pieces that no such word can hold are passed over.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import xxhash

from embedding.errors import ModelInvalidError
from embedding.files.header import TOKENS, Array, GgufHeader
from embedding.gguf import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_PIECES = 1 << 20  # the largest known vocabulary has 262,144; more is damage, and would cost memory
MAX_PIECE_BYTES = 256  # the longest token of a text, in UTF-8
WORD_START = "\u2581".encode()  # WordPiece as llama.cpp spells it, and SentencePiece
CONTINUATION = b"##"  # WordPiece as published
BYTE_PAIRS = "gpt2"  # tokenizer.ggml.model of vocabularies that spell each byte as a letter
_READ_BYTES = 64 * 1024
_POSSIBLE = bytes([*b"#0123456789abcdefghijklmnopqrstuvwxyz", *range(0x80, 0x100)])  # in words in lower case
_ROW = np.dtype([("hash", "u8"), ("id", "u4"), ("length", "u2"), ("begins", "?"), ("continues", "?")])
_hash = xxhash.xxh64_intdigest


@dataclass(frozen=True, slots=True)
class Pieces:
    """Hashes of the spellings, ascending, and the id of each; 12 bytes a piece.

    ``first`` and ``inner`` stand before the spelling of pieces at the start of a word, and within it.
    """

    hashes: NDArray[np.uint64]
    ids: NDArray[np.uint32]
    longest: int
    first: bytes
    inner: bytes

    def cut(self, word: str) -> list[int]:
        """The ids of the pieces of ``word`` in order; none where a part of it is no piece, also without its accents."""
        found = self._cut(word.encode("utf-8", "surrogatepass"))
        if found or word.isascii():
            return found
        letters = unicodedata.normalize("NFD", word)
        bare = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
        return self._cut(bare.encode("utf-8", "surrogatepass"))

    def _cut(self, word: bytes) -> list[int]:
        found: list[int] = []
        at = 0
        while at < len(word):
            rest = word[at : at + self.longest]
            piece = (self._piece(self.first, rest) if not found else None) or self._piece(self.inner, rest)
            if piece is None:
                return []
            found.append(piece[0])
            at += piece[1]
        return found

    def _piece(self, before: bytes, rest: bytes) -> tuple[int, int] | None:
        """The id and the length of the longest piece that ``rest`` begins with."""
        lengths = range(len(rest), 0, -1)
        wanted = np.fromiter((_hash(before + rest[:length]) for length in lengths), np.uint64, len(rest))
        places = np.searchsorted(self.hashes, wanted)
        hits = np.flatnonzero(self.hashes[np.minimum(places, len(self.hashes) - 1)] == wanted)
        return (int(self.ids[places[hits[0]]]), len(rest) - int(hits[0])) if len(hits) else None


def read_pieces(path: Path, header: GgufHeader) -> Pieces:
    """The vocabulary of the file that ``header`` was read from, in one pass that keeps no piece.

    Raises ModelInvalidError where it has none, or has changed since.
    """
    tokens = header.arrays.get(TOKENS, Array(0, 0))
    if not 0 < tokens.length <= MAX_PIECES:
        raise _refusal(path, f"its vocabulary has {tokens.length} pieces")
    spell = _spell_bytes if header.values.get("tokenizer.ggml.model") == BYTE_PAIRS else bytes
    with path.open("rb", buffering=_READ_BYTES) as file:
        file.seek(tokens.place)
        spelled = enumerate(map(spell, _texts(file, tokens.length, path)))
        kept = (
            (_hash(piece), number, len(piece), piece[:3] == WORD_START, piece[:2] == CONTINUATION)
            for number, piece in spelled
            if 0 < len(piece) <= MAX_PIECE_BYTES and not piece.translate(None, _POSSIBLE)
        )
        rows = np.fromiter(kept, _ROW)
    if not len(rows):
        raise _refusal(path, "its vocabulary has no piece of a word")
    order = np.argsort(rows["hash"], kind="stable")  # of equal ones the first is found
    hashes, longest = rows["hash"][order], int(rows["length"].max())
    first = WORD_START if rows["begins"].any() else b""
    inner = CONTINUATION if not first and rows["continues"].any() else b""
    return Pieces(hashes, rows["id"][order], longest, first, inner)


def _refusal(path: Path, cause: str) -> ModelInvalidError:
    return ModelInvalidError(f"No words were looked up in the model file {path}: {cause}; fetch it again.")


def _texts(file: BinaryIO, count: int, path: Path) -> Iterator[bytes]:
    read = file.read
    for _ in range(count):
        length = int.from_bytes(read(8), "little")
        if length > MAX_TEXT_BYTES:
            raise _refusal(path, "it has changed while it was read")
        text = read(length)
        if len(text) != length:
            raise _refusal(path, "it has become shorter while it was read")
        yield text


def _spell_bytes(text: bytes) -> bytes:
    """The bytes that a piece of byte pairs stands for, its first space as WORD_START; nothing where it has none."""
    try:
        piece = bytes(map(_BYTE_OF.__getitem__, text.decode("utf-8")))
    except (KeyError, UnicodeDecodeError):
        return b""
    return WORD_START + piece[1:] if piece.startswith(b" ") else piece


def _byte_letters() -> dict[str, int]:
    """GPT-2's alphabet: printable bytes of Latin-1 are themselves, the others are the letters from U+0100 on."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


_BYTE_OF = _byte_letters()
