"""BM25 as the text index computes it (Robertson and Zaragoza, 2009; k1 = 1.2, b = 0.75). Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

K1 = 1.2  # how soon a repeated term stops counting
B = 0.75  # how much a long chunk is held against itself


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a score depends on beside the chunk: how many chunks there are, and their mean length in terms."""

    chunks: int
    mean_length: float


def inverse_document_frequency(corpus: Corpus, containing: int) -> float:
    """How telling a term is that ``containing`` of the chunks hold; always above 0."""
    return math.log(1 + (corpus.chunks - containing + 0.5) / (containing + 0.5))


def term_weight(corpus: Corpus, count: int, length: int) -> float:
    """How much ``count`` occurrences in a chunk of ``length`` terms are worth, 0 to K1 + 1."""
    return count * (K1 + 1) / (count + K1 * (1 - B + B * length / corpus.mean_length))
