"""What files were when they were written, and which of them still are."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.chunk import Filters
from storage.digests import Digests
from storage.fingerprint import IndexState
from storage.lance_store import LanceStore
from storage.layout import Layout
from storage.ranking.terms import query_terms
from tests.storage.samples import FINGERPRINT, make_file, vector_of, vectors_of

TABLES = ("chunks-1", "vectors-1", "files-1")
ANY = Filters()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An index of some files, some of them changed and one deleted, with every kind of file in it; not open."""
    store = LanceStore(tmp_path, exact_up_to=10)
    store.reset(FINGERPRINT)
    store.replace_files([make_file(f"d/f{n}.py", f"file number {n}", f"the end of {n}") for n in range(300)])
    chunks = store.missing_vectors(1000)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))
    store.maintain()
    store.replace_files([make_file("d/f7.py", "another seven")])
    store.delete_files(["d/f8.py"])
    store.close()
    return tmp_path


def damaged(directory: Path, most_bytes: int | None = None) -> list[str]:
    return Digests(directory).damaged(TABLES, most_bytes)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def files(directory: Path, pattern: str) -> list[Path]:
    found = sorted(directory.glob(pattern))
    assert found, pattern
    return found


def newest_commits(directory: Path) -> list[Path]:
    return [min((directory / f"{table}.lance" / "_versions").glob("*.manifest")) for table in TABLES]


def test_a_sound_index_is_found_sound(directory: Path) -> None:
    assert damaged(directory) == []


@pytest.mark.parametrize("kind", ["data/*", "_indices/*/*", "_deletions/*"])
def test_one_bit_of_any_file_is_noticed_and_the_file_named(directory: Path, kind: str) -> None:
    for path in files(directory, f"*.lance/{kind}"):
        content = path.read_bytes()
        flip(path)
        assert damaged(directory) == [path.relative_to(directory).as_posix()]
        path.write_bytes(content)


@pytest.mark.parametrize("gone", [False, True])
def test_of_commits_the_newest_counts(directory: Path, gone: bool) -> None:
    for path in newest_commits(directory):
        content = path.read_bytes()
        path.unlink() if gone else flip(path)
        assert damaged(directory) == [path.relative_to(directory).as_posix()]
        path.write_bytes(content)
    old = max((directory / "chunks-1.lance" / "_versions").glob("*.manifest"))
    old.unlink() if gone else flip(old)
    assert damaged(directory) == []


def test_what_the_library_removed_is_not_damaged(directory: Path) -> None:
    files(directory, "chunks-1.lance/_indices/*/*")[0].unlink()
    assert damaged(directory) == []


def test_other_tables_are_not_looked_at(directory: Path) -> None:
    flip(files(directory, "vectors-1.lance/data/*")[0])
    assert Digests(directory).damaged(["chunks-1", "files-1"]) == []


def test_commits_and_indexes_are_looked_at_before_rows(directory: Path) -> None:
    flip(files(directory, "chunks-1.lance/data/*")[0])
    flip(files(directory, "chunks-1.lance/_indices/*/*")[0])
    rows = sum(path.stat().st_size for path in files(directory, "*.lance/data/*"))
    everything = sum(note.size for _, note in Digests(directory)._to_read(TABLES))
    assert ["/_indices/" in path for path in damaged(directory, everything - rows)] == [True]


@pytest.mark.parametrize("harm", ["a torn last line", "a changed line", "no notes"])
def test_a_damaged_note_says_nothing_of_its_file(directory: Path, harm: str) -> None:
    notes = directory / "digests.txt"
    lines = notes.read_text("utf-8").split("\n")
    if harm == "a torn last line":
        notes.write_text("\n".join(lines[:-2]) + "\n" + lines[-2][:30], "utf-8")
    elif harm == "a changed line":
        notes.write_text(
            "\n".join(["f" + lines[0][1:] if lines[0][0] != "f" else "e" + lines[0][1:], *lines[1:]]), "utf-8"
        )
    else:
        notes.unlink()
    assert damaged(directory) == []


def test_a_writer_notes_what_is_new_and_forgets_what_is_gone(directory: Path) -> None:
    store = LanceStore(directory)
    store.replace_files([make_file("d/f9.py", "another nine")])
    store.close()
    for path in newest_commits(directory):
        assert path.relative_to(directory).as_posix() in (directory / "digests.txt").read_text("utf-8")
    files(directory, "chunks-1.lance/_indices/*/*")[0].unlink()
    before = (directory / "digests.txt").read_text("utf-8").count("\n")
    Digests(directory).prune()
    assert (directory / "digests.txt").read_text("utf-8").count("\n") == before - 1


