"""An embedder for tests: vectors made from texts by hashing, and a note of what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embedding.errors import ModelFailedError
from tests.storage.samples import DIM, vector_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Noting:
    """One call at a time; ``meanwhile`` is called during each, with the texts of it."""

    fingerprint, dim, min_similarity, parallel = "noting", DIM, 0.0, 1

    def __init__(self, meanwhile: Callable[[Sequence[str]], None] = lambda _: None) -> None:
        self.asked: list[str] = []
        self.known: set[str] = set()  # texts that need no asking
        self.fails_at = ""
        self._meanwhile = meanwhile

    def remembered(self, texts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
        return {place: vector_of(text) for place, text in enumerate(texts) if text in self.known}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> NDArray[np.float32]:
        if self.fails_at in texts:
            raise ModelFailedError("The model failed twice.")
        self._meanwhile(texts)
        self.asked += texts
        return np.stack([vector_of(text) for text in texts])

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        return vector_of(text)

    def close(self) -> None:
        pass
