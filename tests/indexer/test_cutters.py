"""Files cut by several processes: the same rows in the same order, whatever becomes of the processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from indexer import cutters
from indexer.cutters import cut_files
from indexer.cutting import Cutting, load
from indexer.settings import IndexSettings
from indexer.source import SourceFile
from indexer.walker import walk
from storage.chunk import FileRecord, FileRows

CUTTING = Cutting(IndexSettings())


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes pay from 400 bytes on, ten files, of which the first two are cut here; groups are of three."""
    monkeypatch.setattr(cutters, "START_BYTES", 80)
    monkeypatch.setattr(cutters, "WORTH_BYTES", 400)
    monkeypatch.setattr(cutters, "GROUP_FILES", 3)
    monkeypatch.setattr(cutters, "GROUPS_AHEAD", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture
def files(tmp_path: Path) -> list[SourceFile]:
    """Forty files: code, prose, and one that is not text."""
    for number in range(38):
        (tmp_path / f"m{number:02}.py").write_text(f"import os\n\n\ndef name_{number}(): return os\n", "utf-8")
    (tmp_path / "read.md").write_text("# One\n\ntext\n\n# Two\n\nmore\n", "utf-8")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    for path in tmp_path.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))  # so old that their times are trusted, whenever they are read
    return [found for found in walk(tmp_path, CUTTING.settings) if isinstance(found, SourceFile)]


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children() if "indexer.cutter" in child.cmdline()}


def cut_here(files: list[SourceFile]) -> list[FileRows | FileRecord | None]:
    return [load(file, CUTTING) for file in files]


def test_processes_give_the_same_rows_in_the_same_order_and_end_with_the_work(files: list[SourceFile]) -> None:
    assert list(cut_files(files, {}, CUTTING, lambda: False)) == cut_here(files)
    assert children() == set()


def test_known_content_gives_its_record_and_gone_files_give_nothing(files: list[SourceFile]) -> None:
    rows = cut_here(files)
    known = {one.record.path: one.record for one in rows if isinstance(one, FileRows) and one.chunks}
    Path(files[20].absolute).unlink()
    again = list(cut_files(files, known, CUTTING, lambda: False))
    assert len(again) == len(files) - 1
    assert sum(isinstance(one, FileRecord) for one in again) == len(known) - 1


def test_killed_processes_lose_nothing(files: list[SourceFile]) -> None:
    rows: list[FileRows | FileRecord] = []
    for one in cut_files(files, {}, CUTTING, lambda: False):
        rows.append(one)
        if len(rows) == 5:
            for pid in children():
                psutil.Process(pid).kill()
    assert rows == cut_here(files)


def test_a_stop_ends_the_cutting_and_its_processes(files: list[SourceFile]) -> None:
    rows: list[FileRows | FileRecord] = []
    rows.extend(cut_files(files, {}, CUTTING, lambda: len(rows) >= 8))
    assert len(rows) < len(files)
    assert children() == set()


def test_an_abandoned_cutting_leaves_no_process(files: list[SourceFile]) -> None:
    rows = cut_files(files, {}, CUTTING, lambda: False)
    next(rows)
    assert len(children()) == 2
    assert isinstance(rows, Iterator)
    rows.close()  # type: ignore[attr-defined] - a generator
    assert children() == set()


def test_few_bytes_are_cut_without_processes(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    few = [file for file in files if file.path.startswith("m")][:9]
    monkeypatch.setattr(sys, "executable", "no such program")
    assert list(cut_files(few, {}, CUTTING, lambda: False)) == cut_here(few)


def test_touched_files_are_read_without_processes(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    known = {one.record.path: one.record for one in cut_here(files) if isinstance(one, FileRows)}
    monkeypatch.setattr(sys, "executable", "no such program")
    assert len(list(cut_files(files, known, CUTTING, lambda: False))) == len(files)
