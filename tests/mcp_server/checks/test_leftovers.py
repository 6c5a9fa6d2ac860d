"""What processes that are gone left behind: broken-off downloads, services of other builds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedding.shared.place import Place, ServiceNote
from mcp_server.checks import leftovers
from mcp_server.checks.findings import Level
from mcp_server.settings import Settings
from tests.mcp_server.checks.faults import CHECKOUT, PATIENCE_S

FETCHES = """
import sys
from pathlib import Path
from filelock import FileLock
from embedding.sources import lock_of, staging_of
path = Path(sys.argv[1])
with FileLock(lock_of(path), mode=0o600):
    staging_of(path).mkdir()
    (staging_of(path) / "part").write_bytes(b"." * 3_000_000)
    print("fetching", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a download, as embedding/sources.py leaves its traces."""
    process = subprocess.Popen(
        [sys.executable, "-c", FETCHES, tmp_path / "m.gguf"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert process.stdout
    assert process.stdout.readline() == "fetching\n"
    yield process
    process.kill()
    process.communicate(timeout=PATIENCE_S)


def settings(directory: Path) -> Settings:
    return Settings.model_validate({"model": {"directory": str(directory)}})


def test_a_download_that_is_under_way_is_well(fetching: subprocess.Popen[str], tmp_path: Path) -> None:
    (found,) = leftovers.downloads(settings(tmp_path))
    assert (found.level, "m.gguf is being fetched by another process" in found.found) == (Level.OK, True)


def test_a_download_whose_process_was_killed_is_a_warning_that_says_how_it_goes_on(
    fetching: subprocess.Popen[str], tmp_path: Path
) -> None:
    fetching.kill()
    fetching.wait(PATIENCE_S)
    (found,) = leftovers.downloads(settings(tmp_path))
    assert (found.level, "3 MB of it are there, and nobody goes on" in found.found) == (Level.WARNING, True)
    assert "codeloupe models pull" in found.mend


def test_where_nothing_was_begun_nothing_is_said(tmp_path: Path) -> None:
    assert list(leftovers.downloads(settings(tmp_path / "nowhere"))) == []


def process_in(directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=directory)


def test_a_service_of_another_checkout_is_told_with_its_place(tmp_path: Path) -> None:
    process = process_in(tmp_path)
    try:
        other = leftovers.other_build(process.pid)
    finally:
        process.communicate(b"\n", timeout=PATIENCE_S)
    assert other is not None
    assert str(tmp_path) in other.why


def test_a_service_that_is_older_than_its_code_is_told_to_be_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = tmp_path / "embedding" / "lanes" / "lane.py"
    module.parent.mkdir(parents=True)
    module.touch()
    monkeypatch.setattr(leftovers, "PACKAGE_ROOT", tmp_path)
    process = process_in(tmp_path)
    try:
        os.utime(module, (time.time() - 60, time.time() - 60))
        assert leftovers.other_build(process.pid) is None
        os.utime(module, (time.time() + 60, time.time() + 60))
        other = leftovers.other_build(process.pid)
    finally:
        process.communicate(b"\n", timeout=PATIENCE_S)
    assert other is not None
    assert "before codeloupe was updated" in other.why


def test_a_process_that_has_ended_is_no_service_of_anybody() -> None:
    process = process_in(CHECKOUT)
    process.communicate(b"\n", timeout=PATIENCE_S)
    assert leftovers.other_build(process.pid) is None


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process so")
def test_a_service_that_was_stopped_does_not_answer_and_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    monkeypatch.setattr(leftovers, "data_directory", lambda: tmp_path)
    process = process_in(CHECKOUT)
    try:
        os.kill(process.pid, signal.SIGSTOP)
        place = Place(tmp_path / "services" / "one")
        place.make()
        place.write(
            ServiceNote(process.pid, psutil.Process(process.pid).create_time(), str(tmp_path / "nobody"), "00" * 32)
        )
        (found,) = leftovers.embedding_services()
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.communicate(b"\n", timeout=PATIENCE_S)
    assert (found.level, found.mend) == (Level.ERROR, "codeloupe service stop")
