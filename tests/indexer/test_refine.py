"""Vectors for what has none: in which order, what a stop leaves, what the cache spares, what is committed when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from embedding.cache import VectorCache
from embedding.cached import CachedEmbedder
from embedding.errors import ModelFailedError
from indexer import refine
from indexer.pipeline import Progress
from indexer.refine import Refiner, commit_interval, next_size
from storage.chunk import FileRows
from storage.memory import MemoryStore
from tests.indexer.embedders import Noting
from tests.storage.samples import FINGERPRINT, make_file


class CountingStore(MemoryStore):
    """A store that notes how many vectors each commit adds."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[int] = []
        self.upkeeps = 0

    def add_vectors(self, ids: Sequence[str], vectors: object) -> None:
        self.commits.append(len(ids))
        super().add_vectors(ids, vectors)  # type: ignore[arg-type]

    def maintain(self) -> None:
        self.upkeeps += 1


def files(count: int, chunks: int = 2) -> list[FileRows]:
    return [
        make_file(f"f{number:03}.py", *(f"text_{number}_{piece} = 1" for piece in range(chunks)))
        for number in range(count)
    ]


def filled(*rows: FileRows) -> CountingStore:
    store = CountingStore()
    store.reset(FINGERPRINT)
    store.replace_files(rows)
    return store


def never() -> bool:
    return False


def unheard(_: Progress) -> None:
    pass


@pytest.fixture(autouse=True)
def one_chunk_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_CHARACTERS", "FEWEST_CHARACTERS", "MOST_CHARACTERS"):
        monkeypatch.setattr(refine, name, 1)


def names(embedder: Noting) -> list[str]:
    return [text.removeprefix("class C:\n").removesuffix(" = 1").removeprefix("text_") for text in embedder.asked]


def test_all_that_lacks_a_vector_gets_one_and_nothing_is_embedded_again() -> None:
    store, embedder, refiner = filled(*files(9)), Noting(), Refiner()
    assert refiner.run(store, embedder, unheard, never) == 18
    assert (store.stats().vectors, len(embedder.asked)) == (18, 18)
    assert refiner.run(store, embedder, unheard, never) == 0
    assert len(embedder.asked) == 18


def test_what_was_asked_for_before_the_run_comes_first_then_the_rest_of_its_file() -> None:
    store, embedder, refiner = filled(*files(9)), Noting(), Refiner()
    (last,) = (rows for rows in files(9) if rows.record.path == "f007.py")
    refiner.ask([last.chunks[1].id, "unknown"])
    refiner.run(store, embedder, unheard, never)
    assert names(embedder)[:4] == ["7_1", "7_0", "0_0", "0_1"]


def test_a_question_in_the_middle_of_a_run_is_served_by_the_next_piece() -> None:
    asked = files(9)[8].chunks
    refiner = Refiner()

    def meanwhile(texts: Sequence[str]) -> None:
        if "text_2_0" in texts[0]:
            refiner.ask([asked[1].id, asked[0].id])

    embedder = Noting(meanwhile)
    refiner.run(filled(*files(9)), embedder, unheard, never)
    assert names(embedder)[4:7] == ["2_0", "8_1", "8_0"]


def test_the_vectors_of_a_question_are_committed_as_soon_as_they_are_made() -> None:
    seen: list[int] = []
    store, refiner = filled(*files(9)), Refiner(clock=lambda: 0.0)  # no time passes, so nothing else is due
    embedder = Noting(lambda _: seen.append(store.stats().vectors))
    refiner.ask([files(9)[8].chunks[0].id, files(9)[7].chunks[0].id])
    refiner.run(store, embedder, unheard, never)
    assert seen[:6] == [0, 1, 2, 2, 2, 2]
    assert store.commits == [1, 1, 16]


def test_a_stop_keeps_what_is_made_and_the_next_run_does_the_rest_and_no_more() -> None:
    store, refiner, stopping = filled(*files(9)), Refiner(clock=lambda: 0.0), threading.Event()

    def meanwhile(texts: Sequence[str]) -> None:
        if "text_3_0" in texts[0]:
            stopping.set()

    embedder = Noting(meanwhile)
    assert 6 <= refiner.run(store, embedder, unheard, stopping.is_set) <= 7
    made = store.stats().vectors
    assert refiner.run(store, embedder, unheard, never) == 18 - made
    assert len(embedder.asked) <= 19, "of what was under way at the stop alone"


