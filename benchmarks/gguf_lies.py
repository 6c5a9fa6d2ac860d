"""Damaged GGUF files: one whole file in parts, and the ways to lie about each of them."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

ALIGNMENT = 32
TEXT, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
# Sizes and counts at the edges of what programs survive.
EDGES = (0, 1, 2, 3, 5, 7, 16, 31, 63, 64, 255, 256, 511, 512, 513, 1024, 4096, 65_535, 1 << 20, 1 << 31, (1 << 32) - 1,
         1 << 40, (1 << 63) - 1, (1 << 64) - 1)  # fmt: skip
FRACTIONS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, math.inf, -math.inf, math.nan)
_WORDS = """bert qwen2 qwen3 llama gemma-embedding nomic-bert nomic-bert-moe modern-bert jina-bert-v2 t5 t5encoder mamba
rwkv6 clip gpt2 none no_vocab rwkv plamo2 default yarn longrope %s%n%d token_embd.weight"""
WORDS = (*_WORDS.encode().split(), b"", b"\xff\xfe", b"a\0b", b"x" * 70)
# Keys that change how llama.cpp builds a model, for files that lack them.
_KEYS = """attention.head_count_kv attention.key_length attention.value_length attention.sliding_window attention.causal
attention.clamp_kqv attention.max_alibi_bias rope.dimension_count rope.scaling.type rope.scaling.factor rope.freq_base
rope.scaling.original_context_length expert_count expert_used_count expert_group_count nextn_predict_layers block_count
embedding_length_out pooling_type vocab_size logit_scale feed_forward_length leading_dense_block_count
classifier.output_labels dense_2_feat_in attention.temperature_length attention.scale"""
_BARE_KEYS = """split.count split.no general.alignment general.file_type general.type tokenizer.ggml.add_bos_token
tokenizer.ggml.add_eos_token tokenizer.ggml.bos_token_id tokenizer.ggml.seperator_token_id tokenizer.ggml.scores
tokenizer.ggml.unknown_token_id tokenizer.ggml.token_type_count tokenizer.ggml.precompiled_charsmap
tokenizer.ggml.add_space_prefix tokenizer.ggml.remove_extra_whitespaces tokenizer.chat_template"""
KEYS, BARE_KEYS = _KEYS.split(), _BARE_KEYS.split()
TENSOR_NAMES = (*WORDS, b"blk.0.attn_q.weight", b"output.weight", b"blk.999.ffn_up.weight")


@dataclass(frozen=True, slots=True)
class Parts:
    """A GGUF file: its pairs of key and value, the entries of its tensor table, and the weights, each as bytes."""

    start: bytes  # magic and version
    pairs: tuple[bytes, ...]
    tensors: tuple[bytes, ...]
    data: bytes

    def joined(self) -> bytes:
        counts = struct.pack("<QQ", len(self.tensors), len(self.pairs))
        header = self.start + counts + b"".join(self.pairs) + b"".join(self.tensors)
        return header + bytes(-len(header) % ALIGNMENT) + self.data


Lie = Callable[[random.Random, Parts], Parts]


def parts_of(path: Path) -> Parts:
    """The parts of a whole file."""
    content = path.read_bytes()
    tensor_count, pair_count = struct.unpack_from("<QQ", content, 8)
    at, pairs, tensors = 24, [], []
    for _ in range(pair_count):
        end = _pair_end(content, at)
        pairs.append(content[at:end])
        at = end
    for _ in range(tensor_count):
        end = _text_end(content, at)
        end += 4 + 8 * struct.unpack_from("<I", content, end)[0] + 12
        tensors.append(content[at:end])
        at = end
    return Parts(content[:8], tuple(pairs), tuple(tensors), content[-(-at // ALIGNMENT) * ALIGNMENT :])


def _text_end(content: bytes, at: int) -> int:
    return int(at + 8 + struct.unpack_from("<Q", content, at)[0])


def _pair_end(content: bytes, at: int) -> int:
    at = _text_end(content, at)
    (kind,) = struct.unpack_from("<I", content, at)
    at += 4
    if kind == TEXT:
        return _text_end(content, at)
    if kind != ARRAY:
        return at + struct.calcsize(SCALARS[kind])
    kind, count = struct.unpack_from("<IQ", content, at)
    at += 12
    if kind != TEXT:
        return int(at + count * struct.calcsize("<" + SCALARS[kind]))
    for _ in range(count):
        at = _text_end(content, at)
    return at


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def _number(chance: random.Random, layout: str, old: float = 1) -> bytes:
    """A number of that layout from the edges, or near the old one."""
    if layout in "fd":
        return struct.pack("<" + layout, chance.choice(FRACTIONS) if chance.random() < 0.8 else old * 2)
    near = (old - 1, old + 1, old * 2, old // 2, -old)
    value = chance.choice(EDGES) if chance.random() < 0.6 else int(chance.choice(near))
    return (value % (1 << 64)).to_bytes(8, "little")[: struct.calcsize(layout)]


def _one_of(chance: random.Random, entries: tuple[bytes, ...], change: Callable[[bytes], bytes]) -> tuple[bytes, ...]:
    place = chance.randrange(len(entries))
    return (*entries[:place], change(entries[place]), *entries[place + 1 :])


def _value_start(pair: bytes) -> int:
    return _text_end(pair, 0) + 4


def a_value(chance: random.Random, parts: Parts) -> Parts:
    """Another value for a key that holds one number or text."""

    def change(pair: bytes) -> bytes:
        at = _value_start(pair)
        kind = struct.unpack_from("<I", pair, at - 4)[0]
        if kind == TEXT:
            return pair[:at] + text(chance.choice(WORDS))
        if kind == ARRAY:
            return _changed_array(chance, pair, at)
        (old,) = struct.unpack_from("<" + SCALARS[kind], pair, at)
        return pair[:at] + _number(chance, SCALARS[kind], old)

    return replace(parts, pairs=_one_of(chance, parts.pairs, change))


def _changed_array(chance: random.Random, pair: bytes, at: int) -> bytes:
    kind, count = struct.unpack_from("<IQ", pair, at)
    if kind != TEXT:
        size = struct.calcsize(SCALARS[kind])
        place = at + 12 + chance.randrange(max(1, count)) * size
        return pair[:place] + _number(chance, SCALARS[kind]) + pair[place + size :]
    place = at + 12
    other = place
    for _ in range(chance.randrange(count)):
        other, place = place, _text_end(pair, place)
    new = chance.choice((text(chance.choice(WORDS)), pair[other : _text_end(pair, other)]))  # the one before it: twice
    return pair[:place] + new + pair[_text_end(pair, place) :]


def a_list_cut(chance: random.Random, parts: Parts) -> Parts:
    """A list that claims more or fewer values than follow, or loses its last ones."""

    def change(pair: bytes) -> bytes:
        at = _value_start(pair)
        if struct.unpack_from("<I", pair, at - 4)[0] != ARRAY:
            return pair
        kind, count = struct.unpack_from("<IQ", pair, at)
        if kind == TEXT or chance.random() < 0.5:
            return pair[: at + 4] + _number(chance, "Q", count) + pair[at + 12 :]
        kept = chance.randrange(count + 1)
        size = struct.calcsize(SCALARS[kind])
        return pair[: at + 4] + struct.pack("<Q", kept) + pair[at + 12 : at + 12 + kept * size]

    return replace(parts, pairs=_one_of(chance, parts.pairs, change))


def a_type_of_value(chance: random.Random, parts: Parts) -> Parts:
    """A value said to be of another type."""

    def change(pair: bytes) -> bytes:
        at = _value_start(pair)
        return pair[: at - 4] + struct.pack("<I", chance.choice((*range(14), 77))) + pair[at:]

    return replace(parts, pairs=_one_of(chance, parts.pairs, change))


def a_new_key(chance: random.Random, parts: Parts) -> Parts:
    """A key the file did not have, or has already."""
    architecture = next((pair[-_length(pair) :] for pair in parts.pairs if b"general.architecture" in pair), b"bert")
    key = chance.choice(BARE_KEYS).encode()
    if chance.random() < 0.7:
        key = architecture + b"." + chance.choice(KEYS).encode()
    kind = chance.choice((4, 4, 4, 5, 6, 7, TEXT, ARRAY))
    value = text(chance.choice(WORDS)) if kind == TEXT else b""
    if kind == ARRAY:
        value = struct.pack("<IQ", 4, 2) + b"".join(_number(chance, "I") for _ in range(2))
    elif kind != TEXT:
        value = _number(chance, SCALARS[kind])
    return replace(parts, pairs=(*parts.pairs, text(key) + struct.pack("<I", kind) + value))


def _length(pair: bytes) -> int:
    return int(struct.unpack_from("<Q", pair, _value_start(pair))[0])


def a_pair_more_or_less(chance: random.Random, parts: Parts) -> Parts:
    """A key, or a tensor, that is missing or stands there twice."""

    def thinned(entries: tuple[bytes, ...]) -> tuple[bytes, ...]:
        place = chance.randrange(len(entries))
        return entries[:place] + entries[place : place + 1] * chance.choice((0, 0, 2)) + entries[place + 1 :]

    if chance.random() < 0.6:
        return replace(parts, pairs=thinned(parts.pairs))
    return replace(parts, tensors=thinned(parts.tensors))


def a_tensor(chance: random.Random, parts: Parts) -> Parts:
    """Another shape, number of dimensions, type, offset or name for a tensor."""

    def change(entry: bytes) -> bytes:
        at = _text_end(entry, 0)
        (dimensions,) = struct.unpack_from("<I", entry, at)
        end = at + 4 + 8 * dimensions
        what = chance.randrange(5)
        if what == 0:
            return (
                text(chance.choice((*WORDS, b"blk.0.attn_q.weight", b"output.weight", b"blk.999.ffn_up.weight")))
                + entry[at:]
            )
        if what == 1:
            return entry[:at] + _number(chance, "I", dimensions) + entry[at + 4 :]
        if what == 2:
            return entry[:end] + struct.pack("<I", chance.choice((*range(42), 99))) + entry[end + 4 :]
        place = end + 4 if what == 3 else at + 4 + 8 * chance.randrange(dimensions)
        old = struct.unpack_from("<Q", entry, place)[0]
        return entry[:place] + _number(chance, "Q", old) + entry[place + 8 :]

    return replace(parts, tensors=_one_of(chance, parts.tensors, change))


def a_vector_retyped(chance: random.Random, parts: Parts) -> Parts:
    """A tensor of another type that takes as many bytes: integers for float32, bfloat16 for float16."""
    same = {0: (26, 0), 1: (25, 30), 26: (0,), 30: (1,)}

    def change(entry: bytes) -> bytes:
        (kind,) = struct.unpack_from("<I", entry, len(entry) - 12)
        return entry[:-12] + struct.pack("<I", chance.choice(same.get(kind, (kind,)))) + entry[-8:]

    return replace(parts, tensors=_one_of(chance, parts.tensors, change))


def the_weights(chance: random.Random, parts: Parts) -> Parts:
    """A stretch of weights that are noise, zero, or no numbers."""
    begin = chance.randrange(len(parts.data))
    size = min(len(parts.data) - begin, chance.choice((4, 64, 4096, 1 << 20)))
    noise = chance.choice((bytes(size), b"\xff" * size, chance.randbytes(size), (b"\x00\x7c" * size)[:size]))
    return replace(parts, data=parts.data[:begin] + noise + parts.data[begin + size :])


def the_start(chance: random.Random, parts: Parts) -> Parts:
    """Another magic or version."""
    start = bytearray(parts.start)
    start[chance.randrange(8)] = chance.randrange(256)
    return replace(parts, start=bytes(start))


LIES: tuple[Lie, ...] = (
    *(a_value,) * 3,
    *(a_new_key, a_tensor) * 2,
    *(a_list_cut, a_type_of_value, a_pair_more_or_less, a_vector_retyped, the_weights, the_start),
)


def damaged(chance: random.Random, whole: Parts) -> tuple[str, bytes]:
    """What was done to the file, in words, and its bytes: one to three lies, or bytes that fell over, or were lost."""
    if chance.random() < 0.25:
        return _raw(chance, whole.joined(), len(whole.data))
    parts, told = whole, []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        lie = chance.choice(LIES)
        with suppress(struct.error, KeyError, IndexError, ValueError):  # another lie has made this place unreadable
            parts = lie(chance, parts)
            told.append(lie.__name__.replace("_", " "))
    return ", ".join(told), parts.joined()


def _raw(chance: random.Random, content: bytes, data_bytes: int) -> tuple[str, bytes]:
    """Bytes changed, taken out or put in, mostly in the header, or the end cut off."""
    place = chance.randrange(len(content) - data_bytes) if chance.random() < 0.8 else chance.randrange(len(content))
    size = chance.choice((1, 1, 2, 4, 8, 64))
    what = chance.randrange(4)
    if what == 0:
        return "cut", content[:place]
    if what == 1:
        return "bytes lost", content[:place] + content[place + size :]
    if what == 2:
        return "bytes put in", content[:place] + chance.randbytes(size) + content[place:]
    return "bytes changed", content[:place] + chance.randbytes(size) + content[place + size :]
