"""What an encoder says of each token by itself: where a fit starts, and what tokens keep that stand in few texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedding.embedder import Embedder
from embedding.tables.bags import Bags
from embedding.tables.distil import Axes

Floats = NDArray[np.float32]

_AT_ONCE = 2048  # tokens embedded in one call: some seconds, so that a stop is heeded


def token_vectors(embedder: Embedder, tokens: Sequence[str]) -> Floats:
    """The vector of each token embedded as a text of its own, shape (len(tokens), embedder.dim).

    Raises EmbeddingError as the embedder does.
    """
    parts = [embedder.embed_documents(tokens[start : start + _AT_ONCE]) for start in range(0, len(tokens), _AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros((0, embedder.dim), np.float32)


def prior_of(vectors: Floats, frequencies: Floats, axes: Axes, bags: Bags, targets: Floats) -> Floats:
    """``token_vectors`` as a prior of ``fit_tokens``, shape (tokens, dim of the axes).

    They are centred by the mean of the tokens as often as each is used (which is not the mean of texts), turned into
    the axes, and scaled as one so that their sums over ``bags`` come nearest to ``targets`` by least squares.
    """
    used = frequencies / np.float32(max(float(frequencies.sum()), 1e-30))
    turned = np.asarray((vectors - used @ vectors) @ axes.directions, np.float32)
    sums = bags.times(turned)
    square = float(np.einsum("ij,ij->", sums, sums))
    return turned * np.float32(np.einsum("ij,ij->", sums, targets) / square if square else 1.0)
