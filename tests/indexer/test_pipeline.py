"""A directory into a store: what a change makes it do again, and what not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer import cutting
from indexer.cutting import Cutting
from indexer.pipeline import TextSummary, drift, refresh_text
from indexer.settings import IndexSettings
from indexer.walker import Look, Part
from storage.fingerprint import Fingerprint
from storage.memory import MemoryStore

SETTINGS = IndexSettings()


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.reset(Fingerprint("pipeline", "pipeline"))
    return store


def refresh(root: Path, store: MemoryStore, *, force: bool = False) -> TextSummary:
    return refresh_text(root, store, Cutting(SETTINGS), lambda _: None, lambda: False, Look(anew=force))


def touch(path: Path) -> None:
    """Give the file another time, as a checkout does; an earlier one, since what is a second old is not trusted."""
    earlier = path.stat().st_mtime_ns - 3600 * 10**9
    os.utime(path, ns=(earlier, earlier))


def test_a_file_that_was_only_touched_is_read_and_not_cut_again(
    tmp_path: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "tide.py"
    source.write_text("def ebb():\n    return 'low'\n", encoding="utf-8")
    refresh(tmp_path, store)
    touch(source)
    assert [file.path for file in drift(tmp_path, store.files(), SETTINGS).to_read] == ["tide.py"]

    with monkeypatch.context() as uncut:
        uncut.delattr(cutting, "chunk_file")
        summary = refresh(tmp_path, store)

    assert (summary.read, summary.chunks, summary.finished) == (1, 0, True)
    assert drift(tmp_path, store.files(), SETTINGS).to_read == ()
    assert store.stats().chunks == 1


def test_force_cuts_a_touched_file_again(tmp_path: Path, store: MemoryStore) -> None:
    (tmp_path / "tide.py").write_text("def ebb():\n    return 'low'\n", encoding="utf-8")
    refresh(tmp_path, store)
    assert refresh(tmp_path, store, force=True).chunks == 1


def test_a_changed_file_beside_a_touched_one_is_cut(tmp_path: Path, store: MemoryStore) -> None:
    ebb, flood = tmp_path / "ebb.py", tmp_path / "flood.py"
    for source in (ebb, flood):
        source.write_text("def tide():\n    return 'low'\n", encoding="utf-8")
    refresh(tmp_path, store)
    touch(ebb)
    flood.write_text("def tide():\n    return 'very high'\n", encoding="utf-8")
    assert refresh(tmp_path, store).chunks == 1
    assert "very high" in next(
        iter(chunk.content for chunk in store.missing_vectors(9) if chunk.file_path == "flood.py")
    )


def test_imports_are_read_with_a_files_text(tmp_path: Path, store: MemoryStore) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "errors.py").write_text("class TideError(Exception):\n    pass\n", encoding="utf-8")
    (tmp_path / "app.py").write_text("from core.errors import TideError\n", encoding="utf-8")
    refresh(tmp_path, store)
    assert store.links(["core/errors.py", "app.py"]) == {"core/errors.py": 1.0, "app.py": 0.0}


def test_a_part_is_brought_up_to_date_and_nothing_else_looked_at(tmp_path: Path, store: MemoryStore) -> None:
    for name in ("ebb.py", "flood.py", "slack.py"):
        (tmp_path / name).write_text("def tide():\n    return 'low'\n", encoding="utf-8")
    refresh(tmp_path, store)
    (tmp_path / "ebb.py").write_text("def tide():\n    return 'very low'\n", encoding="utf-8")
    (tmp_path / "flood.py").write_text("def tide():\n    return 'very high'\n", encoding="utf-8")
    (tmp_path / "slack.py").unlink()
    touch(tmp_path / "ebb.py")

    part = Look(Part(frozenset({"ebb.py", "slack.py"})))
    summary = refresh_text(tmp_path, store, Cutting(SETTINGS), lambda _: None, lambda: False, part)

    assert (summary.read, summary.removed) == (1, 1)
    assert set(store.files()) == {"ebb.py", "flood.py"}
    assert [file.path for file in drift(tmp_path, store.files(), SETTINGS).to_read] == ["flood.py"]


def test_a_run_is_finished_though_a_file_went_after_it_was_seen(tmp_path: Path, store: MemoryStore) -> None:
    plant = [tmp_path / f"{name}.py" for name in ("ebb", "flood")]
    for path in plant:
        path.write_text("tide = 1\n", encoding="utf-8")

    def going() -> bool:
        plant[1].unlink(missing_ok=True)
        return False

    summary = refresh_text(tmp_path, store, Cutting(SETTINGS), lambda _: None, going)
    assert (summary.finished, set(store.files())) == (True, {"ebb.py"})
