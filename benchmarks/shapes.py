"""Model files with the shapes of real ones and random weights: for load, memory and speed the meaning does not matter.

    python -m benchmarks.shapes tiny PATH     a Qwen2 of 2 layers, 240 kB, for tests
    python -m benchmarks.shapes nomic PATH    nomic-embed-code Q4_K_M: the same tensors, types and bytes (4.38 GB)

Weights are drawn so that activations stay finite through all layers, and vectors differ from text to text. The same
seed gives the same file. The tokenizer is a byte-level BPE that splits words into pieces of two to four letters.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Blocks = NDArray[np.uint8]

LETTERS = "etaoinshrdlucmwfgypbvkjxqz"  # by how often English has them: merges of frequent ones come first
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# Distinct blocks that a large tensor is tiled with: more than any tensor has rows, and without a common divisor with
# the blocks of a row (14 and 74), so that no two rows are alike.
POOL_BLOCKS = 152_083


@dataclass(frozen=True, slots=True)
class Shape:
    """The hyperparameters of a Qwen2 embedding model. ``mix``: quantised as llama-quantize does for Q4_K_M, or F16."""

    name: str
    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    merges: int
    vocabulary: int  # bytes, merges, specials, and padding to here
    context: int
    mix: bool

    @property
    def kv_width(self) -> int:
        return self.width // self.heads * self.kv_heads


TINY = Shape("tiny", 2, 64, 128, 4, 2, 300, 600, 512, mix=False)
# Qwen2.5-Coder-7B without its output head: 7.07 billion weights remain, as its makers count them.
NOMIC = Shape("nomic-embed-code", 28, 3584, 18_944, 28, 4, 151_387, 152_064, 32_768, mix=True)
SHAPES = {"tiny": TINY, "nomic": NOMIC}


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor to be written: rows of ``columns`` weights each (a single row: a vector)."""

    name: str
    rows: int
    columns: int
    type: Type
    around: float = 0.0  # what its weights are drawn about

    @property
    def bytes(self) -> int:
        elements, size = gguf.GGML_QUANT_SIZES[self.type]
        return self.rows * self.columns // elements * size

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, self.columns) if self.rows > 1 else (self.columns,)


def write_model(shape: Shape, path: Path, seed: int = 5) -> None:
    """Write ``shape`` as GGUF to ``path``; the same seed gives the same bytes."""
    writer = gguf.GGUFWriter(path, "qwen2")
    tensors = planned_tensors(shape)
    _describe(writer, shape)
    _add_vocabulary(writer, shape)
    for tensor in tensors:
        writer.add_tensor_info(tensor.name, _byte_shape(tensor), np.dtype(np.uint8), tensor.bytes, tensor.type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    assert writer.fout is not None
    file = writer.fout[0]
    writer.write_padding(file, file.tell())
    weights = _Weights(np.random.default_rng(seed))
    for tensor in tensors:
        weights.write(tensor, file)
        writer.write_padding(file, tensor.bytes)
    writer.close()


def _byte_shape(tensor: Planned) -> tuple[int, ...]:
    elements, size = gguf.GGML_QUANT_SIZES[tensor.type]
    return (*tensor.shape[:-1], tensor.columns // elements * size)


def _describe(writer: Any, shape: Shape) -> None:
    writer.add_name(shape.name)
    writer.add_description("random weights in the shapes of a model: for measuring, without meaning")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_pooling_type(gguf.PoolingType.LAST)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M if shape.mix else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_vocabulary(writer: Any, shape: Shape) -> None:
    merges = [*itertools.islice(merge_pairs(), shape.merges)]
    tokens = [*byte_letters(), *(first + second for first, second in merges), *SPECIALS]
    padding = [f"[PAD{place}]" for place in range(len(tokens), shape.vocabulary)]
    kinds = gguf.TokenType
    types = [kinds.NORMAL] * (256 + len(merges)) + [kinds.CONTROL] * len(SPECIALS) + [kinds.UNUSED] * len(padding)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*tokens, *padding])
    writer.add_token_types(types)
    writer.add_token_merges([f"{first} {second}" for first, second in merges])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(value=False)


