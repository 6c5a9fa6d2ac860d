"""How all points of a map push each other away, in a time that grows with the points and not with their pairs.

The push between two points depends on their distance alone, so the push of all on all is a convolution: the points'
mass is laid on a grid, convolved there by the fast Fourier transform, and read back where the points are. That is the
method of Linderman and others (Fast interpolation-based t-SNE, Nature Methods 2019), with cubic weights on one grid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Between grid lines, at most: the push changes over a distance of 1. Forces are within 8 % of exact ones.
STEP = 0.5
LEAST_LINES = 48  # a side, however close together all points are
MARGIN = 2  # grid lines beside the outermost points, for the cubic weights


def repulsion(places: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The push of all others on each of ``places``, shape (2, points), and the sum of all pairs' closeness.

    Closeness is 1 / (1 + distance²); the push is its square times the way between the two.
    """
    corner = places.min(axis=1, keepdims=True)
    step = max(min(STEP, float((places - corner).max()) / LEAST_LINES), 1e-7)
    nodes, weights, size = _on_grid((places - corner) / np.float32(step) + MARGIN)
    mass = np.bincount(nodes.ravel(), weights.ravel(), size * size).reshape(size, size).astype(np.float32)
    closeness, along_x, along_y = _kernels(size, step)
    spectrum = np.fft.rfft2(mass, (2 * size, 2 * size))
    push = np.empty_like(places)
    for axis, kernel in enumerate((along_x, along_y)):
        field = np.fft.irfft2(spectrum * kernel, (2 * size, 2 * size))[:size, :size]
        push[axis] = (np.take(field, nodes) * weights).sum(axis=0)
    field = np.fft.irfft2(spectrum * closeness, (2 * size, 2 * size))[:size, :size]
    total = float(np.vdot(mass, field)) - places.shape[1]  # each is at no distance of itself
    return push, max(total, 1e-6)


def _on_grid(scaled: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32], int]:
    """Each point's 16 nodes on a square grid and their weights, shape (16, points), and the grid's lines a side."""
    cell = np.floor(scaled).astype(np.int64)
    size = _good_size(int(cell.max()) + MARGIN + 1)
    along_x, along_y = (_cubic(part) for part in scaled - cell)
    offsets = np.arange(-1, 3)
    column, row = cell[0] + offsets[:, None], cell[1] + offsets[:, None]
    nodes = (row[:, None] * size + column[None]).reshape(16, -1)
    weights = (along_y[:, None] * along_x[None]).reshape(16, -1)
    return nodes, weights, size


def _cubic(at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lagrange's weights of the four nodes -1, 0, 1, 2 for points ``at`` between 0 and 1, shape (4, points)."""
    below, above, beyond = at + 1, at - 1, at - 2
    return np.stack(
        [
            -at * above * beyond / 6,
            below * above * beyond / 2,
            -below * at * beyond / 2,
            below * at * above / 6,
        ]
    ).astype(np.float32)


def _good_size(least: int) -> int:
    """The next grid of 5 x 2^n, 3 x 2^n or 2^n lines, a fifth finer than that above 64: quick to transform, and few."""
    size = 16
    while size < least:
        size += max(16, 1 << (size.bit_length() - 3))
    return size


@lru_cache(maxsize=2)
def _kernels(size: int, step: float) -> tuple[NDArray[np.complexfloating], ...]:
    """Spectra of closeness and of the push along either axis, on a grid twice as wide, so that nothing wraps around."""
    steps = np.arange(2 * size, dtype=np.float32)
    away = np.float32(step) * np.where(steps < size, steps, steps - 2 * size)
    closeness = 1 / (1 + away[:, None] ** 2 + away[None] ** 2)
    pushes = closeness**2 * away[None], closeness**2 * away[:, None]
    return tuple(np.fft.rfft2(kernel.astype(np.float32)) for kernel in (closeness, *pushes))
