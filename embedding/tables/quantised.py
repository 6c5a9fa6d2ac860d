"""Blocks of ggml's number formats into float32: pure functions of bytes, no files.

Only what token tables of embedding models are stored in. The layouts are those of ggml/src/ggml-common.h; multi-byte
numbers are little-endian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_Q8_0 = np.dtype([("scale", "<f2"), ("quants", "i1", (32,))])
_Q4_K = np.dtype([("scale", "<f2"), ("minimum", "<f2"), ("packed", "u1", (3, 4)), ("quants", "u1", (4, 32))])
_Q6_K = np.dtype([("low", "u1", (2, 2, 32)), ("high", "u1", (2, 32)), ("scales", "i1", (16,)), ("scale", "<f2")])


def _from_f32(data: bytes) -> Floats:
    return np.frombuffer(data, "<f4").astype(np.float32)


def _from_f16(data: bytes) -> Floats:
    return np.frombuffer(data, "<f2").astype(np.float32)


def _from_q8_0(data: bytes) -> Floats:
    """32 signed bytes times one scale."""
    blocks = np.frombuffer(data, _Q8_0)
    values: Floats = blocks["quants"] * _column(blocks["scale"])
    return values.ravel()


def _from_q4_k(data: bytes) -> Floats:
    """Eight runs of 32 nibbles, each times its own scale, less its own minimum."""
    blocks = np.frombuffer(data, _Q4_K)
    factors, offsets = _six_bit_pairs(blocks["packed"])
    scales: Floats = factors * _column(blocks["scale"])
    minima: Floats = offsets * _column(blocks["minimum"])
    # Of each run of 32 bytes the low nibbles come first, then the high ones.
    nibbles = np.stack([blocks["quants"] & 0x0F, blocks["quants"] >> 4], axis=2).reshape(-1, 8, 32)
    values: Floats = nibbles * scales[:, :, None] - minima[:, :, None]
    return values.ravel()


def _from_q6_k(data: bytes) -> Floats:
    """Sixteen runs of 16 numbers of -32 to 31, four bits in one place and two in another, each run with its scale."""
    blocks = np.frombuffer(data, _Q6_K)
    # Of each half block: 64 bytes give their low nibbles first, then their high ones.
    low = np.stack([blocks["low"] & 0x0F, blocks["low"] >> 4], axis=2).reshape(-1, 2, 4, 32)
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    high = (blocks["high"][:, :, None, :] >> shifts) & 0x03
    quants = (low | (high << 4)).astype(np.int8) - np.int8(32)
    scales: Floats = blocks["scales"] * _column(blocks["scale"])
    values: Floats = quants.reshape(-1, 16, 16) * scales[:, :, None]
    return values.ravel()


def _six_bit_pairs(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Eight scales and eight minima of each block, out of 12 bytes.

    The first four of each have their six bits in one byte, of rows 0 and 1; the last four have four bits in a nibble
    of row 2, and two in what is left over of rows 0 and 1.
    """
    first, second, shared = packed[:, 0], packed[:, 1], packed[:, 2]
    scales = np.concatenate([first & 0x3F, (shared & 0x0F) | (first >> 6 << 4)], axis=1)
    minima = np.concatenate([second & 0x3F, (shared >> 4) | (second >> 6 << 4)], axis=1)
    return scales, minima


def _column(scale: NDArray[np.float16]) -> Floats:
    return scale.astype(np.float32)[:, None]


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """``elements`` numbers lie in ``size`` bytes; ``decode`` takes whole blocks and gives float32, shape (n,)."""

    name: str
    elements: int
    size: int
    decode: Callable[[bytes], Floats]


# By ggml's number of the type.
FORMATS = {
    0: NumberFormat("F32", 1, 4, _from_f32),
    1: NumberFormat("F16", 1, 2, _from_f16),
    8: NumberFormat("Q8_0", 32, _Q8_0.itemsize, _from_q8_0),
    12: NumberFormat("Q4_K", 256, _Q4_K.itemsize, _from_q4_k),
    14: NumberFormat("Q6_K", 256, _Q6_K.itemsize, _from_q6_k),
}