def byte_letters() -> list[str]:
    """The letter GPT-2's byte-level BPE shows each byte as, those that show as themselves first."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in plain] + [chr(256 + place) for place in range(256 - len(plain))]


def merge_pairs() -> Iterator[tuple[str, str]]:
    """Merges by rank: two letters, or a space and a letter; then two of those. Over 400,000."""
    singles = sorted(itertools.product("\u0120" + LETTERS, LETTERS), key=_rarity)
    yield from singles
    first = ["".join(pair) for pair in singles]
    second = [pair for pair in first if pair[0] != "\u0120"]
    yield from sorted(itertools.product(first, second), key=_rarity)


def _rarity(pair: tuple[str, str]) -> tuple[int, tuple[str, str]]:
    return sum(LETTERS.find(letter) for letter in "".join(pair)), pair


def planned_tensors(shape: Shape) -> list[Planned]:
    """Every tensor of the model, in the order of the file."""
    wide, half = (Type.Q6_K, Type.Q4_K) if shape.mix else (Type.F16, Type.F16)
    # Without an output head the token table takes its place, and its type.
    tensors = [Planned("token_embd.weight", shape.vocabulary, shape.width, wide)]
    for layer in range(shape.layers):
        tensors += _layer(shape, layer, wide if _deserves_more_bits(layer, shape.layers) else half, half)
    return [*tensors, Planned("output_norm.weight", 1, shape.width, Type.F32, 1.0)]


def _layer(shape: Shape, layer: int, better: Type, usual: Type) -> list[Planned]:
    width, kv_width, inner = shape.width, shape.kv_width, shape.feed_forward
    matrices = [
        ("attn_q", width, width, usual), ("attn_k", kv_width, width, usual), ("attn_v", kv_width, width, better),
        ("attn_output", width, width, usual), ("ffn_gate", inner, width, usual), ("ffn_up", inner, width, usual),
        ("ffn_down", width, inner, better),
    ]  # fmt: skip
    vectors = [("attn_q.bias", width, 0.0), ("attn_k.bias", kv_width, 0.0), ("attn_v.bias", kv_width, 0.0),
               ("attn_norm.weight", width, 1.0), ("ffn_norm.weight", width, 1.0)]  # fmt: skip
    blocks = [Planned(f"blk.{layer}.{name}.weight", rows, columns, kind) for name, rows, columns, kind in matrices]
    return blocks + [Planned(f"blk.{layer}.{name}", 1, size, Type.F32, around) for name, size, around in vectors]


def _deserves_more_bits(layer: int, layers: int) -> bool:
    """Whether Q4_K_M gives the layer Q6_K for attn_v and ffn_down: the first and last eighth, and each third between.

    From ``use_more_bits`` of llama.cpp's src/llama-quant.cpp.
    """
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


class _Weights:
    """Random tensors: vectors and small ones drawn weight by weight, large ones tiled with blocks drawn once."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._pools: dict[tuple[Type, int], Blocks] = {}

    def write(self, tensor: Planned, file: IO[bytes]) -> None:
        if tensor.type in (Type.F32, Type.F16):
            kind = "<f4" if tensor.type is Type.F32 else "<f2"
            drawn = tensor.around + self._random.normal(0, _spread(tensor), (tensor.rows, tensor.columns))
            file.write(drawn.astype(kind).tobytes())
        else:
            self._tile(tensor, file)

    def _tile(self, tensor: Planned, file: IO[bytes]) -> None:
        pool = self._pool(tensor).reshape(-1).data
        begin = int(self._random.integers(POOL_BLOCKS)) * (len(pool) // POOL_BLOCKS)
        left = tensor.bytes
        while left:
            left -= file.write(pool[begin : begin + left])
            begin = 0

    def _pool(self, tensor: Planned) -> Blocks:
        key = (tensor.type, tensor.columns)
        if key not in self._pools:
            draw = {Type.Q4_K: _q4_k_blocks, Type.Q6_K: _q6_k_blocks}[tensor.type]
            self._pools[key] = draw(self._random, POOL_BLOCKS, _spread(tensor))
        return self._pools[key]


def _spread(tensor: Planned) -> float:
    """The deviation that keeps a product of about the size of what goes in; for vectors, a tenth."""
    return 1 / math.sqrt(tensor.columns) if tensor.rows > 1 else 0.1


def _q4_k_blocks(random: np.random.Generator, count: int, spread: float) -> Blocks:
    """Blocks of d * 32 * (q - 7.5), q uniform in 0 to 15: half scales d and dmin, packed sixes of bits, nibbles.

    Layout: block_q4_K in ggml/src/ggml-common.h. All sixteen scales and minima are 32, which packs into 0xA0 and 0.
    """
    blocks = random.integers(0, 256, (count, 144), np.uint8)
    d = (spread / (32 * math.sqrt((16**2 - 1) / 12)) * random.uniform(0.7, 1.3, count)).astype("<f2")
    blocks[:, 0:2] = d.view(np.uint8).reshape(count, 2)
    blocks[:, 2:4] = (7.5 * d.astype(np.float32)).astype("<f2").view(np.uint8).reshape(count, 2)
    blocks[:, 4:12] = 0xA0
    blocks[:, 12:16] = 0
    return blocks


def _q6_k_blocks(random: np.random.Generator, count: int, spread: float) -> Blocks:
    """Blocks of d * scale * (q - 32), q uniform in 0 to 63, scale 16 or -16: low nibbles, high bits, scales, d.

    Layout: block_q6_K in ggml/src/ggml-common.h.
    """
    blocks = random.integers(0, 256, (count, 210), np.uint8)
    blocks[:, 192:208] = random.choice(np.array([16, -16], np.int8), (count, 16)).view(np.uint8)
    d = (spread / (16 * math.sqrt((64**2 - 1) / 12)) * random.uniform(0.7, 1.3, count)).astype("<f2")
    blocks[:, 208:210] = d.view(np.uint8).reshape(count, 2)
    return blocks


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=5)
    chosen = parser.parse_args()
    write_model(SHAPES[chosen.shape], chosen.path, chosen.seed)
    weights = sum(tensor.rows * tensor.columns for tensor in planned_tensors(SHAPES[chosen.shape]))
    print(f"{chosen.path}: {weights:,} weights, {chosen.path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
