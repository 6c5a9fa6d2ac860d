"""Vectors laid out in two dimensions, neighbours beside neighbours: t-SNE, by pure functions of numpy.

Rows are reduced to their principal components, joined with their nearest neighbours (mcp_server/map/neighbours.py), and
moved: joined ones pull, all push (mcp_server/map/repulsion.py). Everything starts from the components and a fixed seed,
so the same vectors give the same map on the same machine. How much of the neighbourhoods is kept, beside other
programs, is measured by benchmarks/map.py and told in docs/map.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mcp_server.map.neighbours import Report, nearest
from mcp_server.map.repulsion import repulsion

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20
COMPONENTS = 50
NEIGHBOURS = 15
# The first steps let whole groups find their place: pushes are a twelfth, so that groups pass through each other.
EARLY_STEPS, STEPS, EARLY_PUSH = 250, 750, 1 / 12
MOMENTUM, LONGEST_STEP = 0.8, 5.0
START = 1e-4  # how far apart points begin: far less than the distance over which they push


@dataclass(frozen=True, slots=True)
class Graph:
    """Who pulls whom: edges in order of their heads, each joined pair twice, of which every point has one at least."""

    heads: NDArray[np.int32]  # shape (edges,)
    tails: NDArray[np.int32]  # shape (edges,)
    weights: NDArray[np.float32]  # shape (edges,); those of a head sum to about 1
    firsts: NDArray[np.int64]  # shape (points,), each head's first edge


def lay_out(vectors: NDArray[np.float32], report: Report) -> NDArray[np.float32]:
    """Places in the plane for rows of shape (rows, dim): shape (rows, 2), around 0, in units of their own.

    ``report`` is told of work done and all of it, in steps of its own; the same for the same number of rows.
    """
    rows = len(vectors)
    components = principal(vectors, COMPONENTS)
    if rows <= NEIGHBOURS + 1:  # each is everybody's neighbour, so nothing keeps any two apart
        return _two(components)
    total = rows + rows * STEPS // 250  # finding neighbours of 60,000 takes as long as 250 of the steps

    def searching(done: int, _: int) -> None:
        report(done, total)

    graph = joined(nearest(components, NEIGHBOURS, searching))
    return moved(_two(components), graph, lambda step: report(rows + rows * step // 250, total))


def principal(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Rows by their first ``count`` principal components, or as many as there are; shape (rows, at most count).

    By a random projection and two rounds of powers (Halko, Martinsson and Tropp 2011): 3,584 columns take 2 s at 60,000
    rows, where their covariance alone would take 20.
    """
    centred = vectors - vectors.mean(axis=0)
    count = min(count, *centred.shape)
    directions = np.random.default_rng(SEED).standard_normal((centred.shape[1], min(count + 10, centred.shape[1])))
    basis = directions.astype(np.float32)
    for _ in range(3):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, _, turned = np.linalg.svd(centred @ basis, full_matrices=False)
    axes = (basis @ turned.T)[:, :count]
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0))
    found: NDArray[np.float32] = centred @ (axes * signs)
    return found


def joined(neighbours: NDArray[np.int32]) -> Graph:
    """The graph in which rows pull their ``neighbours``, shape (rows, count), and those whose neighbours they are."""
    rows, count = neighbours.shape
    heads = np.repeat(np.arange(rows, dtype=np.int64), count)
    tails = neighbours.ravel().astype(np.int64)
    pairs, times = np.unique(np.concatenate([heads * rows + tails, tails * rows + heads]), return_counts=True)
    heads, tails = np.divmod(pairs, rows)
    weights = (times / (2 * count)).astype(np.float32)
    firsts = np.searchsorted(heads, np.arange(rows))
    return Graph(heads.astype(np.int32), tails.astype(np.int32), weights, firsts)


def moved(start: NDArray[np.float32], graph: Graph, report_step: Callable[[int], None]) -> NDArray[np.float32]:
    """Where the points of ``start``, shape (points, 2), come to rest."""
    places = np.ascontiguousarray(start.T)
    velocity, gains = np.zeros_like(places), np.ones_like(places)
    for step in range(STEPS):
        push, total = repulsion(places)
        share = (EARLY_PUSH if step < EARLY_STEPS else 1) * places.shape[1] / total
        force = share * push - _pull(places, graph)
        gains = np.where(force * velocity > 0, gains + 0.2, gains * 0.8).clip(min=0.01)
        velocity = MOMENTUM * velocity + gains * force
        velocity *= np.minimum(1, LONGEST_STEP / np.maximum(np.hypot(*velocity), 1e-9))
        places += velocity
        places -= places.mean(axis=1, keepdims=True)
        report_step(step + 1)
    return np.ascontiguousarray(places.T)


def beside(known: NDArray[np.float32], places: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Places for ``others`` among ``known`` rows of the same space that have ``places``: amid their three nearest.

    Shape (len(others), 2). For chunks whose vectors are not made yet, by their sketches.
    """
    found = np.empty((len(others), 2), np.float32)
    for start in range(0, len(others), 1024):
        products = others[start : start + 1024] @ known.T
        best = np.argsort(-products, axis=1, kind="stable")[:, :3]
        found[start : start + 1024] = np.median(places[best], axis=1)
    spread = np.random.default_rng(SEED).standard_normal(found.shape) * (places.std() / 200 if len(places) else 1)
    return (found + spread).astype(np.float32)


def _pull(places: NDArray[np.float32], graph: Graph) -> NDArray[np.float32]:
    away = np.take(places, graph.heads, axis=1) - np.take(places, graph.tails, axis=1)
    strength = graph.weights / (1 + away[0] ** 2 + away[1] ** 2)
    pull: NDArray[np.float32] = np.add.reduceat(away * strength, graph.firsts, axis=1)
    return pull


def _two(components: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first two components, tiny, and moved apart a little where they are equal."""
    start = np.zeros((len(components), 2), np.float32)
    start[:, : components.shape[1]] = components[:, :2]
    spread = np.random.default_rng(SEED).standard_normal(start.shape).astype(np.float32)
    scale = float(start[:, 0].std()) or 1.0
    return ((start / scale + spread / 100) * START).astype(np.float32)