def test_a_stop_waits_for_no_piece_and_its_vectors_are_in_the_cache(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def meanwhile(_: Sequence[str]) -> None:
        began.set()
        assert go_on.wait(10)

    embedder = Noting(meanwhile)
    cached = CachedEmbedder(embedder, VectorCache(tmp_path / "v.sqlite3", 1 << 20))
    store = filled(*files(1, chunks=1))
    assert Refiner().run(store, cached, unheard, began.is_set) == 0
    go_on.set()
    assert Refiner().run(store, cached, unheard, never) == 1
    assert len(embedder.asked) == 1
    cached.close()


def test_a_question_that_a_stop_left_open_is_the_first_of_the_next_run() -> None:
    store, refiner, rows = filled(*files(9)), Refiner(), files(9)[8]
    refiner.ask([chunk.id for chunk in rows.chunks])
    stopping = threading.Event()
    refiner.run(store, Noting(lambda _: stopping.set()), unheard, stopping.is_set)
    embedder = Noting()
    refiner.run(store, embedder, unheard, never)
    assert names(embedder)[-1] != "8_1"
    assert "8_1" in names(embedder)[:2]


def test_what_the_cache_knows_is_filled_in_at_once_and_not_embedded() -> None:
    store, embedder = filled(*files(300)), Noting()
    embedder.known = {chunk.embedding_text() for rows in files(300) for chunk in rows.chunks} - {"text_150_0 = 1"}
    Refiner().run(store, embedder, unheard, never)
    assert store.stats().vectors == 600
    assert "150_0" in names(embedder)
    assert len(embedder.asked) <= 2, "but for the piece that was begun meanwhile"


def test_files_that_the_cache_was_asked_for_are_not_looked_up_by_the_next_run() -> None:
    looked_up: list[int] = []

    class Looking(Noting):
        def remembered(self, texts: Sequence[str]) -> dict[int, object]:  # type: ignore[override]
            looked_up.append(len(texts))
            return {}

    store, refiner, stopping = filled(*files(20)), Refiner(), threading.Event()
    refiner.run(store, Looking(lambda _: stopping.set()), unheard, stopping.is_set)
    first = sum(looked_up)
    store.replace_files([make_file("new.py", "a new text")])
    refiner.run(store, Looking(), unheard, never)
    assert (first, sum(looked_up) - first) == (40, 1)


def test_contents_that_are_gone_are_forgotten() -> None:
    store, refiner = filled(*files(3)), Refiner()
    for number in range(5):
        store.replace_files([make_file("new.py", f"text {number}")])
        refiner.run(store, Noting(), unheard, never)
    assert len(refiner._looked_up) == len(store.files()) == 4


def test_more_missing_than_allowed_are_left_to_another_run() -> None:
    store, embedder = filled(*files(9)), Noting()
    assert Refiner().run(store, embedder, unheard, never, most=17) == 0
    assert embedder.asked == []
    assert Refiner().run(store, embedder, unheard, never, most=18) == 18


def test_a_model_that_fails_is_told_and_what_was_made_before_is_kept() -> None:
    store, embedder = filled(*files(9)), Noting()
    embedder.fails_at = "text_3_0 = 1"
    with pytest.raises(ModelFailedError):
        Refiner().run(store, embedder, unheard, never)
    assert store.stats().vectors == 6


def test_progress_counts_what_was_there_before() -> None:
    store, said = filled(*files(9)), list[Progress]()
    store.add_vectors([files(9)[0].chunks[0].id], Noting().embed_documents(["x"]))
    Refiner().run(store, Noting(), said.append, never)
    assert {one.total for one in said} == {18}
    assert said[-1].done == 18
    assert [one.done for one in said] == sorted(one.done for one in said)


def ticking(step: float) -> Callable[[], float]:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


def test_commits_are_few_and_small_files_are_joined_on_the_way() -> None:
    store = filled(*files(200))
    Refiner(clock=ticking(0.3)).run(store, Noting(), unheard, never)
    assert sum(store.commits) == 400
    assert store.commits[0] == 1, "the first at once"
    assert store.commits[-2] > store.commits[1]
    assert len(store.commits) < 150
    assert store.upkeeps >= 1


def test_commits_grow_rarer_to_half_a_minute() -> None:
    assert [commit_interval(elapsed) for elapsed in (0, 10, 100, 36_000)] == [1, 1, 5, 30]


def test_a_piece_takes_its_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refine, "FEWEST_CHARACTERS", 256)
    monkeypatch.setattr(refine, "MOST_CHARACTERS", 16_384)
    fast = refine.PIECE_S / 2
    assert next_size(1_000, 1_000, fast) == 2_000
    assert next_size(1_000, 1_000, fast / 100) == 2_000, "at most twice as much"
    assert next_size(4_000, 4_000, 8 * refine.PIECE_S) == 1_000, "not less than a quarter"
    assert next_size(300, 300, 60.0) == 256
    assert next_size(16_000, 16_000, fast) == 16_384
