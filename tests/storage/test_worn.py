"""A reader that lives long: what the library keeps of old commits goes, and nobody who reads meanwhile notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import lance_force
from storage.chunk import Filters
from storage.held import let_go
from storage.lance_store import LanceStore
from storage.ranking.terms import query_terms
from tests.storage.samples import FINGERPRINT, make_file


@pytest.fixture
def pair(tmp_path: Path) -> tuple[LanceStore, LanceStore]:
    """One that writes and one that reads, of an index that has begun."""
    writer = LanceStore(tmp_path / "index")
    writer.reset(FINGERPRINT)
    save(writer, 0)
    return writer, LanceStore(tmp_path / "index")


def save(writer: LanceStore, number: int) -> None:
    writer.replace_files([make_file("a.py", f"def reader_{number}(): return {number}")])
    writer.maintain()


def found(store: LanceStore, words: str) -> set[str]:
    return {candidate.outline.file_path for candidate in store.find_text(query_terms(words), 50, Filters())}


def test_who_reads_from_what_is_let_go_reads_on(
    pair: tuple[LanceStore, LanceStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_force, "LOOK_S", 0.0)
    writer, reader = pair
    old = reader._begun()
    monkeypatch.setattr(lance_force, "WORN_AFTER", 1)
    save(writer, 1)
    new = reader._begun()
    assert new is not old
    assert old.chunks.count() == new.chunks.count() == 1
    let_go()
    assert new.chunks.count() == 1
    assert found(reader, "reader_1") == {"a.py"}


def test_a_reader_keeps_its_tables_open_while_few_commits_are_made(pair: tuple[LanceStore, LanceStore]) -> None:
    writer, reader = pair
    first = reader._begun()
    save(writer, 1)
    assert reader._begun() is first
    assert first.chunks.newest() == first.chunks.version()
