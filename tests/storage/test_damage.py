"""Broken files: recognised, mended where a commit can be stepped back from, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.chunk import Filters
from storage.errors import IndexUnusableError, StorageError
from storage.fingerprint import IndexState
from storage.lance_store import LanceStore
from storage.ranking.terms import query_terms
from storage.schema import chunk_rows
from storage.search import Mode, Query, search
from storage.store import Pattern
from tests.storage.samples import FINGERPRINT, make_file, vector_of, vectors_of

ANY = Filters()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An index of two files, the second of which came with the last commit; not open."""
    store = LanceStore(tmp_path)
    store.reset(FINGERPRINT)
    store.replace_files([make_file("old.py", "an old file", "with two chunks")])
    store.replace_files([make_file("new.py", "a new file")])
    chunks = store.missing_vectors(10)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))
    store.close()
    return tmp_path


@pytest.fixture
def unnoted(directory: Path) -> Path:
    """The same without the notes of what its files were: what rows, commits and the library say is all there is."""
    (directory / "digests.txt").unlink()
    return directory


def newest_manifest(directory: Path, table: str) -> Path:
    return min((directory / f"{table}-1.lance" / "_versions").glob("*.manifest"))


def overwrite(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes(byte ^ 0x55 for byte in content))


@pytest.mark.parametrize("table", ["chunks", "files", "vectors"])
def test_an_empty_newest_commit_is_stepped_back_from(directory: Path, table: str) -> None:
    newest_manifest(directory, table).write_bytes(b"")
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert {c.outline.file_path for c in store.find_text(query_terms("old"), 5, ANY)} == {"old.py"}
    assert store.files().get("new.py", make_file("x").record).size == (10 if table == "vectors" else -1)
    store.replace_files([make_file("new.py", "a new file")])
    assert {c.outline.file_path for c in store.find_text(query_terms("file"), 5, ANY)} == {"old.py", "new.py"}
    assert store.check() == []


def test_a_table_without_any_commit_is_corrupt_and_a_reset_begins_anew(directory: Path) -> None:
    for manifest in (directory / "chunks-1.lance" / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"")
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CORRUPT
    with pytest.raises(IndexUnusableError, match="index again"):
        store.files()
    store.reset(FINGERPRINT)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    store.replace_files([make_file("new.py", "a new file")])
    assert len(store.find_text(query_terms("new"), 5, ANY)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fingerprint": 3}', '{"fingerprint": {"schema": "1"}}', "\x00\x01"])
def test_a_damaged_description_is_corrupt(directory: Path, text: str) -> None:
    (directory / "index.json").write_text(text, "utf-8")
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CORRUPT
    with pytest.raises(IndexUnusableError, match="index again"):
        store.find_text(query_terms("a"), 5, ANY)
    store.reset(FINGERPRINT)
    assert store.state(FINGERPRINT) is IndexState.CURRENT


def test_a_damaged_note_of_unfinished_paths_is_no_obstacle(directory: Path) -> None:
    (directory / "pending.json").write_text("{", "utf-8")
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert set(store.files()) == {"old.py", "new.py"}


@pytest.mark.parametrize("table", ["chunks", "files", "vectors"])
@pytest.mark.parametrize("harm", ["overwritten", "emptied", "deleted", "halved"])
def test_harmed_data_is_found_by_the_check_or_refused_in_words(unnoted: Path, table: str, harm: str) -> None:
    for path in (unnoted / f"{table}-1.lance" / "data").glob("*.lance"):
        if harm == "overwritten":
            overwrite(path)
        elif harm == "deleted":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2 if harm == "halved" else 0])
    store = LanceStore(unnoted)
    assert store.state(FINGERPRINT) in (IndexState.CURRENT, IndexState.CORRUPT)
    try:
        assert store.check() != []
    except IndexUnusableError as error:
        assert "index again" in str(error)
    for find in (
        lambda: store.find_text(query_terms("file"), 5, ANY),
        lambda: store.find_near(vector_of("x"), 5, ANY),
        lambda: store.find_matches(Pattern("file", is_regex=False), 5, ANY),
        lambda: store.replace_files([make_file("new.py", "again")]),
        store.files,
        store.stats,
        store.maintain,
    ):
        try:
            find()
        except StorageError as error:
            assert len(str(error)) < 600
    store.reset(FINGERPRINT)
    store.replace_files([make_file("new.py", "again")])
    assert store.check() == []


