"""Shortened: an Embedder that keeps the first components of another one's vectors.

It stands before the vector cache, which keeps whole vectors: another number of components costs no second embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embedding.embedder import Embedder
from embedding.errors import EmbeddingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


def note_of(embedder: Embedder | None) -> str:
    """What a reader must know of an embedder's vectors, "" where they are whole."""
    return embedder.note if isinstance(embedder, Shortened) else ""


class Shortened:
    """The first ``dim`` components of each vector, normalised again: smaller and quicker to search, and less exact.

    Some models are trained to be cut so; of others the loss is measured in docs/models.md. ``note`` says so.
    """

    def __init__(self, inner: Embedder, dim: int, shortest: int = 0) -> None:
        """``shortest``: the fewest components that the model was trained to be cut to, 0 where it was not.

        Raises EmbeddingError where ``dim`` is not fewer than all components.
        """
        if not 0 < dim < inner.dim:
            raise EmbeddingError(
                f"model.dimensions is {dim}, and this model's vectors have {inner.dim} components: set 1 to "
                f"{inner.dim - 1}, or remove the setting to keep all."
            )
        self._inner = inner
        self._dim = dim
        self._trained = 0 < shortest <= dim

    @property
    def inner(self) -> Embedder:
        """The embedder of whole vectors."""
        return self._inner

    def over(self, inner: Embedder) -> Shortened:
        """The same of another embedder of the same model."""
        return Shortened(inner, self._dim, self._dim if self._trained else 0)

    @property
    def note(self) -> str:
        """What a reader must know of these vectors."""
        loss = "it was trained to be cut so" if self._trained else "at a loss, for it was not trained to be cut so"
        return f"{self._dim} of {self._inner.dim} components are kept (model.dimensions), {loss}: see docs/models.md"

    @property
    def fingerprint(self) -> str:
        """The whole model's, and how much is kept."""
        return f"{self._inner.fingerprint}/first {self._dim}"

    @property
    def dim(self) -> int:
        """Components that are kept."""
        return self._dim

    @property
    def min_similarity(self) -> float:
        """The whole model's."""
        return self._inner.min_similarity

    @property
    def parallel(self) -> int:
        """The whole model's."""
        return self._inner.parallel

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:
        """What is known of them, cut."""
        return {place: self._cut(vector) for place, vector in self._inner.remembered(texts).items()}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        return self._cut(self._inner.embed_documents(texts, timeout_s))

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        return self._cut(self._inner.embed_query(text, timeout_s))

    def close(self) -> None:
        """Close the embedder of whole vectors."""
        self._inner.close()

    def _cut(self, vectors: Vectors) -> Vectors:
        import numpy as np

        first = vectors[..., : self._dim]
        norms = np.linalg.norm(first, axis=-1, keepdims=True)
        cut: Vectors = first / np.maximum(norms, np.finfo(np.float32).tiny)
        return cut
