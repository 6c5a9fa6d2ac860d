"""Embedder: the contract between text and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into unit vectors. Thread-safe; calls may wait for each other."""

    @property
    def fingerprint(self) -> str:
        """Names everything that changes a vector: model file, quantisation, pooling, prefixes, dimension."""
        ...

    @property
    def dim(self) -> int:
        """Components of each vector."""
        ...

    @property
    def min_similarity(self) -> float:
        """Cosine similarity under which a hit of this model is noise, 0 to 1."""
        ...

    @property
    def parallel(self) -> int:
        """How many calls of ``embed_documents`` are worked on at the same time, at least 1; further ones wait."""
        ...

    def remembered(self, texts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
        """The vectors of those ``texts``, by place, that are known without asking the model; thousands at a time."""
        ...

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dim), each of norm 1.

        Texts longer than the model's context are read in windows whose vectors are averaged by their token counts.
        Blank texts give the vector of the model's empty input.
        Raises EmbeddingError where the model fails twice, EmbeddingTimeoutError after ``timeout_s`` seconds.
        """
        ...

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        """The vector of one query, shape (dim,), norm 1, made with the model's query prefix."""
        ...

    def close(self) -> None:
        """Stop what runs for this embedder; later calls raise EmbeddingError."""
        ...
