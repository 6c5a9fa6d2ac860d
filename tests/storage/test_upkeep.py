"""Upkeep of tables of any size: what is joined, what is indexed anew, and what is left of earlier indexes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage import ann, lance_upkeep
from storage.chunk import Filters
from storage.lance import KEEP_INDEXES
from storage.lance_store import LanceStore
from storage.lance_upkeep import plan_upkeep
from storage.memory import MemoryStore
from storage.ranking.terms import query_terms
from tests.storage.samples import FINGERPRINT, make_file, python_sources, vector_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = [make_file(f"pkg/m{number}.py", f"def reader_{number}(): return {number}") for number in range(40)]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LanceStore:
    """A store in which every table of more than 10 rows is a large one."""
    monkeypatch.setattr(lance_upkeep, "JOINED_UP_TO", 10)
    store = LanceStore(tmp_path / "index")
    store.reset(FINGERPRINT)
    return store


def found(store: LanceStore, words: str) -> set[str]:
    return {candidate.outline.file_path for candidate in store.find_text(query_terms(words), 50, Filters())}


def indexes(store: LanceStore) -> set[Path]:
    return set(store._begun().chunks._indexes.iterdir())


@pytest.mark.parametrize(
    ("rows", "pending", "fragments", "due"),
    [
        (0, 0, 0, ""),
        (10, 10, 1, "join"),  # nothing is in the index yet
        (5_000, 999, 31, ""),
        (5_000, 1_000, 1, "join"),
        (5_000, 1, 32, "join"),
        (1_000_000, 4_999, 499, ""),
        (1_000_000, 5_000, 100, "index"),
        (1_000_000, 0, 500, "join"),
    ],
)
def test_large_tables_are_joined_rarely_and_indexed_by_share(rows: int, pending: int, fragments: int, due: str) -> None:
    assert plan_upkeep(rows, pending, fragments) == due


def test_a_large_table_is_indexed_without_moving_its_rows(large: LanceStore) -> None:
    for start in range(0, len(FILES), 2):
        large.replace_files(FILES[start : start + 2])
    fragments = large._begun().chunks.small_fragments()
    large.maintain()
    assert large._begun().chunks.unindexed("terms") == 0
    assert large._begun().chunks.unindexed("file_path") == 0
    assert large._begun().chunks.small_fragments() == fragments
    assert found(large, "reader_7") >= {"pkg/m7.py"}
    assert large.check() == []


def test_changed_and_deleted_files_are_right_in_a_large_table_indexed_twice(large: LanceStore) -> None:
    large.replace_files(FILES[:20])
    large.maintain()
    large.replace_files([make_file("pkg/m3.py", "def writer(): return 3"), *FILES[20:]])
    large.delete_files(["pkg/m4.py"])
    large.maintain()
    assert found(large, "writer") == {"pkg/m3.py"}
    assert found(large, "reader") == {rows.record.path for rows in FILES} - {"pkg/m3.py", "pkg/m4.py"}


def test_replaced_indexes_stay_for_readers_and_go_when_no_reader_can_be_left(large: LanceStore) -> None:
    large.replace_files(FILES)
    large.maintain()
    replaced = indexes(large)
    table = large._begun().chunks
    table.index_terms()
    table.drop_old_indexes()
    assert replaced < indexes(large)
    for path in indexes(large):
        age = path.stat().st_mtime - KEEP_INDEXES.total_seconds() - 1
        os.utime(path, (age, age))
    table.drop_old_indexes()
    assert len(indexes(large)) == 5
    assert found(large, "reader_7") >= {"pkg/m7.py"}


def test_many_sketches_are_found_through_an_index_and_new_ones_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ann, "SKETCHES_SCANNED", 1_000)
    store, exact = LanceStore(tmp_path / "index"), MemoryStore()
    sources = python_sources(2_000)
    for one in (store, exact):
        one.reset(FINGERPRINT)
        one.replace_files(sources)
    store.maintain()
    assert store._begun().file.sketch_index_rows == sum(len(rows.chunks) for rows in sources)
    asked = [vector_of(sources[number].chunks[0].content) for number in range(0, len(sources), 4)]
    assert recall(store, exact, asked) > 0.95
    added = make_file("new/zebra.py", "zebra zebra zebra stripes")
    for one in (store, exact):
        one.replace_files([added])
        one.delete_files([sources[0].record.path])
    assert store.find_sketch(vector_of("zebra zebra zebra stripes"), 5, Filters())[0].outline == added.chunks[0].outline
    assert recall(store, exact, asked) > 0.95


def recall(store: LanceStore, exact: MemoryStore, asked: list[NDArray[np.float32]]) -> float:
    """The share of the exact twenty best that are found; scores must be the exact ones."""
    found = wanted = 0
    for vector in asked:
        best = {one.outline.id: one.score for one in exact.find_sketch(vector, 20, Filters())}
        got = {one.outline.id: one.score for one in store.find_sketch(vector, 20, Filters())}
        common = best.keys() & got.keys()
        assert all(got[one] == pytest.approx(best[one], abs=2e-3) for one in common)
        found, wanted = found + len(common), wanted + len(best)
    return found / wanted
