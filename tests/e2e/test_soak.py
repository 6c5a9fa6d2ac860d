"""A short one of the soaks that the benchmarks do for half an hour: what is promised, not how fast."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.shapes import Shape, write_model
from benchmarks.slopes import slope
from benchmarks.soak import FUNCTIONS, Soak
from benchmarks.soak_kills import Killing, Record, kinds
from benchmarks.soaking import Editor, Place
from tests.e2e.node_clients import Node, installed

FILES = 12
SCALE = 0.01  # ten model children, a service and a server
SECONDS = 6.0
SLOW = Shape("slow", 24, 256, 1024, 8, 2, 300, 600, 2048, mix=False)  # 1 s a chunk, as the 7B's shape takes; 46 MB


@pytest.fixture(scope="module")
def node() -> Node:
    return installed()


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slow") / "slow.gguf"
    write_model(SLOW, path)
    return path


@pytest.fixture
def place(models: Path) -> Iterator[Place]:
    """A scratch directory with a short name: sockets have no room for pytest's."""
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as scratch:
        yield Place(Path(scratch), Path(scratch) / "root", settings={"CODELOUPE_MODEL_LINGER_S": "0.5"})


def test_no_request_of_an_editor_is_lost_and_nobody_is_left_while_everything_changes(node: Node, place: Place) -> None:
    soak = Soak(node, place, Editor(place.root, FILES, FUNCTIONS, seed=1))
    said = list(soak.run(SECONDS))
    assert soak.faults == [], said


def test_a_model_that_takes_seconds_a_chunk_keeps_no_editor_waiting_for_a_word(
    node: Node, place: Place, slow_model: Path
) -> None:
    place = replace(place, model=str(slow_model))
    soak = Soak(node, place, Editor(place.root, FILES, FUNCTIONS, seed=1))
    said = list(soak.run(SECONDS))
    assert soak.faults == [], said
    assert soak.share < 1, said  # it was at work until the end


def test_killed_at_random_moments_nothing_is_lost_left_or_different_in_the_end(node: Node, place: Place) -> None:
    record = Record.at(place.scratch / "kills.json")
    killing = Killing(node, place, Editor(place.root, FILES, FUNCTIONS, seed=2), record, seed=2, pace=0.4)
    said = list(killing.run(SCALE))
    assert killing.faults == [], said
    assert all(record.row(kind).kills for kind in kinds())
    assert Record.at(record.path).rows == record.rows


def test_a_slope_is_found_under_noise_and_outliers_do_not_move_it() -> None:
    seconds = [float(second) for second in range(1800)]
    values = [100 + 12 * second / 3600 + (second % 7) * 0.3 + (500 if second % 50 == 3 else 0) for second in seconds]
    found = slope(seconds, values)
    assert found is not None
    assert found.per_hour == pytest.approx(12, rel=0.05)
    assert found.low <= 12 <= found.high
    assert found.grows(1.0)
    assert not found.grows(20.0)


def test_what_goes_up_and_down_does_not_grow() -> None:
    seconds = [float(second) for second in range(1800)]
    found = slope(seconds, [100 + 30 * (second // 90 % 2) for second in seconds])
    assert found is not None
    assert not found.grows(1.0)


def test_of_a_few_figures_no_slope_is_told() -> None:
    assert slope([0.0, 1.0], [1.0, 2.0]) is None
