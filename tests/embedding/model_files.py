"""Small GGUF files with a vocabulary and a table of tokens, as four kinds of tokenizers spell them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embedding.files.header import ROWS_TENSOR
from tests.embedding.test_gguf import pair, tensor, text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST, INNER = True, False
Piece = tuple[bool, str]  # whether it stands at the start of a word, and its letters

# tokenizer.ggml.model -> how a piece at the start of a word is spelled, and one within it.
SPELLINGS = {
    "bert": ("\u2581{}", "{}"),
    "bert as published": ("{}", "##{}"),
    "llama": ("\u2581{}", "{}"),
    "gpt2": ("\u0120{}", "{}"),
}


def vocabulary(kind: str, pieces: Sequence[Piece]) -> list[str]:
    """The spellings of ``pieces``, after three specials."""
    first, inner = SPELLINGS[kind]
    return ["[PAD]", "<s>", "."] + [
        (first if begins else inner).format(_letters(kind, part)) for begins, part in pieces
    ]


def _letters(kind: str, part: str) -> str:
    """Byte pairs show bytes from 0xA1 on as the letters of Latin-1, and others beyond ASCII as later ones."""
    if kind != "gpt2":
        return part
    odd = [byte for byte in range(256) if not (0x21 <= byte < 0x7F or 0xA1 <= byte < 0xAD or byte >= 0xAE)]
    return "".join(chr(256 + odd.index(byte)) if byte in odd else chr(byte) for byte in part.encode())


def model_file(
    path: Path, spelled: Sequence[str], rows: NDArray[np.float32], kind: str = "bert", pooling: int = 1
) -> Path:
    """A GGUF file of this vocabulary and these rows, as float32; ``pooling`` 1 is the mean, 3 the last token."""
    tokens = struct.pack("<IQ", 8, len(spelled)) + b"".join(map(text, spelled))
    pairs = [
        pair("general.architecture", 8, text("bert")),
        pair("bert.embedding_length", 4, struct.pack("<I", rows.shape[1])),
        pair("bert.pooling_type", 4, struct.pack("<I", pooling)),
        pair("tokenizer.ggml.model", 8, text(kind.removesuffix(" as published"))),
        pair("tokenizer.ggml.tokens", 9, tokens),
    ]
    entry = tensor(ROWS_TENSOR, (rows.shape[1], rows.shape[0]), 0, 0)
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, len(pairs)) + b"".join(pairs) + entry
    path.write_bytes(header + bytes(-len(header) % 32) + rows.astype("<f4").tobytes())
    return path
