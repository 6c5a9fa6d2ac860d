"""What a model file must say, or llama.cpp would end the process, divide by zero or allocate without bound.

Pure. What llama.cpp refuses by itself, a tensor that is missing or has another shape than its architecture wants, is
left to it. Found by running thousands of damaged files (``python -m benchmarks.mutations``) and in its sources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from embedding.files.header import ROWS_TENSOR, TOKENS, GgufHeader, Tensor

# Key of the architecture -> the least and the most that llama.cpp survives (LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS), or
# twice what any known model has.
_RANGES = {
    "block_count": (1, 512),
    "context_length": (1, 1 << 27),
    "embedding_length": (1, 1 << 16),
    "embedding_length_out": (1, 1 << 16),
    "feed_forward_length": (0, 1 << 20),
    "attention.head_count": (1, 1024),
    "attention.head_count_kv": (0, 1024),
    "attention.key_length": (1, 4096),
    "attention.value_length": (1, 4096),
    "rope.dimension_count": (2, 4096),
    "expert_count": (0, 1024),
    "expert_used_count": (0, 1024),
    "expert_group_count": (0, 1024),
    "pooling_type": (0, 4),
    "attention.layer_norm_epsilon": (0, 1),
    "attention.layer_norm_rms_epsilon": (0, 1),
    "rope.freq_base": (1e-3, 1e12),
    "rope.scaling.factor": (0, 1e6),
}
# Architectures whose graphs turn whole heads by position, and end the process where fewer components are named.
_WHOLE_HEADS = ("llama", "llama4", "mistral3", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl",
                "granite", "smollm3", "internlm2", "olmo2", "starcoder2")  # fmt: skip
_SCALINGS = ("none", "linear", "yarn", "longrope")  # another one ends the process
# Types of ggml that weights come in: no integers, no doubles, and none of the layouts for intermediate results.
_WEIGHT_TYPES = frozenset((0, 1, 2, 3, 6, 7, 8, *range(10, 15), *range(16, 24), 29, 30, 34, 35, 39, 40, 41))
_EXACT = (0, 1, 30)  # float32, float16, bfloat16


def objection(header: GgufHeader) -> str:
    """Why the model must not be loaded, as a clause, or "" where nothing speaks against it."""
    return next((cause for rule in _RULES for cause in rule(header)), "")


def _ranges(header: GgufHeader) -> Iterator[str]:
    for key, (least, most) in _RANGES.items():
        for number in header.numbers(key):
            if not least <= number <= most:  # also where it is no number
                yield f"its {header.architecture}.{key} is {number}, which no model has"


def _architecture(header: GgufHeader) -> Iterator[str]:
    if not header.architecture:
        yield "it does not say its architecture"
    if header.values.get("split.count", 0) not in (0, 1):
        yield "it is one part of several; join them with llama-gguf-split"


def _heads(header: GgufHeader) -> Iterator[str]:
    heads, shared = header.numbers("attention.head_count"), header.numbers("attention.head_count_kv")
    width = header.number("embedding_length")
    for count in heads:
        if not header.numbers("attention.key_length") and width % count:
            yield f"its {width} components cannot be dealt to {count:g} attention heads"
    for count, part in zip(heads, shared or heads, strict=False):
        if (part == 0 and len(shared) == 1) or (part and count % part):  # of many layers, some may have no attention
            yield f"{count:g} attention heads cannot share {part:g} of keys and values"


def _head_lengths(header: GgufHeader) -> Iterator[str]:
    heads = header.number("attention.head_count")
    each = header.number("embedding_length") // heads if heads else 0
    key, value = (header.number(f"attention.{part}_length") or each for part in ("key", "value"))
    turned = header.number("rope.dimension_count") or key
    if key != value and not header.number("attention.kv_lora_rank"):
        yield f"its keys have {key} components and its values {value}"
    if turned > key or (turned != key and header.architecture in _WHOLE_HEADS):
        yield f"it turns {turned} of the {key} components of a head by position"


def _layers(header: GgufHeader) -> Iterator[str]:
    layers, width = header.number("block_count"), header.number("embedding_length")
    if header.number("nextn_predict_layers") > layers > 0:
        yield f"{header.number('nextn_predict_layers')} of its {layers} layers are said to look ahead"
    narrowed = header.number("embedding_length_out") or width
    if narrowed != width and not any(tensor.name.startswith("dense_2") for tensor in header.tensors):
        yield f"its vectors have {width} components, and {narrowed} are said to come out"
    for key in ("dense_2_feat_in", "dense_3_feat_out"):
        if header.number(key) not in (0, width):
            yield f"its {key} is {header.number(key)} where vectors have {width} components"


def _experts(header: GgufHeader) -> Iterator[str]:
    count, used = header.number("expert_count"), header.number("expert_used_count")
    groups = header.number("expert_group_count")
    if used > count or (count and not used):
        yield f"it uses {used} experts of {count}"
    if groups and (groups >= count or count % groups):
        yield f"its {count} experts cannot be dealt to {groups} groups"


def _scaling(header: GgufHeader) -> Iterator[str]:
    scaling = header.values.get(f"{header.architecture}.rope.scaling.type", "linear")
    if isinstance(scaling, str) and scaling not in _SCALINGS:
        yield f"it scales positions by {scaling[:32]!r}, which is unknown"


def _tensors(header: GgufHeader) -> Iterator[str]:
    for tensor in header.tensors:
        if tensor.type not in _WEIGHT_TYPES or (len(tensor.shape) == 1 and tensor.type not in _EXACT):
            yield f"the tensor {tensor.name!r} is stored as ggml's type {tensor.type}, which no weights are"
        if max(tensor.shape) > 1 << 31:
            yield f"the tensor {tensor.name!r} has the impossible shape {tensor.shape}"


def _token_table(header: GgufHeader) -> Iterator[str]:
    table = header.tensor(ROWS_TENSOR)
    width = header.number("embedding_length")
    if table is not None and header.vocab_size and width and _rows(table) != (width, header.vocab_size):
        yield f"its table of tokens has the shape {table.shape} where {(width, header.vocab_size)} was expected"


def _tokens(header: GgufHeader) -> Iterator[str]:
    if TOKENS in header.arrays and header.arrays[TOKENS].repeated:
        yield f"the token {header.arrays[TOKENS].repeated!r} stands twice in its vocabulary"
    pieces = header.values.get("tokenizer.ggml.model") == "llama"  # SentencePiece spells what it lacks in bytes
    if pieces and TOKENS in header.arrays and not header.arrays[TOKENS].spells_bytes:
        yield "its vocabulary has no tokens for bytes"


def _rows(table: Tensor) -> tuple[int, int]:
    return table.shape[0], math.prod(table.shape[1:])


_RULES: tuple[Callable[[GgufHeader], Iterator[str]], ...] = (
    _architecture, _ranges, _heads, _head_lengths, _layers, _experts, _scaling, _tensors, _token_table, _tokens,
)  # fmt: skip
