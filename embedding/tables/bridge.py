"""The bridge from a model's token rows to a lookup table's vectors, fitted on the tokens that are in both.

Ridge regression in closed form: one linear map, and what is added to all. It is fitted on tokens of one piece and of
several alike, for what will go over it are words of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embedding.errors import LookupTableError
from embedding.tables.distil import unit_rows
from embedding.tables.table_file import Bridge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedding.tables.rare import ModelRows

    Floats = NDArray[np.float32]

RIDGES = (1e-3, 1e-2, 1e-1, 1.0)  # of the rows' mean square, so that no model's scale matters
LEAST_TOKENS = 20
HELD_OUT = 0.1  # the share of tokens that no fit sees, at most so many
MOST_HELD_OUT = 2000
_BLOCK = 1024  # rows multiplied at once: of 3,584 components 15 MB


@dataclass(frozen=True, slots=True)
class FittedBridge:
    """A bridge, and the mean of 1 - cosine, 0 to 2, of what it gives for tokens that the fit has not seen."""

    bridge: Bridge
    held_out_error: float


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Rows of a model with a one behind them, shape (n, width + 1), and the vectors they are to become."""

    rows: Floats
    vectors: Floats


def fit_bridge(rows: ModelRows, tokens: Sequence[str], vectors: Floats, seed: int = 0) -> FittedBridge:
    """The bridge from ``rows`` to ``vectors``, shape (len(tokens), dim); its ridge is chosen by tokens held out.

    Raises LookupTableError where fewer than LEAST_TOKENS can be cut into the model's pieces, ModelInvalidError where
    its file has been cut or damaged.
    """
    usable = [place for place, token in enumerate(tokens) if rows.cuts(token)]
    if len(usable) < LEAST_TOKENS:
        raise LookupTableError(
            f"No bridge was fitted: the model has rows for {len(usable)} of the table's tokens, and {LEAST_TOKENS} are "
            "the least; take more tokens, or another model."
        )
    order = np.random.default_rng(seed).permutation(np.array(usable))
    aside = min(MOST_HELD_OUT, max(1, round(len(order) * HELD_OUT)))
    unseen = _pairs(rows, tokens, vectors, order[:aside])
    square, pull = np.zeros((rows.dim + 1, rows.dim + 1)), np.zeros((rows.dim + 1, vectors.shape[1]))
    for start in range(aside, len(order), _BLOCK):
        seen = _pairs(rows, tokens, vectors, order[start : start + _BLOCK])
        square += seen.rows.T @ seen.rows
        pull += seen.rows.T @ seen.vectors
    fits = [_solve(square, pull, ridge) for ridge in RIDGES]
    error, matrix = min(((_error(unseen, matrix), matrix) for matrix in fits), key=lambda fit: fit[0])
    return FittedBridge(Bridge(rows.mark(), matrix), error)


def _pairs(rows: ModelRows, tokens: Sequence[str], vectors: Floats, places: NDArray[np.int64]) -> _Pairs:
    found = np.ones((len(places), rows.dim + 1), np.float32)
    for target, place in zip(found, places, strict=True):
        target[:-1] = rows.row(tokens[place])
    return _Pairs(found, vectors[places])


def _solve(square: NDArray[np.float64], pull: NDArray[np.float64], ridge: float) -> Floats:
    """The last row, which is added to all, has no ridge but what keeps the equations solvable."""
    force = np.full(len(square), ridge * np.diag(square)[:-1].mean())
    force[-1] = 1e-6 * square[-1, -1]
    return np.asarray(np.linalg.solve(square + np.diag(force), pull), np.float32)


def _error(pairs: _Pairs, matrix: Floats) -> float:
    return float(1 - (unit_rows(pairs.rows @ matrix) * unit_rows(pairs.vectors)).sum(axis=1).mean())
