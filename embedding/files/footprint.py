"""What a child will take of memory, said by the header of its model before anything is loaded. Pure.

The formulas follow llama.cpp's own allocations (src/llama-context.cpp, output_reserve and sched_reserve;
src/llama-kv-cache.cpp); what is left are constants measured on x86-64 Linux (docs/models.md, "Memory").
"""

from __future__ import annotations

from dataclasses import dataclass

from embedding.child.layout import BATCH, TAPPED_ARCHITECTURES, TAPPED_TEXTS
from embedding.files.header import ROWS_TENSOR, GgufHeader
from embedding.model import Pooling

MERGES = "tokenizer.ggml.merges"
_LEAST_CONTEXT = 256  # tokens; llama.cpp rounds up to a multiple of it
_PROCESS_BYTES = 30_000_000  # Python, numpy and the libraries' own data; 28 MB measured with a model of .2 MB
_LIBRARY_BYTES = 24_000_000  # code, mapped and shared by all children
_TOKEN_BYTES = 190  # of the vocabulary: two strings, three table entries; 174 measured
_MERGE_BYTES = 140  # a pair of strings and its rank; 130 measured
_FLOAT, _HALF = 4, 2
_LIVE_ROWS = 5  # rows of the model's width alive at a time beside the widest one; 2.5 to 4.5 measured
_QUANTISED_SHARE = 1.2  # bytes a number for the multiplication's own copy of its input; Q8_K takes 1.14


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of one child at its peak. ``shared``: mapped from files, counted once for all children of a model."""

    shared_bytes: int
    private_bytes: int

    @property
    def total_bytes(self) -> int:
        """Of the first child; each further one adds ``private_bytes``."""
        return self.shared_bytes + self.private_bytes

    def of_children(self, count: int) -> int:
        """Bytes of so many children of the same model together."""
        return self.shared_bytes + count * self.private_bytes if count else 0


def estimate(header: GgufHeader, window: int, batch: int, *, repack: bool = False) -> Footprint:
    """The footprint of a child that reads windows of ``window`` tokens, at most ``batch`` (0: as usual) in a call.

    ``repack``: whether llama.cpp copies the weights into another layout, which makes them private.
    """
    batch = _batch(header, window, batch)
    context = -(-max(window, batch, _LEAST_CONTEXT) // _LEAST_CONTEXT) * _LEAST_CONTEXT
    private = _PROCESS_BYTES + _vocabulary(header) + _cache(header, context)
    scored = min(batch, TAPPED_TEXTS) if is_tapped(header) else batch
    private += _output(header, scored) + _compute(header, context, batch, scored)
    return Footprint(_LIBRARY_BYTES + header.tensor_bytes, private + (_repacked(header) if repack else 0))


def _batch(header: GgufHeader, window: int, batch: int) -> int:
    """Tokens of a call, as a child settles them: what cannot be fed in pieces is read a window at once."""
    if header.is_decoder and header.pooling is Pooling.LAST:
        return batch or BATCH
    return max(BATCH, window, batch)


def is_tapped(header: GgufHeader) -> bool:
    """Whether the vocabulary's scores are not computed (embedding/child/layout.py)."""
    return header.architecture in TAPPED_ARCHITECTURES and header.pooling is Pooling.LAST


def _vocabulary(header: GgufHeader) -> int:
    merges = header.arrays[MERGES].length if MERGES in header.arrays else 0
    return header.vocab_size * _TOKEN_BYTES + merges * _MERGE_BYTES


def _cache(header: GgufHeader, context: int) -> int:
    """Keys and values of every token in every layer, as float16; encoders keep none."""
    if not header.is_decoder:
        return 0
    heads = header.number("attention.head_count") or 1
    each = header.number("embedding_length") // heads
    length = (header.number("attention.key_length") or each) + (header.number("attention.value_length") or each)
    shared = header.number("attention.head_count_kv") or heads
    return header.number("block_count") * context * shared * length * _HALF


def _output(header: GgufHeader, scored: int) -> int:
    """Logits and embeddings of each scored token: llama.cpp makes room for the logits of encoders, too."""
    return scored * (header.vocab_size + header.number("embedding_length")) * _FLOAT


def _compute(header: GgufHeader, context: int, batch: int, scored: int) -> int:
    """The larger of what a layer and what the head has alive at a time, the attention mask, a quantised input."""
    width, inner = header.number("embedding_length"), header.number("feed_forward_length")
    layer = batch * (2 * inner if header.is_decoder else inner)
    alive = max(layer, scored * header.vocab_size if header.is_decoder else 0) + batch * _LIVE_ROWS * width
    mask = context * (_FLOAT + _HALF)  # float32 and float16
    return alive * _FLOAT + batch * (mask + int(max(inner, width) * _QUANTISED_SHARE))


def _repacked(header: GgufHeader) -> int:
    """All but the table of tokens, whose rows are looked up, not multiplied. At most: some types are left."""
    table = header.tensor(ROWS_TENSOR)
    return header.tensor_bytes - (table.size if table else 0)
