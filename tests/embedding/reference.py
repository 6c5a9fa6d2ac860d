"""all-MiniLM-L6-v2 written out in numpy from the published weights: slow, plain, and ours to compare with.

From "BERT" (Devlin et al., 2019), "MiniLM" (Wang et al., 2020) and WordPiece's greedy longest match.
"""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedding.files.convert import SafeTensors, read_vocabulary

Array = NDArray[np.float32]
HEADS, LAYERS = 12, 6


def words(text: str) -> list[str]:
    """Lower case, without accents, cut at white space; each mark of punctuation and each ideograph for itself."""
    plain = [letter for letter in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(letter) != "Mn"]
    apart = [f" {letter} " if _is_mark(letter) else letter for letter in plain]
    return "".join(apart).split()


def _is_mark(letter: str) -> bool:
    symbol = letter.isascii() and letter.isprintable() and not letter.isalnum() and letter != " "
    return symbol or unicodedata.category(letter).startswith("P") or "\u4e00" <= letter <= "\u9fff"


def word_pieces(word: str, ids: dict[str, int]) -> list[int]:
    found: list[int] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if mark + word[start:end] in ids), None)
        if end is None:
            return [ids["[UNK]"]]
        found.append(ids[mark + word[start:end]])
        start = end
    return found


def tokenize(text: str, vocabulary: Path) -> list[int]:
    ids = {token: place for place, token in enumerate(read_vocabulary(vocabulary))}
    inner = [piece for word in words(text) for piece in word_pieces(word, ids)]
    return [ids["[CLS]"], *inner, ids["[SEP]"]]


def _norm(values: Array, weights: SafeTensors, name: str) -> Array:
    mean = values.mean(-1, keepdims=True)
    deviation = np.sqrt(values.var(-1, keepdims=True) + 1e-12)
    return np.asarray((values - mean) / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"], np.float32)


def _dense(values: Array, weights: SafeTensors, name: str) -> Array:
    return np.asarray(values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"], np.float32)


def _gelu(values: Array) -> Array:
    error_function = np.vectorize(math.erf)
    return np.asarray(values * 0.5 * (1 + error_function(values / math.sqrt(2))), np.float32)


def _attention(values: Array, weights: SafeTensors, name: str) -> Array:
    count, width = values.shape
    query, key, value = (
        _dense(values, weights, f"{name}.self.{part}").reshape(count, HEADS, width // HEADS).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(width // HEADS)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (shares / shares.sum(-1, keepdims=True)) @ value
    return _dense(mixed.transpose(1, 0, 2).reshape(count, width), weights, f"{name}.output.dense")


def embed(tokens: list[int], weights_file: Path) -> Array:
    """The unit vector of one window of tokens, specials included."""
    with SafeTensors(weights_file) as weights:
        table = "embeddings.{}_embeddings.weight".format
        state = weights[table("word")][tokens] + weights[table("position")][: len(tokens)]
        state = _norm(state + weights[table("token_type")][0], weights, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            mixed = _attention(state, weights, f"{name}.attention")
            state = _norm(state + mixed, weights, f"{name}.attention.output.LayerNorm")
            wide = _gelu(_dense(state, weights, f"{name}.intermediate.dense"))
            state = _norm(state + _dense(wide, weights, f"{name}.output.dense"), weights, f"{name}.output.LayerNorm")
        mean = state.mean(0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)