def test_who_lives_long_remembers_no_file_that_is_gone(directory: Path) -> None:
    writer, reader = Digests(directory), Digests(directory)
    data = directory / "chunks-1.lance" / "data"
    for number in range(3):
        (data / f"{number}.lance").write_bytes(b"rows")
        writer.note()
        assert reader.damaged(TABLES) == []
        (data / f"{number}.lance").unlink()
        writer.prune()
    assert reader.damaged(TABLES) == []
    for one in (writer, reader):
        assert not [path for path in one._known_good if path.endswith(("/0.lance", "/1.lance", "/2.lance"))]


def test_a_damaged_index_of_rows_is_made_again_before_anything_is_found_by_it(directory: Path) -> None:
    for path in files(directory, "*.lance/_indices/*/*"):
        flip(path)
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    found = {one.outline.file_path for one in store.find_text(query_terms("another"), 5, ANY)}
    assert found == {"d/f7.py"}
    assert len(store.find_text(query_terms("file"), 1000, ANY)) == 298
    assert len(store.find_near(vector_of("the end of 11"), 5, ANY)) == 5
    store.maintain()
    assert store.check() == []
    assert damaged(directory) == []


def test_damaged_vectors_alone_go_and_everything_else_stays(directory: Path) -> None:
    flip(files(directory, "vectors-1.lance/data/*")[0])
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert (store.stats().chunks, store.stats().vectors) == (597, 0)
    assert not any(record.size < 0 for record in store.files().values())


def test_lost_rows_make_the_index_corrupt(directory: Path) -> None:
    for path in files(directory, "chunks-1.lance/data/*"):
        flip(path)
    assert LanceStore(directory).state(FINGERPRINT) is IndexState.CORRUPT


def test_a_damaged_commit_is_stepped_back_from_and_its_files_are_done_again(directory: Path) -> None:
    flip(newest_commits(directory)[0])  # of chunks: that of the deletion
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert [path for path, record in store.files().items() if record.size < 0] == ["d/f8.py"]


def test_a_newest_commit_that_is_gone_is_missed_even_where_the_notes_are_lost(directory: Path) -> None:
    newest_commits(directory)[0].unlink()  # of chunks: that of the deletion
    (directory / "digests.txt").unlink()
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert [path for path, record in store.files().items() if record.size < 0] == ["d/f8.py"]
    assert damaged(directory) == []


@pytest.mark.parametrize("said", ["", "{", '{"version": 900}', '{"version": -1}', "[]"])
def test_a_damaged_hint_at_the_newest_commit_is_no_obstacle(directory: Path, said: str) -> None:
    (directory / "chunks-1.lance" / "_versions" / "latest_version_hint.json").write_text(said, "utf-8")
    store = LanceStore(directory)
    assert store.state(FINGERPRINT) is IndexState.CURRENT
    assert len(store.files()) == 299


def test_a_reader_beside_a_writer_takes_new_commits_for_sound(directory: Path) -> None:
    reader = LanceStore(directory)
    assert reader.state(FINGERPRINT) is IndexState.CURRENT
    writer = LanceStore(directory)
    for number in range(5):
        writer.replace_files([make_file("d/new.py", f"new {number}")])
        writer.maintain()
        assert LanceStore(directory).state(FINGERPRINT) is IndexState.CURRENT
        assert reader.state(FINGERPRINT) is IndexState.CURRENT
    assert [one.outline.file_path for one in reader.find_text(query_terms("new"), 5, ANY)] == ["d/new.py"]


@pytest.mark.parametrize("name", ["pending.json", "suspect.json"])
def test_a_changed_byte_of_what_is_noted_beside_the_tables_is_noticed(tmp_path: Path, name: str) -> None:
    layout = Layout(tmp_path)
    layout.write_pending(["a.py"])
    layout.suspect(["a.py"])
    path = tmp_path / name
    path.write_text(path.read_text("utf-8").replace("a.py", "b.py"), "utf-8")
    if name == "pending.json":
        with pytest.raises(ValueError, match=r"pending\.json"):
            layout.pending()
    else:
        assert layout.suspects() == {""}
