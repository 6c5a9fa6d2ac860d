"""How an index stands against its directory: which state, which figures, and what is said beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcp_server.indexes.drift import Drift, Seen
from mcp_server.indexes.job_view import JobView
from mcp_server.indexes.standing import Standing
from storage.fingerprint import IndexState
from storage.store import StoreStats

NOTHING = StoreStats(0, 0, 0)
SAME = Drift(Seen(frozenset(), frozenset()), at=100.0, took_s=0.01)
MOVED = replace(SAME, seen=Seen(frozenset({"a.py", "new.py"}), frozenset({"new.py"})))
CURRENT = Standing(IndexState.CURRENT, StoreStats(4, 20, 10, 20), JobView(resting=True), SAME, False, True, "")


@pytest.mark.parametrize(
    ("standing", "state"),
    [
        (CURRENT, "current"),
        (replace(CURRENT, seen=MOVED), "stale"),
        (replace(CURRENT, seen=None), "stale"),
        (replace(CURRENT, state=IndexState.STALE_CHUNKER), "stale"),
        (replace(CURRENT, state=IndexState.CORRUPT, stats=NOTHING), "stale"),
        (replace(CURRENT, state=IndexState.MISSING, stats=NOTHING), "empty"),
        (replace(CURRENT, state=IndexState.MISSING, stats=NOTHING, view=JobView()), "indexing"),
        (replace(CURRENT, pending=True), "indexing"),
        (replace(CURRENT, seen=MOVED, view=JobView()), "indexing"),
    ],
)
def test_the_state_is_the_worst_that_is_known(standing: Standing, state: str) -> None:
    assert standing.freshness().state == state
    assert standing.level == (standing.seen is SAME and not standing.pending)


def test_the_figures_count_what_the_directory_has_and_the_index_can_serve() -> None:
    fresh = replace(CURRENT, seen=MOVED).freshness()
    assert (fresh.files, fresh.files_expected, fresh.changed_files) == (4, 5, 2)
    assert (fresh.chunks, fresh.vectors, fresh.sketches) == (20, 10, 20)
    assert replace(CURRENT, state=IndexState.STALE_MODEL).freshness().vectors == 0
    assert replace(CURRENT, state=IndexState.STALE_SKETCH).freshness().sketches == 0


def test_nothing_is_said_of_an_index_that_is_as_it_should_be() -> None:
    assert CURRENT.notes(now=1_000.0, stalled="") == ()


def test_whatever_an_answer_lacks_is_said_in_the_order_of_its_weight() -> None:
    view = JobView(resting=True, error="The disk is full.", busy="Process 7 writes.")
    deaf = replace(CURRENT, state=IndexState.STALE_MODEL, view=view, listening=False)
    assert deaf.notes(now=107.0, stalled="the model rests") == (
        "the vectors are of another model and being made again",
        "The disk is full.",
        "Process 7 writes.",
        "vectors wait: the model rests",
        "the directory was compared with the index 7 s ago",
    )
    cut = replace(CURRENT, state=IndexState.STALE_CHUNKER)
    assert cut.notes(now=0.0, stalled="") == ("the index is being rebuilt because files are cut in another way now",)


@pytest.mark.parametrize(
    ("standing", "now", "said"),
    [
        (replace(CURRENT, listening=False), 101.9, ()),
        (replace(CURRENT, listening=False), 103.0, ("the directory was compared with the index 3 s ago",)),
        (CURRENT, 1_000.0, ()),
        (replace(CURRENT, seen=None), 0.0, ("the directory is still being compared with the index",)),
        (replace(CURRENT, seen=None, watch_error="It is gone."), 0.0, ("It is gone.",)),
    ],
)
def test_an_old_look_is_said_where_nobody_listens(standing: Standing, now: float, said: tuple[str, ...]) -> None:
    assert standing.notes(now, "") == said
