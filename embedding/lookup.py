"""Texts into vectors by a table of token vectors: no model, no process, a fraction of a millisecond a text.

The vector of a text is the sum of its tokens' vectors, the frequent ones weighed down (smooth inverse frequency, Arora
et al., 2017), at norm 1. The file is embedding/tables/table_file.py's, the tokens are embedding/tables/words.py's.

Tokens that the table lacks count in queries alone, by way of the model's file where that is there
(embedding/tables/rare.py). Vectors of documents are stored, so they depend on the table alone: not
on a file that may come and go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedding.tables.rare import RareTokens
from embedding.tables.table_file import VERSION, Bridge, map_table
from embedding.tables.words import token_hash, token_hashes, tokens_of, words_of

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]

# What a word counts that only the model knows: it may be the project's own name, which means nothing. With tables of
# 2,453, 4,907, 9,814 and 31,999 tokens nDCG of the questions that have such words is .384 .365 .320 .364 at 0,
# .410 .368 .320 .369 at .5, .411 .363 .328 .344 at 1 (docs/table.md).
RARE_WEIGHT = np.float32(0.5)
_BLOCK = 1024  # distinct tokens summed at once: 1 MB of float32 at 256 components, however long the text


@dataclass(frozen=True, slots=True)
class Sketches:
    """Vectors of n texts.

    ``vectors`` has shape (n, dim): rows of norm 1, and of zeros where no token of the text is known (or their sum is
    nought). ``tokens``, ``known`` and ``mapped``, shape (n,), say how many tokens each text has, how many of them the
    table has, and how many more were read out of the model's file; the others have no part in the vector.
    """

    vectors: Floats
    tokens: Counts
    known: Counts
    mapped: Counts

    @property
    def coverage(self) -> float:
        """The share of tokens that have a part in the vectors, 0 to 1; 1 where there are no tokens at all."""
        total = int(self.tokens.sum())
        return int(self.known.sum() + self.mapped.sum()) / total if total else 1.0


class LookupTable:
    """A mapped table of token vectors. Immutable, thread-safe; the file is let go with the object."""

    def __init__(self, path: Path, model_file: Path | None = None) -> None:
        """``model_file`` is the GGUF file that the table was made of, where it is on this machine.

        Raises LookupTableError where there is no whole table at ``path``.
        """
        table = map_table(path)
        self._path = path
        self._hashes = table.hashes
        self._codes = table.codes
        # Both factors of a row in one: its weight among the others, and what its codes are to be multiplied with.
        self._weights = (table.sif / (table.sif + table.frequencies) * table.scales).astype(np.float32)
        self._power = np.float32(table.power)
        bridge = Bridge(table.model, table.bridge.astype(np.float32))
        self._rare = RareTokens(model_file, bridge) if model_file and len(table.bridge) else None
        self._fingerprint = f"lookup-{VERSION}-{table.checksum:016x}"

    @property
    def path(self) -> Path:
        """Where the file lies; another process that opens it gives documents the same vectors."""
        return self._path

    @property
    def fingerprint(self) -> str:
        """Names everything that changes a document's vector: the table's content, and the version of the split."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return int(self._codes.shape[1])

    def __len__(self) -> int:
        """Tokens in the table."""
        return len(self._hashes)

    def sketch(self, texts: Sequence[str]) -> Sketches:
        """The vectors of ``texts`` as documents, and how much of them the table knows: the same on every machine."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        tokens = np.zeros(len(texts), np.int64)
        known = np.zeros(len(texts), np.int64)
        for row, text in enumerate(texts):
            hashes = _hashes_of(text)
            places, counts = self._find(hashes)
            vectors[row] = _unit(self._sum(places, counts))
            tokens[row], known[row] = len(hashes), counts.sum()
        return Sketches(vectors, tokens, known, np.zeros_like(known))

    def sketch_query(self, text: str) -> Sketches:
        """The vector of one question, shape (1, dim): its rare words too, where the model's file is there."""
        tokens = [token for word in words_of(text) for token in tokens_of(word)]
        places, counts = self._find(np.fromiter(map(token_hash, tokens), np.uint64, len(tokens)))
        known = int(counts.sum())
        rare, mapped = self._rare_sum(tokens) if known < len(tokens) else (np.float32(0), 0)
        vector = _unit(self._sum(places, counts) + rare)
        return Sketches(vector[None], *(np.array([count]) for count in (len(tokens), known, mapped)))

    def _rare_sum(self, tokens: Sequence[str]) -> tuple[Floats, int]:
        """The share of the tokens that the table lacks and the model's file gives, and how many they are.

        What is not in the table is rare: its frequency counts as 0, so its weight is RARE_WEIGHT.
        """
        total, mapped = np.zeros(self.dim, np.float32), 0
        lacking = Counter(token for token in tokens if not len(self._find(_hashes_of(token))[0]))
        for token, count in lacking.items():
            vector = self._rare.vector(token) if self._rare else None
            if vector is not None:
                total += RARE_WEIGHT * np.float32(count) ** self._power * vector
                mapped += count
        return total, mapped

    def _find(self, hashes: NDArray[np.uint64]) -> tuple[Counts, Counts]:
        """The rows of the distinct tokens that are known, and how often each stands in the text."""
        distinct, counts = np.unique(hashes, return_counts=True)
        places = np.searchsorted(self._hashes, distinct)
        found = self._hashes[np.minimum(places, len(self) - 1)] == distinct
        return places[found], counts[found]

    def _sum(self, places: Counts, counts: Counts) -> Floats:
        total = np.zeros(self.dim, np.float32)
        for start in range(0, len(places), _BLOCK):
            rows = places[start : start + _BLOCK]
            shares = self._weights[rows] * counts[start : start + _BLOCK].astype(np.float32) ** self._power
            total += shares @ self._codes[rows].astype(np.float32)
        return total


def _hashes_of(text: str) -> NDArray[np.uint64]:
    hashes: Iterable[int] = chain.from_iterable(map(token_hashes, words_of(text)))
    return np.fromiter(hashes, np.uint64)


def _unit(vector: Floats) -> Floats:
    """At norm 1; zeros stay zeros."""
    norm = np.linalg.norm(vector)
    return vector / norm if norm > 0 else vector
