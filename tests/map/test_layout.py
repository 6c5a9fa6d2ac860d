"""Vectors laid out in the plane: neighbours stay neighbours, nothing breaks on odd input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mcp_server.map import neighbours, repulsion
from mcp_server.map.layout import beside, joined, lay_out, principal
from mcp_server.map.neighbours import nearest
from tests.map.samples import clustered

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unheard(_done: int, _total: int) -> None:
    """Nobody looks."""


def exact_nearest(points: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1)[:, :count]


def test_neighbours_are_the_exact_ones_also_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", 64)
    monkeypatch.setattr(neighbours, "COLUMNS", 50)
    points = np.random.default_rng(5).standard_normal((333, 7)).astype(np.float32)
    told: list[tuple[int, int]] = []
    found = nearest(points, 12, lambda done, total: told.append((done, total)))
    assert (found == exact_nearest(points, 12)).all()
    assert told[-1] == (333, 333)


def test_no_row_is_its_own_neighbour_among_equal_ones() -> None:
    found = nearest(np.ones((40, 3), np.float32), 5, unheard)
    assert not (found == np.arange(40)[:, None]).any()
    assert all(len(set(row)) == 5 for row in found.tolist())


@pytest.mark.parametrize("spread", [0.01, 3, 10])
def test_the_push_read_from_the_grid_is_the_push_of_all_on_all(spread: float) -> None:
    places = (np.random.default_rng(2).standard_normal((2, 400)) * spread).astype(np.float32)
    away = places[:, :, None] - places[:, None]
    closeness = 1 / (1 + (away**2).sum(axis=0))
    wanted = (closeness**2 * away).sum(axis=2)
    push, total = repulsion.repulsion(places)
    assert np.linalg.norm(push - wanted) < 0.08 * np.linalg.norm(wanted)
    assert total == pytest.approx(closeness.sum() - 400, rel=0.02)


def test_components_span_what_the_exact_ones_span() -> None:
    draw = np.random.default_rng(4)
    rows = (draw.standard_normal((300, 8)) * (9, 7, 5, 3, 0.1, 0.1, 0.1, 0.1)) @ draw.standard_normal((8, 40))
    rows = rows.astype(np.float32)
    exact = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    found = principal(rows, 4)
    assert np.linalg.norm(found, axis=0) == pytest.approx(exact.S[:4], rel=0.02)


def test_each_point_is_pulled_by_its_neighbours_and_by_those_it_is_one_of() -> None:
    graph = joined(np.array([[1], [0], [0]], np.int32))
    edges = list(zip(graph.heads.tolist(), graph.tails.tolist(), graph.weights.tolist(), strict=True))
    assert edges == [(0, 1, 1.0), (0, 2, 0.5), (1, 0, 1.0), (2, 0, 0.5)]
    assert graph.firsts.tolist() == [0, 2, 3]


def test_groups_of_vectors_are_groups_on_the_map() -> None:
    vectors, group = clustered(6, 60)
    places = lay_out(vectors, unheard)
    near = exact_nearest(places, 10)
    assert (group[near] == group[:, None]).mean() > 0.97


def test_a_map_keeps_more_neighbours_than_two_components_do() -> None:
    vectors, _ = clustered(12, 40)
    true = exact_nearest(vectors, 10)

    def kept(places: NDArray[np.float32]) -> float:
        drawn = exact_nearest(places, 10)
        return float(np.mean([len(set(a) & set(b)) for a, b in zip(true.tolist(), drawn.tolist(), strict=True)]))

    assert kept(lay_out(vectors, unheard)) > 1.5 * kept(principal(vectors, 2))


def test_the_same_vectors_give_the_same_map() -> None:
    vectors, _ = clustered(4, 25)
    assert (lay_out(vectors, unheard) == lay_out(vectors.copy(), unheard)).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 17])
def test_a_few_vectors_have_a_map(rows: int) -> None:
    places = lay_out(clustered(rows, 1)[0], unheard)
    assert places.shape == (rows, 2)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == rows


@pytest.mark.parametrize("each", [2, 5, 8])
def test_of_a_few_vectors_those_alike_stand_together(each: int) -> None:
    vectors, group = clustered(2, each)
    places = lay_out(vectors, unheard)
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert (group[apart.argmin(axis=1)] == group).all()


@pytest.mark.parametrize("row", [np.zeros(8, np.float32), np.full(8, 8**-0.5, np.float32)], ids=["zeros", "equal"])
def test_equal_vectors_have_places_that_can_be_told_apart(row: NDArray[np.float32]) -> None:
    places = lay_out(np.tile(row, (30, 1)), unheard)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == 30


def test_progress_is_told_in_order_and_to_its_end() -> None:
    told: list[tuple[int, int]] = []
    lay_out(clustered(4, 25)[0], lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (400, 400)


def test_a_chunk_without_a_vector_stands_among_those_like_it() -> None:
    sketches, group = clustered(3, 30)
    places = np.stack([group * 100.0, np.zeros(90)], axis=1).astype(np.float32)
    laid = beside(sketches[::2], places[::2], sketches[1::2])
    assert np.abs(laid[:, 0] - places[1::2, 0]).max() < 10
