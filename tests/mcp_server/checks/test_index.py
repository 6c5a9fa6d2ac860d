"""One root: who writes it, whether its index is of this version, whether changes in it are heard."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcp_server.checks import index
from mcp_server.checks.findings import Finding, Level
from mcp_server.cli import main
from mcp_server.home import index_directory
from mcp_server.meaning import Meaning, open_meaning
from mcp_server.settings import Settings, load
from storage.holder import SILENT_S
from storage.layout import Layout
from tests.mcp_server.checks.faults import CHECKOUT, PATIENCE_S, alone

HOLDS = """
import sys
from pathlib import Path
from storage.lock import WriterLock
with WriterLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with an index of its text."""
    root = tmp_path / "project"
    (root / "deep" / "deeper").mkdir(parents=True)
    (root / "deep" / "deeper" / "tide.py").write_text("def high_tide(hour):\n    return hour % 12\n", encoding="utf-8")
    monkeypatch.setenv("CODELOUPE_STORAGE_DIRECTORY", str(tmp_path / "indexes"))
    monkeypatch.setenv("CODELOUPE_MODEL_NAME", "none")
    assert CliRunner().invoke(main, ["index", str(root)]).exit_code == 0
    return root


@pytest.fixture
def settings(root: Path) -> Settings:
    return load(root).settings


@pytest.fixture
def meaning(settings: Settings) -> Meaning:
    return open_meaning(settings)


def of(findings: list[Finding], what: str) -> Finding:
    (found,) = (finding for finding in findings if finding.what.startswith(what))
    return found


@pytest.fixture
def writer(root: Path, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the writer's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, index_directory(settings, root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate(timeout=PATIENCE_S)


def test_an_index_that_is_whole_and_whose_root_is_listened_to_is_well(
    root: Path, settings: Settings, meaning: Meaning
) -> None:
    findings = index.examine(root, settings, meaning, repair=False)
    assert [finding.level for finding in findings] == [Level.OK, Level.OK]
    assert "every row holds its checksum (1 chunks" in of(findings, "index of").found.replace(",", "")
    assert "3 directories" in of(findings, "changes in").found


def test_a_living_writer_is_named_and_well(
    root: Path, settings: Settings, meaning: Meaning, writer: subprocess.Popen[str]
) -> None:
    found = of(index.examine(root, settings, meaning, repair=False), "writer of")
    assert (found.level, f"process {writer.pid} on" in found.found) == (Level.OK, True)


def test_the_lock_of_a_killed_writer_is_said_to_be_no_obstacle(
    root: Path, settings: Settings, meaning: Meaning, writer: subprocess.Popen[str]
) -> None:
    writer.kill()
    writer.wait(PATIENCE_S)
    found = of(index.examine(root, settings, meaning, repair=False), "writer of")
    assert (found.level, "was killed and did not sign off" in found.found) == (Level.OK, True)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process so")
def test_a_writer_that_hangs_is_an_error_that_names_the_process_to_end(
    root: Path, settings: Settings, meaning: Meaning, writer: subprocess.Popen[str]
) -> None:
    os.kill(writer.pid, signal.SIGSTOP)
    silent = time.time() - 2 * SILENT_S
    os.utime(index_directory(settings, root) / "writer.json", (silent, silent))
    found = of(index.examine(root, settings, meaning, repair=False), "writer of")
    assert (found.level, f"end process {writer.pid}" in found.mend) == (Level.ERROR, True)


def test_an_index_of_a_newer_version_is_told_to_be_that(root: Path, settings: Settings, meaning: Meaning) -> None:
    layout = Layout(index_directory(settings, root))
    written = layout.read_index()
    assert written is not None
    layout.write_index(replace(written, fingerprint=replace(written.fingerprint, schema="99")))
    found = of(index.examine(root, settings, meaning, repair=False), "index of")
    assert (found.level, "a newer codeloupe made it (version 99" in found.found) == (Level.WARNING, True)


def test_an_index_that_was_cut_otherwise_is_a_warning_with_what_will_become_of_it(
    root: Path, settings: Settings
) -> None:
    changed = settings.model_copy(update={"index": settings.index.model_copy(update={"max_chunk_chars": 700})})
    found = of(index.examine(root, changed, open_meaning(changed), repair=False), "index of")
    assert (found.level, "index.max_chunk_chars has changed" in found.found) == (Level.WARNING, True)


def test_a_home_directory_as_a_root_is_a_warning(
    root: Path, settings: Settings, meaning: Meaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: root)
    found = of(index.examine(root, settings, meaning, repair=False), "root")
    assert (found.level, "is your home directory" in found.found) == (Level.WARNING, True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is listened to")
@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_where_the_system_tells_of_no_more_directories_that_is_a_warning_with_the_setting(
    root: Path, limit: str
) -> None:
    """The limits of a user's namespace are lowered for it alone: two watches, or no listener."""
    look = (
        "from pathlib import Path; from mcp_server.checks import index\n"
        f"print(index._heard(Path({str(root)!r}), ['deep/deeper/tide.py']).line)"
    )
    number = 2 if limit.endswith("watches") else 0
    done = alone(f"echo {number} > /proc/sys/user/{limit}\n{shlex.quote(sys.executable)} -c {shlex.quote(look)}")
    assert done.stdout.startswith(f"warning  changes in {root}: The system "), done.stdout + done.stderr
    assert "fs.inotify.max_user_watches" in done.stdout
