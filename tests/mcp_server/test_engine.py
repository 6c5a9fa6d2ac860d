"""The engine over several roots, with an index in memory and no model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mcp_server.engine import Engine, embed_queries
from mcp_server.requests import SearchRequest
from mcp_server.settings import load
from tests.indexer.embedders import Noting

MOST_S = 60


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    roots = [_planted(tmp_path_factory.mktemp("roots") / name, name) for name in ("north", "south")]
    settings = load(None, ["storage.backend=memory", "model.name=none"], {}).settings
    engine = Engine(roots, settings)
    for root in engine.roots.values():
        job = root.refresh()
        view = job.view()
        while not view.resting:
            changed = job.wait_for_change(view, MOST_S)
            assert changed != view, "indexing a few files took a minute"
            view = changed
    yield engine
    engine.close()


def _planted(root: Path, name: str) -> Path:
    root.mkdir()
    for number in range(6):
        text = f"def moor_{name}_{number}(ship):\n    return ship.moor({number})\n"
        (root / f"moor{number}.py").write_text(text, encoding="utf-8")
    (root / "drift.py").write_text(f"def drift_{name}(buoy):\n    return buoy.offset\n", encoding="utf-8")
    return root


def places(engine: Engine, limit: int, offset: int, **asked: str) -> list[str]:
    found = engine.search(SearchRequest(**({"query": "moor ship"} | asked), limit=limit, offset=offset)).found
    return [one.path for one in found]


def test_pages_over_several_roots_follow_each_other_without_gap_or_repetition(engine: Engine) -> None:
    whole = places(engine, 12, 0)
    pages = [place for offset in range(0, 12, 3) for place in places(engine, 3, offset)]
    assert len(set(whole)) == 12
    assert sorted(pages) == sorted(whole)


def test_the_last_page_says_that_there_is_no_more(engine: Engine) -> None:
    assert engine.search(SearchRequest("moor ship", limit=5, offset=0)).more
    assert not engine.search(SearchRequest("moor ship", limit=5, offset=10)).more


def test_more_like_a_place_leaves_the_place_out(engine: Engine) -> None:
    answer = engine.search(SearchRequest("", limit=5, like="north/moor3.py:1"))
    found = [one.path for one in answer.found]
    assert len(found) == 5
    assert "north/moor3.py" not in found
    assert all("/moor" in path for path in found)
    assert answer.like == "north/moor3.py:1"


def test_a_query_beside_an_example_counts_as_well(engine: Engine) -> None:
    assert "south/drift.py" in places(engine, 12, 0, query="drift south", like="north/moor3.py:1")


class Slow(Noting):
    """Takes four seconds a query, by a clock of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.allowed: list[float | None] = []

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        self.allowed.append(timeout_s)
        self.now += 4.0
        return super().embed_query(text)


def test_several_queries_share_the_time_that_was_given_for_all() -> None:
    embedder = Slow()
    assert len(embed_queries(embedder, ["a", "b", "c", "d"], 10.0, lambda: embedder.now)) == 4
    assert embedder.allowed == [10.0, 6.0, 2.0, 0.0]
