"""Killed writers, and readers beside a writer, in processes of their own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import IndexBusyError
from storage.fingerprint import IndexState
from storage.lance_store import LanceStore
from tests.storage.crash_process import PATHS, files_of, versions_seen
from tests.storage.samples import FINGERPRINT

ROOT = Path(__file__).parents[2]


def start(verb: str, directory: Path, number: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "tests.storage.crash_process", verb, str(directory), str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def after_lines(process: subprocess.Popen[str], count: int) -> int:
    """The last of ``count`` lines the process has written."""
    assert process.stdout is not None
    line = ""
    for _ in range(count):
        line = process.stdout.readline()
        assert line, f"the writer ended early with {process.wait(30)}"
    return int(line)


@pytest.fixture
def store(tmp_path: Path) -> LanceStore:
    store = LanceStore(tmp_path / "index")
    store.reset(FINGERPRINT)
    store.replace_files(files_of(0))
    return store


def test_a_writer_killed_at_any_moment_leaves_whole_files(store: LanceStore, tmp_path: Path) -> None:
    moments = random.Random(7)
    version = 0
    for _ in range(4):
        writer = start("write", tmp_path / "index", version + 1)
        version = after_lines(writer, moments.randrange(1, 14))
        writer.kill()
        writer.wait(30)
        assert store.state(FINGERPRINT) is IndexState.CURRENT
        seen = versions_seen(store)
        assert set(seen) in ({*PATHS}, {*PATHS[:-2]})
        assert {len(versions) for versions in seen.values()} == {1}
        doubtful = {damage.path for damage in store.check()}
        unfinished = {path for path, record in store.files().items() if record.size < 0}
        assert doubtful <= unfinished  # whatever does not fit together is done again by the next run
    store.replace_files(files_of(version + 1))
    store.maintain()
    assert store.check() == []
    assert not any(record.size < 0 for record in store.files().values())


def test_readers_in_other_processes_see_whole_commits_while_one_writes(store: LanceStore, tmp_path: Path) -> None:
    writer = start("write", tmp_path / "index", 1)
    after_lines(writer, 1)
    readers = [start("read", tmp_path / "index", 12) for _ in range(2)]
    try:
        with pytest.raises(IndexBusyError, match=f"process {writer.pid} on .* since"):
            store.replace_files(files_of(0)[:1])
        after_lines(writer, 30)
        assert [reader.wait(120) for reader in readers] == [0, 0]
    finally:
        for process in (writer, *readers):
            process.kill()
            process.wait(30)
