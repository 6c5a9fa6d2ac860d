"""Token vectors fitted to a teacher's vectors of whole texts.

Ridge regression: the token vectors E that bring A E nearest to the teacher's vectors Y, where the rows of A are the
texts' weighted bags of tokens (bags.py): E = P + (A'A + r I)^-1 A'(Y - A P), with P what is known of the
tokens beforehand. Decoders distil badly token by token; this needs no more of a teacher than its vectors of texts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedding.errors import LookupTableError
from embedding.tables.bags import Bags

_log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

LEAST_TEXTS = 20
HELD_OUT = 0.1  # the share of texts that a fit never sees
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0)  # a bag has norm 1, so one text pulls at its tokens with a force of 1 in all
# Conjugate gradients end at this part of their first residual, or after so many steps: stopping early is a ridge
# of its own, and the held-out error judges both. 6,000 texts with 9,800 tokens reach .01 at ridge .1; going on to 60
# steps, of .17 s each, moved the errors by .00005.
TOLERANCE = 1e-3
MAX_STEPS = 60


@dataclass(frozen=True, slots=True)
class Fit:
    """Token vectors, shape (tokens, dim), and how far from the teacher's the vectors of texts made of them are.

    Errors are means of 1 - cosine, 0 to 2, over the texts the fit has seen and over those it has not.
    """

    vectors: Floats
    ridge: float
    trained_error: float
    held_out_error: float


@dataclass(frozen=True, slots=True)
class Axes:
    """The directions in which vectors differ most, shape (wide, dim), and their mean, shape (wide,)."""

    mean: Floats
    directions: Floats

    def project(self, vectors: Floats) -> Floats:
        """The vectors less the mean, along the directions, shape (n, dim); not at norm 1."""
        return np.asarray((vectors - self.mean) @ self.directions, np.float32)


def reduce_teacher(vectors: Floats, dim: int) -> Floats:
    """The vectors less their mean, in their ``dim`` principal directions, at norm 1; shape (n, dim).

    Raises LookupTableError as ``principal_axes`` does.
    """
    return unit_rows(principal_axes(vectors, dim).project(vectors))


def principal_axes(vectors: Floats, dim: int) -> Axes:
    """The ``dim`` principal axes of ``vectors``, shape (n, wide), the largest first.

    Raises LookupTableError where there are fewer directions than ``dim``, or a number is none.
    """
    if not np.isfinite(vectors).all():
        raise LookupTableError("No table was fitted: a vector of the teacher holds a number that is none; embed again.")
    if not 0 < dim <= min(vectors.shape):
        raise LookupTableError(
            f"No table was fitted: {len(vectors)} vectors of {vectors.shape[1]} components have no {dim} directions; "
            "ask for fewer, or embed more texts."
        )
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = vectors - mean
    _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))  # the largest come last
    return Axes(mean, directions[:, : -dim - 1 : -1].astype(np.float32))


def fit_tokens(
    bags: Bags, targets: Floats, prior: Floats | None = None, ridges: Sequence[float] = RIDGES, seed: int = 0
) -> Fit:
    """The best of one fit for each of ``ridges``, judged by texts held out, which no fit has seen.

    ``targets`` has shape (len(bags), dim); ``prior``, shape (bags.width, dim), is what tokens are drawn towards that
    stand in few texts: without one, the zero vector. Texts that hold no token are left out.
    Raises LookupTableError where fewer than LEAST_TEXTS are left, or the shapes do not fit.
    """
    start = np.zeros((bags.width, targets.shape[1]), np.float32) if prior is None else prior
    if len(targets) != len(bags) or start.shape[0] != bags.width:
        raise LookupTableError(
            f"No table was fitted: {len(bags)} texts of {bags.width} tokens have {len(targets)} vectors, and "
            f"{start.shape[0]} tokens are known beforehand; give one of each for each."
        )
    seen, held_out = _split(bags.filled(), seed)
    training, testing = bags.take(seen), bags.take(held_out)
    pull = training.transposed_times(targets[seen] - training.times(start))
    best: Fit | None = None
    for ridge in ridges:
        vectors = start + _solve(training, pull, ridge)
        errors = [_error(training.times(vectors), targets[seen]), _error(testing.times(vectors), targets[held_out])]
        _log.info(
            "Ridge %g: error %.4f on %d texts, %.4f on %d held out",
            ridge,
            errors[0],
            len(seen),
            errors[1],
            len(held_out),
        )
        if best is None or errors[1] < best.held_out_error:
            best = Fit(vectors, ridge, errors[0], errors[1])
    if best is None:
        raise LookupTableError("No table was fitted: no ridge was given to try; give one.")
    return best


def _split(usable: NDArray[np.bool_], seed: int) -> tuple[Places, Places]:
    """The texts to fit to and those to hold out, drawn by chance."""
    texts = np.random.default_rng(seed).permutation(np.flatnonzero(usable))
    if len(texts) < LEAST_TEXTS:
        raise LookupTableError(
            f"No table was fitted: {len(texts)} texts hold a token of the vocabulary, and {LEAST_TEXTS} are the least; "
            "embed more of them."
        )
    aside = max(1, round(len(texts) * HELD_OUT))
    return texts[aside:], texts[:aside]


def _solve(bags: Bags, pull: Floats, ridge: float) -> Floats:
    """X with (A'A + ridge I) X = pull, by conjugate gradients, each column for itself."""
    solution = np.zeros_like(pull)
    residual, direction = pull.copy(), pull.copy()
    square = _squares(residual)
    limit = square * TOLERANCE**2
    for _ in range(MAX_STEPS):
        if (square <= limit).all():
            break
        image = bags.transposed_times(bags.times(direction)) + np.float32(ridge) * direction
        step = _ratio(square, (direction * image).sum(axis=0, dtype=np.float64))
        solution += step * direction
        residual -= step * image
        before, square = square, _squares(residual)
        direction = residual + _ratio(square, before) * direction
    return solution


def _squares(values: Floats) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.einsum("ij,ij->j", values, values, dtype=np.float64)
    return squares


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> Floats:
    """0 where a column is solved to the last digit, and there is nothing to divide by."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0).astype(np.float32)


def _error(vectors: Floats, targets: Floats) -> float:
    return float(1 - (unit_rows(vectors) * unit_rows(targets)).sum(axis=1).mean())


def unit_rows(vectors: Floats) -> Floats:
    """Each row at norm 1; rows of zeros stay."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), np.float32)