def test_changed_bytes_of_a_vector_are_named_with_their_file(unnoted: Path) -> None:
    stored = vector_of("a new file").tobytes()
    (data,) = [p for p in (unnoted / "vectors-1.lance" / "data").glob("*.lance") if stored in p.read_bytes()]
    data.write_bytes(data.read_bytes().replace(stored, stored[:-4] + b"\x00\x00\x80\x3f"))
    damage = LanceStore(unnoted).check()
    assert [(found.path, found.reason) for found in damage] == [("new.py", "has a vector that is damaged")]
    store = LanceStore(unnoted)
    store.delete_files(["new.py"])
    assert store.check() == []


def test_changed_bytes_of_a_chunk_are_named_with_their_file(unnoted: Path) -> None:
    (data,) = [p for p in (unnoted / "chunks-1.lance" / "data").glob("*.lance") if b"a new file" in p.read_bytes()]
    data.write_bytes(data.read_bytes().replace(b"a new file", b"a NEW file"))
    assert [found.path for found in LanceStore(unnoted).check()] == ["new.py"]


def test_an_index_that_vanishes_under_an_open_store_is_missing(directory: Path) -> None:
    store = LanceStore(directory)
    assert len(store.files()) == 2
    (directory / "index.json").unlink()
    assert store.state(FINGERPRINT) is IndexState.MISSING
    assert store.files() == {}


def change_text(directory: Path, before: bytes, after: bytes) -> None:
    """Change stored text behind everybody's back."""
    (data,) = [path for path in (directory / "chunks-1.lance" / "data").glob("*.lance") if before in path.read_bytes()]
    data.write_bytes(data.read_bytes().replace(before, after))


@pytest.mark.parametrize("mode", ["text", "exact"])
def test_a_chunk_whose_text_is_damaged_is_not_shown_and_the_answer_names_its_file(unnoted: Path, mode: Mode) -> None:
    change_text(unnoted, b"a new file", b"a NEW file")
    store = LanceStore(unnoted)
    for _ in range(6):  # out of the table, then out of memory
        results = search(store, Query("file", mode=mode))
        assert [hit.chunk.file_path for hit in results.hits] == ["old.py"]
        assert results.damaged == {"new.py"}


def test_what_a_search_found_damaged_is_done_again_by_the_next_writer(unnoted: Path) -> None:
    change_text(unnoted, b"a new file", b"a NEW file")
    assert search(LanceStore(unnoted), Query("file", mode="text")).damaged
    store = LanceStore(unnoted)
    assert [damage.path for damage in store.mend()] == ["new.py"]
    assert set(store.files()) == {"old.py"}
    assert store.check() == []
    assert store.mend() == []


def test_nothing_is_looked_for_where_nothing_was_found(unnoted: Path) -> None:
    change_text(unnoted, b"a new file", b"a NEW file")
    store = LanceStore(unnoted)
    assert store.mend() == []
    assert [damage.path for damage in store.mend(thorough=True)] == ["new.py"]


def test_a_table_that_cannot_be_read_makes_the_index_corrupt_until_a_writer_has_looked(unnoted: Path) -> None:
    LanceStore(unnoted).maintain()
    (unnoted / "digests.txt").unlink()
    for path in (unnoted / "chunks-1.lance" / "_indices").glob("*/part_*_docs.lance"):
        path.unlink()
    store = LanceStore(unnoted)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    with pytest.raises(IndexUnusableError):
        store.find_text(query_terms("file"), 5, ANY)
    assert store.state(FINGERPRINT) is IndexState.CORRUPT
    store.mend()
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert len(store.find_text(query_terms("file"), 5, ANY)) == 2


def test_lost_rows_cannot_be_mended(unnoted: Path) -> None:
    for path in (unnoted / "chunks-1.lance" / "data").glob("*.lance"):
        path.write_bytes(b"")
    store = LanceStore(unnoted)
    store.mend(thorough=True)
    assert store.state(FINGERPRINT) is IndexState.CORRUPT


def test_an_unfinished_commit_whose_announcement_is_damaged_is_still_found(directory: Path) -> None:
    (directory / "pending.json").write_text('{"paths": ["x.py"], "checksum": "0"}', "utf-8")
    store = LanceStore(directory)
    store.state(FINGERPRINT)
    with store._write():  # as a writer that was killed after its chunks
        index = store._begun()
        changed = make_file("new.py", "a newer file")
        index.chunks.merge(chunk_rows([changed], 0), "id", where_gone="file_path = 'new.py'")
    (directory / "pending.json").write_text('{"paths": ["x.py"], "checksum": "0"}', "utf-8")
    late = LanceStore(directory)
    assert late.state(FINGERPRINT) is IndexState.CURRENT
    assert [path for path, record in late.files().items() if record.size < 0] == ["new.py"]
