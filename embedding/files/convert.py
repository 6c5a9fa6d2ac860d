"""A BERT encoder as published (safetensors, vocab.txt) into the GGUF file llama.cpp reads.

Only what all-MiniLM-L6-v2 and its siblings have: absolute positions, GELU, mean pooling, an uncased WordPiece
vocabulary. Names of keys and tensors are llama.cpp's (architecture "bert").
"""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedding.errors import ModelInvalidError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = Mapping[str, NDArray[np.float32]]

WORD_START = "\u2581"
_SPECIALS = {"[PAD]": "pad", "[UNK]": "unk", "[CLS]": "bos", "[SEP]": "sep", "[MASK]": "mask"}

_TENSORS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER_TENSORS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_MAX_HEADER = 1 << 24


@dataclass(frozen=True, slots=True)
class BertShape:
    """What the weights' shapes do not tell: attention heads, and the layer norm's epsilon."""

    name: str
    licence: str
    heads: int = 12
    epsilon: float = 1e-12


def convert_bert(weights: Path, vocabulary: Path, target: Path, shape: BertShape, quantisation: str) -> None:
    """Write ``target`` as GGUF with matrices in ``quantisation`` (F32, F16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0).

    Vectors, and the two small embeddings of position and type, stay exact: they are added, not multiplied.
    Raises ModelInvalidError where the two files are not a BERT encoder and its vocabulary.
    """
    import gguf

    tokens = read_vocabulary(vocabulary)
    with SafeTensors(weights) as tensors:
        writer = gguf.GGUFWriter(target, "bert")
        try:
            _write_shape(writer, tensors, shape)
            _write_vocabulary(writer, tokens)
            _write_tensors(writer, tensors, quantisation)
        finally:
            writer.close()


def read_vocabulary(path: Path) -> list[str]:
    """The tokens of a WordPiece vocabulary, one a line, in the order of their ids."""
    try:
        tokens = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ModelInvalidError(f"The vocabulary {path} is not UTF-8: {error}; fetch the model again.") from error
    missing = [special for special in _SPECIALS if special not in tokens]
    if missing:
        raise ModelInvalidError(f"The vocabulary {path} lacks {', '.join(missing)}; it is not one of BERT's.")
    return tokens


def gguf_token(token: str) -> str:
    """llama.cpp's spelling: a continuation loses its ``##``, the start of a word gains U+2581, specials stay."""
    if token in _SPECIALS or (token.startswith("[unused") and token.endswith("]")):
        return token
    if token.startswith("##"):
        return token[2:]
    return WORD_START + token


class SafeTensors(Mapping[str, "NDArray[np.float32]"]):
    """Float32 tensors of a safetensors file by name, mapped, not read: an 8-byte length, a JSON header, the data."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        length = int.from_bytes(self._map[:8], "little")
        if length > min(_MAX_HEADER, len(self._map) - 8):
            raise ModelInvalidError(f"The weights {path} are cut short; fetch the model again.")
        self._header: dict[str, Any] = json.loads(self._map[8 : 8 + length])
        self._header.pop("__metadata__", None)
        self._start = 8 + length

    def __enter__(self) -> SafeTensors:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()  # the map goes with the last array that looks into it

    def __iter__(self) -> Iterator[str]:
        return iter(self._header)

    def __len__(self) -> int:
        return len(self._header)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        import numpy as np

        entry = self._header[name]
        begin, end = entry["data_offsets"]
        shape = tuple(entry["shape"])
        whole = entry["dtype"] == "F32" and end - begin == 4 * math.prod(shape) and self._start + end <= len(self._map)
        if not whole:
            raise ModelInvalidError(f"The tensor {name} of {self._path} is not whole float32; fetch the model again.")
        return np.frombuffer(self._map, np.dtype("<f4"), math.prod(shape), self._start + begin).reshape(shape)


def _tensor(weights: Weights, name: str) -> NDArray[np.float32]:
    try:
        return weights[name]
    except KeyError:
        raise ModelInvalidError(f"The weights lack the tensor {name}; they are not a BERT encoder's.") from None


def _layers(weights: Weights) -> int:
    names = (name.split(".") for name in weights if name.startswith("encoder.layer."))
    return 1 + max((int(parts[2]) for parts in names), default=-1)


def _write_shape(writer: Any, weights: Weights, shape: BertShape) -> None:
    import gguf

    positions, width = _tensor(weights, "embeddings.position_embeddings.weight").shape
    writer.add_name(shape.name)
    writer.add_license(shape.licence)
    writer.add_block_count(_layers(weights))
    writer.add_context_length(positions)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(_tensor(weights, "encoder.layer.0.intermediate.dense.weight").shape[0])
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write_vocabulary(writer: Any, tokens: list[str]) -> None:
    import gguf

    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    spelled = [gguf_token(token) for token in tokens]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_type_count(2)
    writer.add_token_list(spelled)
    writer.add_token_types([control if new == old else normal for old, new in zip(tokens, spelled, strict=True)])
    for token, role in _SPECIALS.items():
        writer.add_uint32(_ID_KEYS[role], tokens.index(token))


_ID_KEYS = {
    "pad": "tokenizer.ggml.padding_token_id",
    "unk": "tokenizer.ggml.unknown_token_id",
    "bos": "tokenizer.ggml.bos_token_id",
    "sep": "tokenizer.ggml.seperator_token_id",  # llama.cpp's own spelling
    "mask": "tokenizer.ggml.mask_token_id",
}


def _names(layers: int) -> Iterator[tuple[str, str]]:
    """Published names and llama.cpp's, for every tensor an encoder of so many layers has."""
    for old, new in _TENSORS.items():
        if old.endswith(".weight"):
            yield old, new
        else:
            yield from ((f"{old}.{part}", f"{new}.{part}") for part in ("weight", "bias"))
    for layer in range(layers):
        for old, new in _LAYER_TENSORS.items():
            for part in ("weight", "bias"):
                yield f"encoder.layer.{layer}.{old}.{part}", f"blk.{layer}.{new}.{part}"


def _write_tensors(writer: Any, weights: Weights, quantisation: str) -> None:
    import gguf

    kind = gguf.GGMLQuantizationType[quantisation]
    for old, new in _names(_layers(weights)):
        tensor = _tensor(weights, old)
        exact = tensor.ndim == 1 or new in ("position_embd.weight", "token_types.weight")
        stored = gguf.GGMLQuantizationType.F32 if exact else kind
        writer.add_tensor(new, gguf.quantize(tensor, stored), raw_dtype=stored)
    writer.add_file_type(_FILE_TYPES[quantisation])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()


_FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9}
