"""Texts as weighted bags of tokens: what a lookup table is fitted from. Sparse matrices in plain numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from embedding.tables.words import tokens_of, words_of

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

# Texts whose tokens' vectors are looked at together: with 60 tokens each 4 MB at 256 components, which caches hold, or
# nearly. Adding rows up is three times as fast as a product with the block made dense.
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Distinct tokens, those of most texts first, and the share of each in all text, shape (tokens,), 0 to 1."""

    tokens: tuple[str, ...]
    frequencies: Floats


def mine_vocabulary(texts: Iterable[str], limit: int, least_texts: int = 2) -> Vocabulary:
    """The at most ``limit`` tokens that stand in most texts, of those that stand in ``least_texts`` or more."""
    counts: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    for text in texts:
        tokens = _tokens(text)
        counts.update(tokens)
        spread.update(set(tokens))
    shared = [token for token, number in spread.items() if number >= least_texts]
    kept = sorted(shared, key=lambda token: (-spread[token], token))[:limit]
    shares = np.array([counts[token] for token in kept]) / max(counts.total(), 1)
    return Vocabulary(tuple(kept), shares.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Bags:
    """A sparse matrix of n texts by ``width`` tokens.

    Text i holds the tokens ``places[starts[i]:starts[i + 1]]``, each once, with the ``weights`` beside them; a text
    that holds any has weights of norm 1.
    """

    starts: Places
    places: Places
    weights: Floats
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def filled(self) -> NDArray[np.bool_]:
        """Which texts hold a token at all, shape (n,)."""
        return np.diff(self.starts) > 0

    def take(self, rows: Places) -> Bags:
        """The texts ``rows``, in that order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        picked = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Bags(starts, self.places[picked], self.weights[picked], self.width)

    def times(self, vectors: Floats) -> Floats:
        """The sums of the texts' token vectors, shape (n, dim); ``vectors`` has shape (width, dim)."""
        sums = np.zeros((len(self), vectors.shape[1]), np.float32)
        for texts, inside, firsts in self._blocks():
            shares = vectors[self.places[inside]] * self.weights[inside, None]
            sums[texts] = np.add.reduceat(shares, firsts, axis=0)
        return sums

    def transposed_times(self, rows: Floats) -> Floats:
        """For each token the weighted sum of ``rows``, shape (n, dim), of the texts it stands in; (width, dim)."""
        sums = np.zeros((self.width, rows.shape[1]), np.float32)
        for texts, inside, firsts in self._blocks():
            order = np.argsort(self.places[inside], kind="stable")
            tokens, begins = np.unique(self.places[inside][order], return_index=True)
            holders = np.repeat(texts, np.diff(firsts, append=inside.stop - inside.start))[order]
            shares = rows[holders] * self.weights[inside][order, None]
            sums[tokens] += np.add.reduceat(shares, begins, axis=0)
        return sums

    def _blocks(self) -> Iterator[tuple[Places, slice, Places]]:
        """Runs of texts: those that hold a token, where all their tokens are, and where within these each begins."""
        for first in range(0, len(self), _BLOCK):
            starts = self.starts[first : first + _BLOCK + 1]
            filled = np.flatnonzero(np.diff(starts))
            if len(filled):
                yield first + filled, slice(int(starts[0]), int(starts[-1])), starts[filled] - starts[0]


def bags_of(texts: Iterable[str], vocabulary: Vocabulary, sif: float = 1e-3, power: float = 1.0) -> Bags:
    """The texts as a lookup table with this vocabulary, SIF constant and power adds them up; other tokens are left out.

    A token that stands n times in a text counts n ** ``power`` times.
    """
    known = {token: place for place, token in enumerate(vocabulary.tokens)}
    counts = [Counter(known[token] for token in _tokens(text) if token in known) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(count) for count in counts], dtype=np.int64)])
    places = np.fromiter(chain.from_iterable(counts), np.int64)
    times = np.fromiter(chain.from_iterable(count.values() for count in counts), np.float32)
    weights: Floats = times ** np.float32(power) * np.float32(sif) / (np.float32(sif) + vocabulary.frequencies[places])
    return Bags(starts, places, _at_norm_one(starts, weights), len(known))


_parts = lru_cache(maxsize=1 << 16)(tokens_of)  # words repeat


def _tokens(text: str) -> list[str]:
    return [token for word in words_of(text) for token in _parts(word)]


def _at_norm_one(starts: Places, weights: Floats) -> Floats:
    norms = [float(np.linalg.norm(weights[first:last])) for first, last in pairwise(starts)]
    divisors: Floats = np.repeat(np.array(norms, np.float32), np.diff(starts))
    return np.asarray(weights / divisors, np.float32)
