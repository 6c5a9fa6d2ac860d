"""Rows kept in memory say what the table says, after every commit, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.chunk import Filters
from storage.held import Held, let_go
from storage.lance_index import OpenIndex
from storage.lance_store import LanceStore
from storage.ranking.terms import query_terms
from tests.storage.samples import FINGERPRINT, make_file, vector_of, vectors_of

ANY = Filters()
ENOUGH = 6  # asks after which rows are kept
KEPT = make_file("kept.py", "def kept(): return word", "def other(): return word")
GOING = make_file("going.py", "def going(): return word")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LanceStore]:
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files([KEPT, GOING])
    yield store
    store.close()


def held(store: LanceStore) -> OpenIndex:
    """The index, its rows in memory."""
    index = store._begun()
    for _ in range(ENOUGH):
        index.rows.outlines(["x"])
    assert index.rows._held.current() is not None
    return index


def found(store: LanceStore, word: str = "word") -> set[str]:
    return {candidate.outline.file_path for candidate in store.find_text(query_terms(word), 10, ANY)}


def test_chunks_and_outlines_are_the_same_out_of_memory_as_out_of_the_table(store: LanceStore) -> None:
    chunks = {chunk.id: chunk for rows in (KEPT, GOING) for chunk in rows.chunks}
    for _ in range(ENOUGH):
        assert store.chunks([*chunks, "unknown"]) == chunks
        assert {c.outline.id: c.outline for c in store.find_text(query_terms("word"), 10, ANY)} == {
            chunk_id: chunk.outline for chunk_id, chunk in chunks.items()
        }
    assert store.chunks([]) == {}


def test_every_commit_of_another_writer_is_seen_at_once(store: LanceStore, tmp_path: Path) -> None:
    held(store)
    writer = LanceStore(tmp_path)
    moved = replace(
        KEPT, chunks=tuple(replace(chunk, start_line=90, end_line=91, kind="method") for chunk in KEPT.chunks)
    )
    writer.replace_files([moved, make_file("new.py", "word = 1")])
    writer.delete_files(["going.py"])
    for _ in range(ENOUGH):
        assert found(store) == {"kept.py", "new.py"}
        assert store.chunks([chunk.id for chunk in moved.chunks]) == {chunk.id: chunk for chunk in moved.chunks}
    writer.maintain()
    for _ in range(ENOUGH):
        assert found(store) == {"kept.py", "new.py"}
    writer.reset(FINGERPRINT)
    assert found(store) == set()


def test_a_commit_between_the_look_at_the_disk_and_the_search_mixes_nothing(
    store: LanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = held(store).rows
    before = rows._held.current()
    store.replace_files([make_file("new.py", "word = 1")])
    store.delete_files(["going.py"])
    monkeypatch.setattr(rows._held, "current", lambda: before)
    new = make_file("new.py", "word = 1").chunks[0]
    assert found(store) == {"kept.py", "new.py"}
    assert store.chunks([new.id, KEPT.chunks[0].id]) == {new.id: new, KEPT.chunks[0].id: KEPT.chunks[0]}


def test_vectors_whose_chunk_is_gone_are_passed_over_out_of_memory_too(store: LanceStore) -> None:
    chunks = store.missing_vectors(10)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))
    index = held(store)
    index.chunks.delete("file_path = 'going.py'")  # what a kill between two steps of deleting leaves
    for _ in range(ENOUGH):
        near = store.find_near(vector_of("word"), 2, ANY)
        assert {candidate.outline.id for candidate in near} == {chunk.id for chunk in KEPT.chunks}


def test_an_index_that_was_emptied_finds_nothing(store: LanceStore) -> None:
    held(store)
    store.delete_files(["kept.py", "going.py"])
    for _ in range(ENOUGH):
        assert found(store) == set()
        assert store.chunks([KEPT.chunks[0].id]) == {}


def test_rows_that_would_take_much_memory_are_not_kept(store: LanceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.chunk_rows.MOST_BYTES", 100)
    index = store._begun()
    for _ in range(ENOUGH):
        assert found(store) == {"kept.py", "going.py"}
    assert index.rows._held.current() is None


def test_a_table_is_read_when_the_same_commit_is_asked_for_again(store: LanceStore) -> None:
    table = store._begun().chunks
    rows = Held(table, lambda table: table.count(), most_rows=3, asked=2)
    assert [rows.current(), rows.current(), rows.current()] == [None, 3, 3]
    store.delete_files(["going.py"])
    assert [rows.current(), rows.current()] == [None, 2]


def test_what_was_let_go_is_read_again_when_it_is_asked_for(store: LanceStore) -> None:
    index = held(store)
    expected = found(store)
    let_go()
    assert index.rows._held._value is None
    assert found(store) == expected
    assert held(store).rows._held.current() is not None


def test_a_table_with_too_many_rows_is_not_held(store: LanceStore) -> None:
    rows = Held(store._begun().chunks, lambda table: table.count(), most_rows=2, asked=1)
    assert [rows.current(), rows.current()] == [None, None]
