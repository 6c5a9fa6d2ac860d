"""Qwen2 with last-token pooling written out in numpy: slow, plain, and ours to compare with.

From "Qwen2.5 Technical Report" (2024), rotary positions from "RoFormer" (Su et al., 2021), and byte pairs merged in the
order of their ranks (Sennrich et al., 2016).
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import regex
from gguf import GGUFReader
from numpy.typing import NDArray

from benchmarks.shapes import Shape, byte_letters

Array = NDArray[np.float64]
WORDS = regex.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class Qwen:
    """The model in one GGUF file of F16 and F32 tensors."""

    def __init__(self, path: Path, shape: Shape) -> None:
        reader = GGUFReader(path)
        self._shape = shape
        self._weights = {tensor.name: tensor.data.astype(np.float64) for tensor in reader.tensors}
        self._ids = {token: place for place, token in enumerate(reader.fields["tokenizer.ggml.tokens"].contents())}
        merges = reader.fields["tokenizer.ggml.merges"].contents()
        self._ranks = {tuple(merge.split(" ")): place for place, merge in enumerate(merges)}
        self._letters = dict(zip(_bytes_in_order(), byte_letters(), strict=True))

    def tokenize(self, text: str) -> list[int]:
        return [self._ids[piece] for word in WORDS.findall(text) for piece in self._merged(word)]

    def _merged(self, word: str) -> list[str]:
        pieces = [self._letters[byte] for byte in word.encode()]
        while True:
            ranked = [
                (self._ranks[pair], at) for at, pair in enumerate(itertools.pairwise(pieces)) if pair in self._ranks
            ]
            if not ranked:
                return pieces
            at = min(ranked)[1]
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]

    def embed(self, tokens: list[int]) -> Array:
        """The unit vector of the last of ``tokens``."""
        state = self._weights["token_embd.weight"][tokens]
        for layer in range(self._shape.layers):
            state = state + self._attention(self._normed(state, f"blk.{layer}.attn_norm"), f"blk.{layer}.")
            state = state + self._feed_forward(self._normed(state, f"blk.{layer}.ffn_norm"), f"blk.{layer}.")
        last = self._normed(state, "output_norm")[-1]
        return np.asarray(last / np.linalg.norm(last))

    def _normed(self, state: Array, name: str) -> Array:
        size = np.sqrt((state**2).mean(-1, keepdims=True) + 1e-6)
        return np.asarray(state / size * self._weights[f"{name}.weight"])

    def _heads(self, state: Array, name: str, count: int) -> Array:
        values = state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return np.asarray(values.reshape(len(state), count, -1).transpose(1, 0, 2))

    def _attention(self, state: Array, block: str) -> Array:
        shape = self._shape
        query = _rotated(self._heads(state, f"{block}attn_q", shape.heads))
        key = _rotated(self._heads(state, f"{block}attn_k", shape.kv_heads))
        value = self._heads(state, f"{block}attn_v", shape.kv_heads)
        shared = shape.heads // shape.kv_heads
        key, value = (np.repeat(part, shared, axis=0) for part in (key, value))
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        scores += np.triu(np.full(scores.shape[1:], -np.inf), 1)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True)) @ value
        joined = mixed.transpose(1, 0, 2).reshape(len(state), -1)
        return np.asarray(joined @ self._weights[f"{block}attn_output.weight"].T)

    def _feed_forward(self, state: Array, block: str) -> Array:
        gate, up, down = (self._weights[f"{block}ffn_{part}.weight"].T for part in ("gate", "up", "down"))
        opened = state @ gate
        return np.asarray((opened / (1 + np.exp(-opened)) * (state @ up)) @ down)


def _bytes_in_order() -> list[int]:
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return plain + [byte for byte in range(256) if byte not in plain]


def _rotated(values: Array) -> Array:
    """Rotary positions, the first half of a head's components turned against the second."""
    _, count, size = values.shape
    angles = np.outer(np.arange(count), 1e6 ** (-np.arange(0, size, 2) / size))
    first, second = values[..., : size // 2], values[..., size // 2 :]
    turned = (first * np.cos(angles) - second * np.sin(angles), second * np.cos(angles) + first * np.sin(angles))
    return np.concatenate(turned, axis=-1)
