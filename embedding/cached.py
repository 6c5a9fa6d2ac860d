"""CachedEmbedder: an Embedder behind the cache of a user's vectors; what others make just now is waited for."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embedding.cache import VectorCache, document_key
from embedding.embedder import Embedder
from embedding.errors import EmbeddingTimeoutError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CLAIM_LOOK_S = 0.05  # how often it is looked whether what others have claimed is made


class CachedEmbedder:
    """An Embedder that asks the cache before its model, for documents; queries are seldom asked twice."""

    def __init__(self, inner: Embedder, cache: VectorCache) -> None:
        self._inner = inner
        self._cache = cache

    @property
    def inner(self) -> Embedder:
        """The model behind the cache."""
        return self._inner

    def over(self, inner: Embedder) -> CachedEmbedder:
        """The same cache before another embedder of the same model."""
        return CachedEmbedder(inner, self._cache)

    @property
    def fingerprint(self) -> str:
        """The model's."""
        return self._inner.fingerprint

    @property
    def dim(self) -> int:
        """The model's."""
        return self._inner.dim

    @property
    def min_similarity(self) -> float:
        """The model's."""
        return self._inner.min_similarity

    @property
    def parallel(self) -> int:
        """The model's."""
        return self._inner.parallel

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:
        """What the cache knows: 100,000 texts are looked up in 2 s, all of them unknown in less."""
        keys = [document_key(self.fingerprint, text) for text in texts]
        known = self._cache.find(keys, self.dim)
        return {place: known[key] for place, key in enumerate(keys) if key in known}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder. Equal texts are embedded once; cached vectors are exact to float16 (cosine > .99999).

        Also where several processes, or threads, want them at once: the first makes them, the others wait.
        """
        import numpy as np

        deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
        keys = [document_key(self.fingerprint, text) for text in texts]
        known = self._cache.find(keys, self.dim)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        while missing:
            made = self._made(missing, deadline) or self._awaited(missing, deadline)
            known.update(made)
            missing = {key: text for key, text in missing.items() if key not in made}
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, self.dim), np.float32)

    def _made(self, missing: Mapping[bytes, str], deadline: float) -> dict[bytes, Vectors]:
        """The vectors of those texts that nobody else is making."""
        mine = self._cache.claim(list(missing))
        # Somebody may have kept one between the look and the claim.
        found = self._cache.find(list(mine), self.dim) if mine else {}
        texts = {key: text for key, text in missing.items() if key in mine and key not in found}
        try:
            if texts:
                made = self._inner.embed_documents(list(texts.values()), _rest(deadline))
                self._cache.keep(list(texts), made)
                found.update(zip(texts, made, strict=True))
        finally:
            self._cache.release(mine)
        return found

    def _awaited(self, missing: Mapping[bytes, str], deadline: float) -> dict[bytes, Vectors]:
        """What others have made, after a moment."""
        if time.monotonic() >= deadline:
            raise EmbeddingTimeoutError(
                "The deadline passed while another process embedded the same text; ask again with a longer timeout."
            )
        time.sleep(CLAIM_LOOK_S)
        return self._cache.find(list(missing), self.dim)

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        return self._inner.embed_query(text, timeout_s)

    def close(self) -> None:
        """Close the model and the cache."""
        self._inner.close()
        self._cache.close()


def _rest(deadline: float) -> float | None:
    """Seconds until ``deadline``, None where there is none."""
    return None if deadline == math.inf else max(0.0, deadline - time.monotonic())
