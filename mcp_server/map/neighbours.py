"""The nearest rows of each row, exactly: products of blocks, of which only what beats the best so far is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A block of products: 32 MB, of which a fraction of a per cent is kept; sorting all would take longer than making it.
ROWS, COLUMNS = 1024, 8192

Report = Callable[[int, int], None]


def nearest(points: NDArray[np.float32], count: int, report: Report) -> NDArray[np.int32]:
    """The ``count`` nearest others of each of ``points``, shape (rows, parts), by distance: shape (rows, count).

    Nearest first; ``count`` is less than the number of rows. ``report`` is told how many rows are done, of how many.
    """
    # A point's product with another, less half the other's square, orders the others as their distances do.
    left = np.hstack([points, np.ones((len(points), 1), np.float32)])
    right = np.hstack([points, -0.5 * np.vecdot(points, points)[:, None]])
    found = np.empty((len(points), count), np.int32)
    for start in range(0, len(points), ROWS):
        block = slice(start, min(start + ROWS, len(points)))
        found[block] = _nearest_of(left[block], right, count, start)
        report(block.stop, len(points))
    return found


def _nearest_of(block: NDArray[np.float32], points: NDArray[np.float32], count: int, first: int) -> NDArray[np.int32]:
    """For rows that are ``points[first:]``: the columns with their highest products, their own left out."""
    rows = np.arange(len(block))
    best = np.full((len(block), count), -np.inf, np.float32)
    who = np.zeros((len(block), count), np.int32)
    for start in range(0, len(points), COLUMNS):
        products = block @ points[start : start + COLUMNS].T
        own = rows + first - start
        here = (own >= 0) & (own < products.shape[1])
        products[rows[here], own[here]] = -np.inf
        if start == 0 and products.shape[1] > count:
            who = np.argpartition(-products, count, axis=1)[:, :count].astype(np.int32)
            best = np.take_along_axis(products, who, axis=1)
        else:
            best, who = _merged(best, who, products, start)
    return np.take_along_axis(who, np.argsort(-best, axis=1, kind="stable"), axis=1)


def _merged(
    best: NDArray[np.float32], who: NDArray[np.int32], products: NDArray[np.float32], start: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The best of a row's best so far and of its new products, whose columns begin at ``start``."""
    rows, count = best.shape
    better = np.flatnonzero(products > best.min(axis=1)[:, None])
    row, column = np.divmod(better, products.shape[1])
    owner = np.concatenate([np.repeat(np.arange(rows), count), row])
    value = np.concatenate([best.ravel(), products.ravel()[better]])
    place = np.concatenate([who.ravel(), (column + start).astype(np.int32)])
    order = np.lexsort((-value, owner))
    firsts = np.searchsorted(owner[order], np.arange(rows))
    kept = order[firsts[:, None] + np.arange(count)]
    return value[kept], place[kept]
