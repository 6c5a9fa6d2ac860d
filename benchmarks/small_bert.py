"""A BERT of two layers with random weights and 60 words, as published, and converted (embedding/files/convert.py)."""

from __future__ import annotations

import json
import string
import tempfile
from pathlib import Path

import numpy as np

from embedding.files.convert import BertShape, convert_bert

WIDTH, INNER, LAYERS, POSITIONS = 32, 64, 2, 64
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
DENSE = {
    "attention.self.query": (WIDTH, WIDTH),
    "attention.self.key": (WIDTH, WIDTH),
    "attention.self.value": (WIDTH, WIDTH),
    "attention.output.dense": (WIDTH, WIDTH),
    "intermediate.dense": (INNER, WIDTH),
    "output.dense": (WIDTH, INNER),
}


def write_small_bert(path: Path, seed: int = 5) -> None:
    """Write the model as GGUF to ``path``, 52 kB; the same seed gives the same bytes."""
    vocabulary = [
        *SPECIALS,
        *string.ascii_lowercase,
        *(f"##{letter}" for letter in string.ascii_lowercase),
        "the",
        "of",
    ]
    with tempfile.TemporaryDirectory() as directory:
        words, weights = Path(directory, "vocab.txt"), Path(directory, "model.safetensors")
        words.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        weights.write_bytes(_safetensors(_shapes(len(vocabulary)), np.random.default_rng(seed)))
        convert_bert(weights, words, path, BertShape("small-bert", "none", heads=2), "F16")


def _shapes(tokens: int) -> dict[str, tuple[int, ...]]:
    tables = {"word": tokens, "position": POSITIONS, "token_type": 2}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (rows, WIDTH) for name, rows in tables.items()
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        block = f"encoder.layer.{layer}"
        norms += [f"{block}.attention.output.LayerNorm", f"{block}.output.LayerNorm"]
        for name, (rows, columns) in DENSE.items():
            shapes |= {f"{block}.{name}.weight": (rows, columns), f"{block}.{name}.bias": (rows,)}
    return shapes | {f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")}


def _safetensors(shapes: dict[str, tuple[int, ...]], random: np.random.Generator) -> bytes:
    header, data = {}, b""
    for name, shape in shapes.items():
        around = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        tensor = around + random.normal(0, 0.2, shape)
        begin, data = len(data), data + tensor.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data
